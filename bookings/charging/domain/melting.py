"""A late-cancellation fee melts by what others used of the freed time (docs/fees.md)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bookings.availability.domain.bands import minute_of
from bookings.record.domain.money import percentage, proportion

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Melted:
    """What is taken off a fee and off the tax on it, for `used` of the `minutes` of a period."""

    minutes: int
    used: int
    fee: Decimal
    tax: Decimal


def used_minutes(period: Span, spans: Iterable[Span]) -> int:
    """Minutes of the period that any of the spans covers, each counted once; seconds cut off."""
    first, last = minute_of(period[0]), minute_of(period[1])
    until, used = first, 0
    for start, end in sorted((minute_of(start), minute_of(end)) for start, end in spans):
        start, end = max(start, until), min(end, last)
        if end > start:
            used += end - start
            until = end
    return used


def melt(
    *, fee: Decimal, tax: Decimal, currency: str, period: Span, used: Iterable[Span]
) -> Melted:
    """What remains is fee x (minutes not charged to others / minutes), rounded once, and tax in
    the same proportion; the rest melts. `used`: what others were charged for on the unit."""
    minutes = minute_of(period[1]) - minute_of(period[0])
    taken = used_minutes(period, used)
    if minutes <= 0 or not taken:
        return Melted(max(minutes, 0), 0, Decimal(0), Decimal(0))
    left = minutes - taken
    return Melted(
        minutes=minutes,
        used=taken,
        fee=fee - proportion(fee, left, minutes, currency),
        tax=tax - proportion(tax, left, minutes, currency),
    )


def fee_that_melts(
    fee: Decimal, *, tax_percent: Decimal, waived_percent: Decimal, currency: str
) -> tuple[Decimal, Decimal]:
    """Return the fee of a cancellation charge, less what was waived of it, and the tax on that."""
    owed = fee - percentage(waived_percent, fee, currency)
    return owed, percentage(tax_percent, owed, currency)
