"""Meters and their readings by staff; maintenance counters, and recording that maintenance was done."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import FieldProblem, Invalid, WrongState, invalid
from accounts.domain.roles import By
from accounts.notifications import Effect, enqueue
from accounts.selectors.rows import visible
from bookings.questions.domain.meters import FINE, REACHED
from bookings.questions.domain.questions import as_number
from bookings.questions.models import CounterCycle, MaintenanceCounter, Meter, MeterReading
from bookings.questions.selectors.meters import load_bounds, load_due, neighbours, open_cycles
from bookings.record.domain.money import format_number
from instruments.register.locks import lock_managed
from instruments.register.models import Instrument

MOST_METERS = 20
MOST_COUNTERS = 20


def counters_due(instrument_id: UUID, cause: str, now: datetime) -> Effect:
    """Return the effect that has the counters of an instrument checked, as one of its meters has gone on."""
    return Effect(
        kind="counters.check",
        key=f"counters.check:{instrument_id}:{cause}:{now.isoformat()}",
        payload={"instrument": str(instrument_id)},
    )


@transaction.atomic
def meter_add(
    by: By, *, instrument_id: UUID, name: str, name_zh: str = "", unit: str = "", is_monotone: bool = True
) -> Meter:
    """Add a meter that people read, for the host's managers."""
    instrument = lock_managed(by, instrument_id)
    if not name.strip():
        raise invalid("name", "required")
    there = Meter.objects.filter(instrument=instrument)
    if there.filter(name=name.strip()).exists():
        raise invalid("name", "repeated")
    if there.count() >= MOST_METERS:
        raise invalid("name", "too-many", most=MOST_METERS)
    meter = Meter.objects.create(
        instrument=instrument,
        name=name.strip(),
        name_zh=name_zh.strip(),
        unit=unit.strip(),
        is_monotone=is_monotone,
        created_at=by.now,
    )
    after = {"name": meter.name, "unit": meter.unit, "is_monotone": is_monotone}
    trail.record(by, "meter.add", meter, after=after, places=instrument.places())
    return meter


@transaction.atomic
def meter_read(by: By, *, meter_id: UUID, value: object, reset_reason: str = "") -> MeterReading:
    """Enter what a meter shows now, for the host's managers. A value below the last reading of a meter that
    only goes up, or above what it can show by now, needs a reason: it was replaced or set back."""
    meter, instrument = _lock(by, meter_id)
    if meter.is_hours:
        raise WrongState("counted-by-itself")
    number, reason = as_number(value), reset_reason.strip()
    if number is None:
        raise invalid("value", "not-a-decimal")
    if not reason and (problem := reading_problem(meter, number, by.now, "value")):
        raise Invalid([problem])
    row = MeterReading.objects.create(
        meter=meter, value=number, read_at=by.now, entered_by_id=by.actor.user_id, reset_reason=reason
    )
    after = {"meter": meter.pk, "value": format_number(number), "is_reset": bool(reason)}
    places = instrument.places()
    trail.record(by, "meter.read", meter, after=after, reason=reason, places=places)
    enqueue([counters_due(instrument.pk, str(row.pk), by.now)], now=by.now)
    return row


def reading_problem(meter: Meter, value: Decimal, now: datetime, field: str) -> FieldProblem | None:
    """Return what is wrong with a new value of a meter, for this field; None if nothing is."""
    least, most = load_bounds(meter, now)
    if least is not None and value < least:
        return FieldProblem(field, "reading-below-last", {"last": format_number(least)})
    if most is not None and value > most:
        numbers: dict[str, str | int] = {"most": format_number(most)}
        return FieldProblem(field, "reading-leaps", numbers)
    return None


@transaction.atomic
def reading_correct(by: By, *, reading_id: UUID, value: object, reason: str) -> MeterReading:
    """Correct a wrong reading of a meter, with a reason, for the host's managers. The readings of a meter
    that only goes up must stay in order. Counters are computed again, and repeat warnings that were given too
    early; a closure stays until somebody ends it."""
    known = visible(MeterReading.objects, pk=reading_id)
    meter, instrument = _lock(by, known.meter_id)
    row = MeterReading.objects.get(pk=reading_id)
    number = as_number(value)
    if number is None:
        raise invalid("value", "not-a-decimal")
    if not reason.strip():
        raise invalid("reason", "required")
    before, after = neighbours(row)
    if meter.is_monotone:
        if before and not row.reset_reason and number < before.value:
            raise invalid("value", "reading-below-last", last=format_number(before.value))
        if after and not after.reset_reason and number > after.value:
            raise invalid("value", "too-large", most=format_number(after.value))
    old, row.value, row.correction_reason = row.value, number, reason.strip()
    row.save(update_fields=["value", "correction_reason"])
    trail.record(
        by,
        "meter.correct",
        meter,
        before={"reading": row.pk, "value": format_number(old)},
        after={"value": format_number(number)},
        reason=row.correction_reason,
        places=instrument.places(),
    )
    for due in load_due(list(open_cycles([instrument.pk]).filter(counter__meter=meter))):
        if due.standing != REACHED:
            due.cycle.reached_at = None
        if due.standing == FINE:
            due.cycle.warned_at = None
        due.cycle.save(update_fields=["reached_at", "warned_at"])
    enqueue([counters_due(instrument.pk, str(row.pk), by.now)], now=by.now)
    return row


