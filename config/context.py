"""What every page knows: who reads it, and where they may go."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from accounts.domain.roles import Actor
from accounts.permissions import actor_of
from bookings.selectors.reservations import requests_to_decide


def page(request: HttpRequest) -> dict[str, Any]:
    actor = actor_of(getattr(request, "user", None))
    return {
        "actor": actor,
        "local_mode": settings.LOCAL_MODE,
        "menu": _menu(request, actor),
    }


def _menu(request: HttpRequest, actor: Actor) -> list[dict[str, Any]]:
    items: list[tuple[str, str, int]] = [("bookings:catalogue", gettext("Instruments"), 0)]
    if actor.user_id:
        items.append(("bookings:mine", gettext("My bookings"), 0))
    if actor.has("manager"):
        waiting = requests_to_decide(actor, timezone.now()).count()
        items.append(("bookings:requests", gettext("Requests"), waiting))
        items.append(("instruments:manage", gettext("Manage"), 0))
    if any(actor.has(role) for role in ("manager", "finance", "coordinator", "auditor")):
        items.append(("bookings:hours", gettext("Hours"), 0))
    if actor.has("auditor"):
        items.append(("bookings:trail", gettext("Trail"), 0))
    match = request.resolver_match
    here = match.view_name if match else ""
    return [
        {"url": reverse(name), "label": label, "count": count, "is_here": name == here}
        for name, label, count in items
    ]
