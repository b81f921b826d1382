"""Publish instruments, step by step, and keep their records current."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts import trail
from accounts.domain.errors import WrongState
from accounts.domain.roles import MANAGER, By
from accounts.notifications import Effect, enqueue
from accounts.selectors.memberships import holders_in_part
from instruments.managing.domain.quality import Incomplete, missing, step
from instruments.managing.selectors.quality import load_record, stale_records
from instruments.opening.services.opening import assignment_change
from instruments.reading.domain.clock import local_date
from instruments.register.locks import lock_managed
from instruments.register.models import Instrument
from instruments.register.selectors.registry import PUBLIC
from instruments.register.services.events import record_event
from instruments.search.services.search import entries_file

# act -> the state it leads to and the capability it needs
ACTS = {
    "submit": ("submitted", "register-instruments"),
    "return": ("draft", "manage-instruments"),
    "publish": ("published", "manage-instruments"),
    "suspend": ("suspended", "manage-instruments"),
    "retire": ("retired", "manage-instruments"),
}
# Functions that may refuse to retire an instrument join here (`joins` of an area). They are called
# under its lock.
retiring: list[Callable[[UUID, datetime], None]] = []


@transaction.atomic
def instrument_publication(by: By, *, instrument_id: UUID, act: str, reason: str = "") -> Instrument:
    """Submit, return, publish, suspend or retire an instrument. Publishing needs a complete record
    (`Incomplete` lists what is missing); it also brings back a suspended one. Retiring is final, and refused
    while bookings are not over (`StillBooked`). Managers are told of submitted records, and the person who
    submitted one is told the decision."""
    after, capability = ACTS[act]
    instrument = lock_managed(by, instrument_id, capability, record=True)
    before = instrument.publication
    step(before, after)
    if after == "published":
        today = local_date(ZoneInfo(instrument.facility.time_zone), by.now)
        lacking = missing(load_record(instrument, today))
        if lacking:
            raise Incomplete(lacking)
        instrument.published_at = instrument.published_at or by.now
    if after == "retired":
        for guard in retiring:
            guard(instrument.pk, by.now)
    if after == "submitted":
        instrument.submitted_by_id = by.actor.person
    instrument.publication = after
    instrument.version += 1
    instrument.updated_at = by.now
    instrument.save(update_fields=["publication", "published_at", "submitted_by", "version", "updated_at"])
    if "published" in {before, after}:
        assignment_change(instrument=instrument, now=by.now)
        entries_file([instrument.pk])
    entry = trail.record(
        by,
        f"instrument.{act}",
        instrument,
        before={"publication": before},
        after={"publication": after},
        reason=reason,
    )
    if "published" in {before, after}:
        enqueue([record_event(instrument, after)], now=by.now)
    if after == "submitted" or (before == "submitted" and after != "retired"):
        _tell(instrument, "returned" if after == "draft" else after, entry.pk, by.now)
    return instrument


@transaction.atomic
def instrument_confirm(by: By, *, instrument_id: UUID) -> Instrument:
    """Confirm that a record is still true, so that it counts as current for another year. `WrongState` if it
    is not public, as nobody could then rely on it."""
    instrument = lock_managed(by, instrument_id, record=True)
    if instrument.publication not in PUBLIC:
        raise WrongState(state=instrument.publication, wanted="confirmed")
    before = instrument.confirmed_at
    instrument.confirmed_at = by.now
    instrument.version += 1
    instrument.save(update_fields=["confirmed_at", "version"])
    trail.record(
        by, "instrument.confirm", instrument, before={"confirmed_at": before}, after={"confirmed_at": by.now}
    )
    return instrument


@transaction.atomic
def stale_records_tell(*, now: datetime) -> int:
    """Send each host one letter a month about all its stale records, and each of those who manage only a part
    of it one about theirs; return the number of hosts."""
    rows = list(stale_records(now).order_by().values_list("organisation_id", "facility_id", "pk"))
    hosts = sorted({host for host, _, _ in rows})
    month = now.astimezone(UTC).strftime("%Y-%m")
    told = [(f"{host}:{month}", {"organisation": str(host)}) for host in hosts]
    told += [
        (f"{host}:{month}:{user}", {"organisation": str(host), "user": str(user)})
        for host, user in holders_in_part(MANAGER, rows)
    ]
    enqueue((Effect("record.stale", f"record.stale:{key}", payload) for key, payload in told), now=now)
    return len(hosts)


def _tell(instrument: Instrument, step: str, entry_id: UUID, now: datetime) -> None:
    """Tell the people who wait for a step of an instrument's publication. The reason stays in the trail,
    where it can be erased."""
    effect = Effect(
        kind=f"record.{step}",
        key=f"record.{step}:{instrument.pk}:{instrument.version}",
        payload={"instrument": str(instrument.pk), "entry": str(entry_id)},
    )
    enqueue([effect], now=now)
