"""The lock everything about an instrument's time and rules is decided under.

Order of locks, everywhere: instruments by id, then reservations by id (bookings/locks.py).
"""

from collections.abc import Iterable
from uuid import UUID

from accounts.domain.errors import NotFound
from instruments.models import Instrument

_WITH = ("facility", "organisation", "region", "schedule", "policy")


def lock_instrument(instrument_id: UUID) -> Instrument:
    """The instrument's row, locked, with what its rules need. `NotFound` if there is none."""
    return lock_instruments([instrument_id])[0]


def lock_instruments(instrument_ids: Iterable[UUID]) -> list[Instrument]:
    """Several, in the order of their ids. One statement."""
    wanted = sorted(set(instrument_ids))
    rows = list(
        Instrument.objects.select_for_update(of=("self",), no_key=True)
        .select_related(*_WITH)
        .filter(pk__in=wanted)
        .order_by("pk")
    )
    if len(rows) != len(wanted):
        raise NotFound
    return rows
