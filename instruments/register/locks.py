"""Lock instruments. Everything about an instrument's time and rules is decided under its lock.

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
from instruments.register.models import Instrument
from instruments.register.selectors.registry import HAS_BLOCKS, RECORD, WITH, may_see


def lock_instrument(instrument_id: UUID, *, record: bool = False) -> Instrument:
    """Lock an instrument's row and return it, with the rows that its rules need. `NotFound` if there is none.
    `record`: as `lock_instruments`."""
    return lock_instruments([instrument_id], record=record)[0]


def lock_seen(by: By, instrument_id: UUID, *, record: bool = False) -> Instrument:
    """Lock an instrument like `lock_instrument`. `NotFound` also if the actor may not see it."""
    instrument = lock_instrument(instrument_id, record=record)
    if not by.actor.is_platform and not may_see(by.actor, instrument):
        raise NotFound
    return instrument


def lock_managed(
    by: By, instrument_id: UUID, capability: str = "manage-instruments", *, record: bool = False
) -> Instrument:
    """Lock an instrument if the actor has a capability for it at its host; `NotPermitted` without it. With
    `record`, raise `WrongVersion` if the record has changed since it was read."""
    instrument = lock_seen(by, instrument_id, record=record)
    require(by.actor, capability, place_of(instrument.organisation, instrument))
    if record:
        by.require_version(instrument.version)
    return instrument


def claim_instrument(instrument_id: UUID) -> None:
    """Lock an instrument for a job without waiting; `Busy` if another transaction has locked it or it is
    gone. Call it before the job takes the locks that requests take."""
    free = Instrument.objects.filter(pk=instrument_id).order_by("pk")
    if not free.select_for_update(no_key=True, skip_locked=True).values_list("pk"):
        raise Busy


def lock_instruments(instrument_ids: Iterable[UUID], *, record: bool = False) -> list[Instrument]:
    """Lock instruments in the order of their ids and return them; `NotFound` if one is missing. `record`:
    load the whole record too. Two statements, because a statement that waits for a lock would read joined
    rows as they were before it waited."""
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
    rows = rows.annotate(has_blocks=HAS_BLOCKS)
    return rows if record else rows.defer(*RECORD)


_READ = Prepared(_read)
