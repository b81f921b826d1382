"""Wishes made through the service, and an instrument with one slot a day."""

from typing import Any

from accounts.domain.roles import By
from bookings.models import WaitingWish
from bookings.plans.services.waiting import WishValues, wish_make
from instruments.register.models import Instrument
from tests.factories.cast import NOW, Cast, at

ONE_SLOT = {
    "weekly": [{"weekday": day, "opens": "10:00", "closes": "12:00"} for day in range(1, 6)],
    "overrides": [],
    "observes_holidays": True,
}


def narrow(cast: Cast, **changes: Any) -> Instrument:
    """Open from ten to twelve."""
    return cast.instrument(**{"name": "Narrow", "hours": ONE_SLOT} | changes)


def wait(
    cast: Cast,
    instrument: Instrument,
    who: str = "wang",
    *,
    earliest: str = "2026-03-06 08:00",
    latest: str = "2026-03-06 20:00",
    minutes: int = 120,
    now: Any = NOW,
    **values: Any,
) -> WaitingWish:
    """A wish for the Friday, unless said otherwise."""
    return wish_make(
        By(cast.actor(who), now),
        values=WishValues(
            instrument_id=instrument.pk,
            organisation=values.pop("organisation", None),
            service_mode=values.pop("service_mode", "self"),
            earliest=at(earliest),
            latest=at(latest),
            minutes=minutes,
            **values,
        ),
    )
