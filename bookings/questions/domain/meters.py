"""Compute by how much meters have gone on, and how near a maintenance counter is to its limit."""

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
    """A reading of a meter. `is_reset`: the meter was replaced or set back at that time, so it continues from
    this value."""

    at: datetime
    value: Decimal
    is_reset: bool = False


def advanced(readings: Iterable[Reading], since: datetime) -> Decimal:
    """Return by how much a meter has gone on since a moment: the sum of the steps between its readings after
    that. Replacing the meter adds nothing; the step that spans the moment counts in full."""
    total, last = Decimal(0), None
    for reading in sorted(readings, key=lambda r: r.at):
        if last is not None and not reading.is_reset and reading.at > since:
            total += max(Decimal(0), reading.value - last.value)
        last = reading
    return total


def most_to_read(readings: Iterable[Reading], unit: str, now: datetime) -> Decimal | None:
    """Return the most that a meter which only goes up can show now, to detect typing errors: the last reading
    and, for hours, the hours since and one for rounding; for other units, after three steps, a hundred times
    the largest step. None if too few readings are known."""
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
    """Return the standing of a counter: at its limit, at `warn_percent` per cent of it or more, or below
    that."""
    if used >= limit:
        return REACHED
    return NEAR if used * 100 >= limit * warn_percent else FINE
