"""What meters count, and how near a maintenance counter is to its limit."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from bookings.record.domain.periods import Period

FINE, NEAR, REACHED = STANDINGS = ("fine", "near", "reached")
HOUR = Decimal(3600)


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


def hours_of(uses: Iterable[Period], since: datetime) -> Decimal:
    """Return the hours of use since a moment, to two decimals."""
    seconds = sum(max(0.0, (use.end - max(use.start, since)).total_seconds()) for use in uses)
    return (Decimal(seconds) / HOUR).quantize(Decimal("0.01"), ROUND_HALF_UP)


def standing(used: Decimal, limit: Decimal, warn_percent: int) -> str:
    """Return whether a counter has reached its limit, or so many per cent of it."""
    if used >= limit:
        return REACHED
    return NEAR if used * 100 >= limit * warn_percent else FINE
