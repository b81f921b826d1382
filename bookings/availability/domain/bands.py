"""Minutes of a period, by rate card band, local day and tier (docs/fees.md, steps 1 and 2).

Minutes are whole elapsed minutes since 1970 UTC: clock changes are behind us once a band's
wall-clock hours have become such a span. The work grows with days x bands, not with minutes.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from instruments.domain.opening import instant, local_date
from instruments.domain.ratecards import Band, Tier

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """Minutes [start, end) of one local day under one band (its index; None: outside all)."""

    start: int
    end: int
    band: int | None
    day: date


def minute_of(moment: datetime) -> int:
    """Whole minutes since 1970 UTC of an aware instant, its seconds cut off."""
    return (moment - EPOCH) // MINUTE


def local_day(minute: int, zone: ZoneInfo) -> date:
    return local_date(zone, EPOCH + minute * MINUTE)


def band_spans(
    bands: Sequence[Band], zone: ZoneInfo, holidays: Set[date], start: int, end: int
) -> list[Span]:
    """The minutes [start, end) in order, cut wherever the first covering band or the day changes.

    `end` is after `start`. Neighbours may be alike.
    """
    changes: dict[int, list[tuple[int, int]]] = defaultdict(list)
    # Two days back: a night band opens the day before, and its closing may fall into a gap.
    day = local_day(start, zone) - 2 * DAY
    while day <= local_day(end, zone):
        changes[minute_of(instant(zone, day, 0))]  # a cut at local midnight
        for index, band in enumerate(bands):
            if day.isoweekday() in band.weekdays or (band.holidays and day in holidays):
                closing_day = day if band.closes > band.opens else day + DAY
                opens = minute_of(instant(zone, day, band.opens))
                closes = minute_of(instant(zone, closing_day, band.closes, closing=True))
                if opens < closes:  # a clock change can swallow a band
                    changes[opens].append((index, 1))
                    changes[closes].append((index, -1))
        day += DAY
    return _sweep(changes, len(bands), zone, start, end)


def _sweep(
    changes: dict[int, list[tuple[int, int]]], bands: int, zone: ZoneInfo, start: int, end: int
) -> list[Span]:
    # A count, not a flag: in a repeated hour a band of today can overlap itself of yesterday.
    covering = [0] * bands
    spans = []
    for minute in [*sorted(minute for minute in changes if minute < end), end]:
        if minute > start:
            band = next((index for index, count in enumerate(covering) if count), None)
            spans.append(Span(start, minute, band, local_day(start, zone)))
            start = minute
        for index, step in changes.get(minute, ()):
            covering[index] += step
    return spans


def split_minutes(
    spans: Iterable[Span], tiers: Sequence[Tier], daily_cap: int | None
) -> tuple[dict[tuple[int | None, int], int], int]:
    """Charged minutes per (band, tier index) in order of first appearance, and the free ones.

    Free are those of a local day beyond `daily_cap`; they still count for the tiers. No tiers
    is one tier.
    """
    starts = [tier.after_minutes for tier in tiers] or [0]
    bounds = list(zip(starts, [*starts[1:], None], strict=True))
    charged: dict[tuple[int | None, int], int] = defaultdict(int)
    charged_of_day: dict[date, int] = defaultdict(int)
    position = free = 0
    for span in spans:
        length = span.end - span.start
        paid = length
        if daily_cap is not None:
            paid = min(length, daily_cap - charged_of_day[span.day])
        for index, (after, until) in enumerate(bounds):
            reach = position + paid if until is None else min(position + paid, until)
            if reach > max(position, after):
                charged[span.band, index] += reach - max(position, after)
        charged_of_day[span.day] += paid
        free += length - paid
        position += length
    return dict(charged), free
