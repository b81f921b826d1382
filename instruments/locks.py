"""The lock everything about an instrument's time and rules is decided under.

Order of locks, everywhere: instruments by id, then reservations by id (bookings/locks.py).
"""

from collections.abc import Iterable
from uuid import UUID

from accounts.domain.errors import NotFound
from instruments.models import Instrument
from instruments.selectors.registry import RECORD, WITH


def lock_instrument(instrument_id: UUID, *, record: bool = False) -> Instrument:
    """The instrument's row, locked, with what its rules need. `NotFound` if there is none."""
    return lock_instruments([instrument_id], record=record)[0]


def lock_instruments(instrument_ids: Iterable[UUID], *, record: bool = False) -> list[Instrument]:
    """Several, in the order of their ids; `record`: with all that is said of them. Two
    statements: one that waits for the lock reads the rows it joins as they were before it
    waited, so what the rules need is read afterwards."""
    wanted = sorted(set(instrument_ids))
    some = Instrument.objects.filter(pk__in=wanted).order_by("pk")
    if len(some.select_for_update(no_key=True).values_list("pk")) != len(wanted):
        raise NotFound
    found = some.select_related(*WITH)
    return list(found if record else found.defer(*RECORD))