def _lock(by: By, meter_id: UUID) -> tuple[Meter, Instrument]:
    meter = visible(Meter.objects, pk=meter_id)
    return meter, lock_managed(by, meter.instrument_id)


@transaction.atomic
def counter_add(
    by: By,
    *,
    instrument_id: UUID,
    meter: UUID | None,
    name: str,
    name_zh: str = "",
    limit: Decimal,
    warn_percent: int = 90,
    action: str = "warn",
    since: datetime | None = None,
) -> MaintenanceCounter:
    """Start a maintenance counter for a meter of the instrument, or for its hours of use if none is named,
    for the host's managers. `since`: when the maintenance was last done, by default now."""
    instrument = lock_managed(by, instrument_id)
    _check(name, limit, warn_percent, action)
    if since is not None and since > by.now:
        raise invalid("since", "in-the-future")
    counters = MaintenanceCounter.objects.filter(meter__instrument=instrument, is_active=True)
    if counters.count() >= MOST_COUNTERS:
        raise invalid("name", "too-many", most=MOST_COUNTERS)
    if meter is None:
        counted, _ = Meter.objects.get_or_create(
            instrument=instrument,
            is_hours=True,
            defaults={
                "name": "Hours of use", "name_zh": "使用机时", "unit": "h", "created_at": by.now
            },
        )  # fmt: skip
    else:
        named = Meter.objects.filter(instrument=instrument, pk=meter).first()
        if named is None:
            raise invalid("meter", "unknown-value")
        if not named.is_monotone:
            raise invalid("meter", "goes-both-ways")
        counted = named
    row = MaintenanceCounter.objects.create(
        meter=counted,
        name=name.strip(),
        name_zh=name_zh.strip(),
        limit=limit,
        warn_percent=warn_percent,
        action=action,
    )
    CounterCycle.objects.create(counter=row, started_at=since or by.now)
    trail.record(by, "counter.add", row, after=_recorded(row), places=instrument.places())
    enqueue([counters_due(instrument.pk, str(row.pk), by.now)], now=by.now)
    return row


def _check(name: str, limit: Decimal, warn_percent: int, action: str) -> None:
    if not name.strip():
        raise invalid("name", "required")
    if limit <= 0 or as_number(limit) is None:
        raise invalid("limit", "too-small", least="0.0001")
    if not 1 <= warn_percent <= 100:
        raise invalid("warn_percent", "out-of-range", least=1, most=100)
    if action not in MaintenanceCounter.Action.values:
        raise invalid("action", "unknown-value")


def _recorded(row: MaintenanceCounter) -> dict[str, object]:
    return {
        "meter": row.meter_id,
        "name": row.name,
        "limit": format_number(row.limit),
        "warn_percent": row.warn_percent,
        "action": row.action,
    }


@transaction.atomic
def counter_done(by: By, *, counter_id: UUID, note: str) -> CounterCycle:
    """Record that maintenance was done: the counter starts again from now. A closure that it caused is ended
    separately. For the host's managers. Raises `WrongState` for a retired counter."""
    counter, instrument = _counter_lock(by, counter_id)
    cycle = CounterCycle.objects.filter(counter=counter, ended_at=None).first()
    if cycle is None or not counter.is_active:
        raise WrongState("counter-retired")
    cycle.ended_at, cycle.ended_by_id, cycle.note = by.now, by.actor.user_id, note.strip()[:500]
    cycle.save(update_fields=["ended_at", "ended_by", "note"])
    counter.version += 1
    counter.save(update_fields=["version"])
    fresh = CounterCycle.objects.create(counter=counter, started_at=by.now)
    before = {"since": cycle.started_at}
    places = instrument.places()
    trail.record(
        by, "counter.done", counter, before=before, after={"since": by.now}, reason=cycle.note,
        places=places,
    )  # fmt: skip
    return fresh


@transaction.atomic
def counter_retire(by: By, *, counter_id: UUID) -> Instrument:
    """Stop a counter for good, for the host's managers, and return its instrument; past cycles stay on
    record."""
    counter, instrument = _counter_lock(by, counter_id)
    if not counter.is_active:
        raise WrongState("counter-retired")
    counter.is_active = False
    counter.version += 1
    counter.save(update_fields=["is_active", "version"])
    trail.record(by, "counter.retire", counter, before=_recorded(counter), places=instrument.places())
    return instrument


def _counter_lock(by: By, counter_id: UUID) -> tuple[MaintenanceCounter, Instrument]:
    counter = visible(MaintenanceCounter.objects.select_related("meter"), pk=counter_id)
    instrument = lock_managed(by, counter.meter.instrument_id)
    counter.refresh_from_db(fields=["is_active", "version"])
    by.require_version(counter.version)
    return counter, instrument
