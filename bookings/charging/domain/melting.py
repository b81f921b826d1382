"""Reduce a late-cancellation fee by the part of the freed time that others used (docs/fees.md)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bookings.availability.domain.bands import minute_of
from bookings.record.domain.money import percentage, proportion

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Melted:
    """A fee reduction: the part of the fee, and of its tax, that is taken off because others used `used` of
    the period's `minutes`."""

    minutes: int
    used: int
    fee: Decimal
    tax: Decimal


def used_minutes(period: Span, spans: Iterable[Span]) -> int:
    """Return how many minutes of the period any of the spans covers, counting each minute once and dropping
    seconds."""
    first, last = minute_of(period[0]), minute_of(period[1])
    until, used = first, 0
    for start, end in sorted((minute_of(start), minute_of(end)) for start, end in spans):
        start, end = max(start, until), min(end, last)
        if end > start:
            used += end - start
            until = end
    return used


def melt(*, fee: Decimal, tax: Decimal, currency: str, period: Span, used: Iterable[Span]) -> Melted:
    """Return the reduction of a fee in proportion to the minutes that others were charged for on the unit
    (`used`). The remaining fee is fee x (minutes not charged to others / minutes), rounded once; the tax is
    reduced in the same proportion."""
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
    """Return what is left of a cancellation fee after the waived percentage, and the tax on the rest."""
    owed = fee - percentage(waived_percent, fee, currency)
    return owed, percentage(tax_percent, owed, currency)
