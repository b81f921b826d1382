"""Maintenance counters: warning that one is near its limit, and closing the instrument at the limit."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.domain.roles import PLATFORM, By
from accounts.notifications import Effect, enqueue
from accounts.services.jobs import work_through
from bookings.availability.models import Closure
from bookings.questions.domain.meters import FINE, REACHED
from bookings.questions.models import CounterCycle, MaintenanceCounter
from bookings.questions.selectors.meters import Due, instruments_counting, load_due, open_cycles
from bookings.record.models import Reservation
from bookings.usage.services.closures import Outage, closure_create
from instruments.register.locks import lock_instrument


def counters_review(*, now: datetime) -> int:
    """Check the counters of all instruments that have any; return the number of warnings. Running it late or
    twice gives the same result."""
    return work_through(
        job="look at maintenance counters",
        due=instruments_counting(),
        act=lambda pk: counters_check(instrument_id=pk, now=now),
        now=now,
    )


@transaction.atomic
def counters_check(*, instrument_id: UUID, now: datetime) -> int:
    """Check the counters of an instrument and return the number of warnings: once a cycle each warns that it
    is near its limit, and that it has reached it, when it also closes the instrument if set so. One statement
    if there are no counters."""
    if not open_cycles([instrument_id]).filter(reached_at=None).exists():
        return 0
    lock_instrument(instrument_id)
    # Read again, since another worker may have warned before the lock was taken.
    cycles = list(open_cycles([instrument_id]).filter(reached_at=None))
    return sum(_tell(due, now) for due in load_due(cycles))


def _tell(due: Due, now: datetime) -> int:
    cycle = due.cycle
    if due.standing == FINE or (due.standing != REACHED and cycle.warned_at):
        return 0
    is_first = cycle.warned_at is None
    cycle.warned_at = cycle.warned_at or now
    effects = []
    if due.standing == REACHED:
        cycle.reached_at = now
        if cycle.counter.action == MaintenanceCounter.Action.CLOSE:
            cycle.closure = _closed(cycle, now)
        effects.append(_message("reached", cycle))
    elif is_first:
        effects.append(_message("near", cycle))
    cycle.save(update_fields=["warned_at", "reached_at", "closure"])
    enqueue(effects, now=now)
    return len(effects)


def _closed(cycle: CounterCycle, now: datetime) -> Closure:
    """Return the closure of a counter's instrument that lasts until somebody ends it: the existing one, or a
    new one."""
    instrument_id, outage = cycle.counter.meter.instrument_id, _outage(cycle, now)
    there = Closure.objects.filter(instrument_id=instrument_id, kind=outage.kind, units=[], end_at=None)
    return there.filter(start_at__lte=outage.start).first() or closure_create(
        By(PLATFORM, now), instrument_id=instrument_id, outage=outage, displace=True
    )


def _outage(cycle: CounterCycle, now: datetime) -> Outage:
    """Return the closure for a counter: from the end of the bookings in use until somebody ends it."""
    counter = cycle.counter
    ends = Reservation.objects.filter(
        instrument_id=counter.meter.instrument_id, state="in_use", end_at__gt=now
    ).values_list("end_at", flat=True)
    return Outage("maintenance", max([now, *ends]), None, reason=counter.name)


def _message(name: str, cycle: CounterCycle) -> Effect:
    told = cycle.reached_at or cycle.warned_at  # repeated after a reading was corrected
    assert told is not None
    return Effect(
        kind=f"counter.{name}",
        key=f"counter.{name}:{cycle.pk}:{told.isoformat()}",
        payload={"cycle": str(cycle.pk)},
    )
