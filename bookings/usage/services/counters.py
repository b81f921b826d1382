"""Maintenance counters: telling that one is near its limit, and closing at it."""

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
from instruments.locks import lock_instrument


def counters_review(*, now: datetime) -> int:
    """Look at the counters of all instruments that have one; the number of words told. Running it
    late or twice comes to the same."""
    return work_through(
        job="look at maintenance counters",
        due=instruments_counting(),
        act=lambda pk: counters_check(instrument_id=pk, now=now),
        now=now,
    )


@transaction.atomic
def counters_check(*, instrument_id: UUID, now: datetime) -> int:
    """Look at the counters of an instrument: each tells once a cycle that it is near its limit and
    that it has reached it, and closes the instrument then if it is to; how many told. One statement
    where there are none."""
    if not open_cycles([instrument_id]).filter(reached_at=None).exists():
        return 0
    lock_instrument(instrument_id)
    # Read again: another may have told before the lock was had.
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
    """The closure of the instrument until somebody ends it: the one there is, or a new one."""
    instrument_id, outage = cycle.counter.meter.instrument_id, _outage(cycle, now)
    there = Closure.objects.filter(
        instrument_id=instrument_id, kind=outage.kind, units=[], end_at=None
    )
    return there.filter(start_at__lte=outage.start).first() or closure_create(
        By(PLATFORM, now), instrument_id=instrument_id, outage=outage, displace=True
    )


def _outage(cycle: CounterCycle, now: datetime) -> Outage:
    """Until somebody ends it; from when those are through who are at work."""
    counter = cycle.counter
    ends = Reservation.objects.filter(
        instrument_id=counter.meter.instrument_id, state="in_use", end_at__gt=now
    ).values_list("end_at", flat=True)
    return Outage("maintenance", max([now, *ends]), None, reason=counter.name)


def _message(name: str, cycle: CounterCycle) -> Effect:
    told = cycle.reached_at or cycle.warned_at  # anew after a reading was put right
    assert told is not None
    return Effect(
        kind=f"counter.{name}",
        key=f"counter.{name}:{cycle.pk}:{told.isoformat()}",
        payload={"cycle": str(cycle.pk)},
    )
