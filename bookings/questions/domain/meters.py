"""What meters count, and how near a maintenance counter is to its limit."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from bookings.record.domain.periods import Period

FINE, NEAR, REACHED = STANDINGS = ("fine", "near", "reached")
HOUR = Decimal(3600)
HOUR_UNITS = frozenset({"h", "hr", "hrs", "hour", "hours", "小时", "机时"})
LEAST_STEPS, MOST_LEAP = 3, 100


@dataclass(frozen=True)
class Reading:
    """What a meter showed at a moment. `is_reset`: it was replaced or set back then, so that what
    it shows counts from there on."""

    at: datetime
    value: Decimal
    is_reset: bool = False


def advanced(readings: Iterable[Reading], since: datetime) -> Decimal:
    """Return by how much a meter has gone on since a moment: the sum of its steps after it. A
    replaced meter takes no step; the step over the moment counts whole."""
    total, last = Decimal(0), None
    for reading in sorted(readings, key=lambda r: r.at):
        if last is not None and not reading.is_reset and reading.at > since:
            total += max(Decimal(0), reading.value - last.value)
        last = reading
    return total


def most_to_read(readings: Iterable[Reading], unit: str, now: datetime) -> Decimal | None:
    """Return the most that a meter which only goes up can show now, so that a slip of the keyboard
    is told: in hours what it showed last, the hours since and one for rounding; else, after three
    steps, a hundred times the largest of them. None where too little is known."""
    steps: list[Decimal] = []
    last: Reading | None = None
    for reading in sorted(readings, key=lambda r: r.at):
        if last is not None and not reading.is_reset:
            steps.append(reading.value - last.value)
        last = reading
    if last is None:
        return None
    if unit.strip().lower() in HOUR_UNITS:
        hours = Decimal((now - last.at).total_seconds()) / HOUR
        return last.value + hours.quantize(Decimal("0.01"), ROUND_HALF_UP) + 1
    largest = max(steps, default=Decimal(0))
    return last.value + MOST_LEAP * largest if len(steps) >= LEAST_STEPS and largest else None


def hours_of(uses: Iterable[Period], since: datetime) -> Decimal:
    """Return the hours of use since a moment, to two decimals."""
    seconds = sum(max(0.0, (use.end - max(use.start, since)).total_seconds()) for use in uses)
    return (Decimal(seconds) / HOUR).quantize(Decimal("0.01"), ROUND_HALF_UP)


def standing(used: Decimal, limit: Decimal, warn_percent: int) -> str:
    """Return whether a counter has reached its limit, or so many per cent of it."""
    if used >= limit:
        return REACHED
    return NEAR if used * 100 >= limit * warn_percent else FINE
