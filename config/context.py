"""What every page knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.permissions import actor_of


def page(request: HttpRequest) -> dict[str, Any]:
    """The reader as an actor, and whether this is a demonstration."""
    return {"actor": actor_of(getattr(request, "user", None)), "local_mode": settings.LOCAL_MODE}
