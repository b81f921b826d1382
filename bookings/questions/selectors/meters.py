"""Load what meters show, and how near maintenance is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import QuerySet

from accounts.domain.roles import Actor
from accounts.selectors.rows import visible
from bookings.questions.domain import meters as rules
from bookings.questions.models import CounterCycle, MaintenanceCounter, Meter, MeterReading
from bookings.record.domain.periods import Period
from bookings.record.models import UsageSession
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_to_manage


@dataclass(frozen=True)
class Due:
    """A counter in its present cycle: how much was used of its limit."""

    cycle: CounterCycle
    used: Decimal
    standing: str

    @property
    def percent(self) -> int:
        """Return the used part of the limit in percent, at most a hundred."""
        return min(100, int(self.used * 100 / self.cycle.counter.limit))


def open_cycles(instrument_ids: Iterable[UUID]) -> QuerySet[CounterCycle]:
    """Return the current cycles of counters that are not retired, with counter and meter."""
    return (
        CounterCycle.objects.filter(
            ended_at=None, counter__is_active=True, counter__meter__instrument_id__in=list(instrument_ids)
        )
        .select_related("counter__meter")
        .order_by("counter__name", "id")
    )


def load_due(cycles: Sequence[CounterCycle]) -> list[Due]:
    """Return how far each of these cycles of one instrument has come, computed from its sessions and
    readings. At most two statements."""
    if not cycles:
        return []
    since = min(cycle.started_at for cycle in cycles)
    uses: list[Period] = []
    by_meter: dict[UUID, list[rules.Reading]] = {}
    if any(cycle.counter.meter.is_hours for cycle in cycles):
        sessions = UsageSession.objects.filter(
            instrument_id=cycles[0].counter.meter.instrument_id, checked_out_at__gt=since
        )
        uses = uses_of(sessions)
    read = {cycle.counter.meter_id for cycle in cycles if not cycle.counter.meter.is_hours}
    if read:
        rows = MeterReading.objects.filter(meter_id__in=read).order_by("read_at", "id")
        for meter, at, value, reset in rows.values_list("meter_id", "read_at", "value", "reset_reason"):
            by_meter.setdefault(meter, []).append(rules.Reading(at, value, bool(reset)))
    return [_due(cycle, uses, by_meter) for cycle in cycles]


def uses_of(sessions: QuerySet[UsageSession]) -> list[Period]:
    """Return the periods of use of those sessions that are over."""
    times = sessions.values_list("checked_in_at", "checked_out_at")
    return [Period(start, end) for start, end in times if end is not None]


def _due(cycle: CounterCycle, uses: list[Period], by_meter: dict[UUID, list[rules.Reading]]) -> Due:
    counter = cycle.counter
    if counter.meter.is_hours:
        used = rules.hours_of(uses, cycle.started_at)
    else:
        used = rules.advanced(by_meter.get(counter.meter_id, ()), cycle.started_at)
    return Due(cycle, used, rules.standing(used, counter.limit, counter.warn_percent))


def load_bounds(meter: Meter, now: datetime) -> tuple[Decimal | None, Decimal | None]:
    """Return the least and the most that a meter can show now; None for no bound. For a meter that only goes
    up the least is its last reading, and the most is estimated from its last fifty. One statement."""
    if not meter.is_monotone:
        return None, None
    rows = MeterReading.objects.filter(meter=meter).order_by("-read_at", "-id")
    last = [
        rules.Reading(at, value, bool(reset))
        for at, value, reset in rows.values_list("read_at", "value", "reset_reason")[:50]
    ]
    return (last[0].value if last else None), rules.most_to_read(last, meter.unit, now)


def neighbours(row: MeterReading) -> tuple[MeterReading | None, MeterReading | None]:
    """Return the readings of the same meter just before and just after a reading. Two statements."""
    rows = MeterReading.objects.filter(meter=row.meter_id).exclude(pk=row.pk)
    before = rows.filter(read_at__lte=row.read_at).order_by("-read_at", "-id").first()
    after = rows.filter(read_at__gt=row.read_at).order_by("read_at", "id").first()
    return before, after


def meters_of(instrument: Instrument) -> list[Meter]:
    """Return the meters of an instrument, by name, the one for its hours first."""
    return list(Meter.objects.filter(instrument=instrument).order_by("-is_hours", "name", "id"))


def readings_of(meter: Meter) -> QuerySet[MeterReading]:
    """Return the readings of a meter, the latest first, with who entered them."""
    rows = MeterReading.objects.filter(meter=meter).select_related("entered_by", "sheet")
    return rows.order_by("-read_at", "-id")


def instruments_counting() -> list[UUID]:
    """Return the instruments with a counter that still has a warning to give."""
    rows = CounterCycle.objects.filter(ended_at=None, counter__is_active=True, reached_at=None).values_list(
        "counter__meter__instrument_id", flat=True
    )
    return list(rows.order_by("counter__meter__instrument_id").distinct())


def meter_to_manage(actor: Actor, meter_id: UUID) -> Meter:
    """Return a meter of an instrument that the actor manages; raise `NotFound` or `NotPermitted`
    otherwise."""
    meter = visible(Meter.objects, pk=meter_id)
    meter.instrument = instrument_to_manage(actor, meter.instrument_id)
    return meter


def reading_to_manage(actor: Actor, reading_id: UUID) -> MeterReading:
    """Return a reading at an instrument that the actor manages; raise `NotFound` or `NotPermitted`
    otherwise."""
    row = visible(MeterReading.objects.select_related("entered_by", "sheet"), pk=reading_id)
    row.meter = meter_to_manage(actor, row.meter_id)
    return row


def counter_to_manage(actor: Actor, counter_id: UUID) -> MaintenanceCounter:
    """Return a counter of an instrument that the actor manages; raise `NotFound` or `NotPermitted`
    otherwise."""
    counter = visible(MaintenanceCounter.objects.select_related("meter"), pk=counter_id)
    counter.meter.instrument = instrument_to_manage(actor, counter.meter.instrument_id)
    return counter
