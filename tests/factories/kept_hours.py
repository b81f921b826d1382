"""Guaranteed hours made through the service."""

from typing import Any

from accounts.domain.roles import By
from bookings.availability.services.kept_hours import kept_hours_grant
from bookings.models import KeptHours
from tests.factories.cast import NOW, Cast, at


def grant(cast: Cast, who: str = "zhao", *, now: Any = NOW, **values: Any) -> KeptHours:
    """Eight hours of the microscope on a Friday, which is open for twelve, for Fudan, unless said
    otherwise."""
    given = {
        "instrument": cast.microscope,
        "holder": cast.fudan,
        "minutes": 480,
        "starts_at": at("2026-03-06 00:00"),
        "ends_at": at("2026-03-07 00:00"),
        "price": None,
        "released_minutes": 0,
        "reason": "Agreed in writing",
    }
    return kept_hours_grant(By(cast.actor(who), now), **given | values)
