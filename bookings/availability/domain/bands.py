"""Count the minutes of a period by rate card band, local day and tier (docs/fees.md, steps 1 and 2).

Minutes are whole elapsed minutes since 1970 UTC, so clock changes no longer matter once a band's wall-clock
hours have become such a span. The work grows with days x bands, not with minutes.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from instruments.rates.domain.ratecards import Band, Tier
from instruments.reading.domain.clock import instant, local_date

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """The minutes [start, end) of one local day that fall into one band (its index; None: into no band)."""

    start: int
    end: int
    band: int | None
    day: date


def minute_of(moment: datetime) -> int:
    """Return the whole minutes since 1970 UTC of an aware instant, dropping its seconds."""
    return (moment - EPOCH) // MINUTE


def local_day(minute: int, zone: ZoneInfo) -> date:
    return local_date(zone, EPOCH + minute * MINUTE)


def band_spans(
    bands: Sequence[Band], zone: ZoneInfo, holidays: Set[date], start: int, end: int
) -> list[Span]:
    """Return the minutes [start, end) in order, cut wherever the first matching band or the day changes.

    `end` is after `start`. Neighbouring spans may have the same band and day.
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
    # A count, not a flag: in a repeated hour, today's band can overlap yesterday's.
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
    """Return the charged minutes by (band, tier index), in order of first appearance, and the number of free
    ones.

    Minutes of a local day beyond `daily_cap` are free, but still count for the tiers. Without tiers all
    minutes are in tier 0.
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
