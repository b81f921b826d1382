"""Read the identity providers at which people may sign in."""

from typing import Any

from allauth.socialaccount.models import SocialApp
from django.conf import settings


def stored_providers() -> list[SocialApp]:
    """Return the providers that administrators have entered."""
    return list(SocialApp.objects.order_by("name"))


def configured_providers() -> list[dict[str, Any]]:
    """Return the providers that are configured in the environment, each with kind, id and name."""
    return [
        {"kind": kind, "id": app.get("provider_id", kind), "name": app["name"]}
        for kind, setup in settings.SOCIALACCOUNT_PROVIDERS.items()
        for app in setup.get("APPS", [])
    ]
