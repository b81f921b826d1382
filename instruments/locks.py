"""The lock everything about an instrument's time and rules is decided under.

Order of locks, everywhere: instruments by id, then reservations by id (bookings/record/locks.py).
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.domain.errors import NotFound
from accounts.domain.jobs import Busy
from accounts.domain.roles import By
from accounts.permissions import require
from accounts.prepared import Prepared
from accounts.selectors.memberships import place_of
from instruments.models import Instrument
from instruments.selectors.registry import RECORD, WITH


def lock_instrument(instrument_id: UUID, *, record: bool = False) -> Instrument:
    """Lock an instrument's row and return it with what its rules need. `NotFound` if there is
    none."""
    return lock_instruments([instrument_id], record=record)[0]


def lock_managed(by: By, instrument_id: UUID, *, record: bool = False) -> Instrument:
    """As `lock_instrument`, for the managers of its host; `WrongVersion` with its record if that
    has moved on from the version they read."""
    instrument = lock_instrument(instrument_id, record=record)
    require(by.actor, "manage-instruments", place_of(instrument.organisation))
    if record:
        by.require_version(instrument.version)
    return instrument


def claim_instrument(instrument_id: UUID) -> None:
    """Lock an instrument for a job, before the locks of a request, without waiting for it. `Busy`
    while another has it (or it is gone)."""
    free = Instrument.objects.filter(pk=instrument_id).order_by("pk")
    if not free.select_for_update(no_key=True, skip_locked=True).values_list("pk"):
        raise Busy


def lock_instruments(instrument_ids: Iterable[UUID], *, record: bool = False) -> list[Instrument]:
    """Lock several in the order of their ids and return them; `record`: with all that is said of
    them. Two statements: one that waits for the lock reads the rows it joins as they were before it
    waited, so what the rules need is read afterwards."""
    ids = sorted(set(instrument_ids))
    if len(_LOCKED.rows(ids=ids)) != len(ids):
        raise NotFound
    return _READ.rows(record, ids=ids)


_LOCKED = Prepared(
    lambda ids: (
        Instrument.objects.filter(pk__one_of=ids)
        .order_by("pk")
        .select_for_update(no_key=True)
        .values_list("pk")
    )
)


def _read(record: bool, *, ids: Any) -> QuerySet[Instrument]:
    rows = Instrument.objects.filter(pk__one_of=ids).order_by("pk").select_related(*WITH)
    return rows if record else rows.defer(*RECORD)


_READ = Prepared(_read)
