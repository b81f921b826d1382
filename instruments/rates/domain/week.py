"""Show which price of a rate card holds in which hour of a week (docs/fees.md, Rate card)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from instruments.rates.domain.ratecards import Band, RateCardValues

DAY = 24 * 60
WEEK = 7 * DAY
LEVELS = 3  # shades on either side of the plain rate
ONE = Decimal(1)


@dataclass(frozen=True)
class BandMinutes:
    """The number of minutes of an hour under one band. `band` is its index in the card, None outside all
    bands."""

    band: int | None
    minutes: int


@dataclass(frozen=True)
class Week:
    """The bands of a rate card by hour. `hours[h][d]`: the parts of hour h (0 to 23) on weekday d (0 is
    Monday), in order.

    `holidays[h]`: the same on a public holiday; a part is None where no holiday band covers it, and the
    weekday's counts. It is empty if no band opens on holidays. Times are wall-clock times: on days of a clock
    change hours are missing or come twice.
    """

    hours: tuple[tuple[tuple[BandMinutes, ...], ...], ...]
    holidays: tuple[tuple[BandMinutes, ...], ...]
    levels: dict[int | None, int]

    def level(self, band: int | None) -> int:
        """Return the price level of a band, from -3 (cheapest) over 0 (the plain rate) to 3 (dearest)."""
        return self.levels[band]


def week_of(card: RateCardValues) -> Week:
    """Return the week of a card with hourly rates. A card with rates per sample has no bands."""
    bands = card.bands if card.rate_unit == "hour" else ()
    minutes: list[int | None] = [None] * WEEK
    holiday: list[int | None] = [None] * DAY
    # The first band that covers a minute wins, so it is painted last.
    for index in reversed(range(len(bands))):
        band = bands[index]
        for weekday in band.weekdays:
            _paint(minutes, (weekday - 1) * DAY + band.opens, _length(band), index)
        if band.holidays:
            end = min(band.opens + _length(band), DAY)
            holiday[band.opens : end] = [index] * (end - band.opens)
    return Week(
        hours=tuple(
            tuple(_parts(minutes[day * DAY + hour * 60 : day * DAY + hour * 60 + 60]) for day in range(7))
            for hour in range(24)
        ),
        holidays=tuple(_parts(holiday[hour * 60 : hour * 60 + 60]) for hour in range(24))
        if any(band.holidays for band in bands)
        else (),
        levels=_levels(bands),
    )


def _length(band: Band) -> int:
    length = band.closes - band.opens
    return length if length > 0 else length + DAY


def _paint(minutes: list[int | None], start: int, length: int, index: int) -> None:
    """Set `length` minutes from `start` to a band; beyond the end of the week it continues at the
    beginning."""
    end = start + length
    minutes[start : min(end, WEEK)] = [index] * (min(end, WEEK) - start)
    if end > WEEK:
        minutes[: end - WEEK] = [index] * (end - WEEK)


def _parts(minutes: Sequence[int | None]) -> tuple[BandMinutes, ...]:
    return tuple(BandMinutes(band, len(list(same))) for band, same in groupby(minutes))


def _levels(bands: Sequence[Band]) -> dict[int | None, int]:
    """Return the price level of each band: 1 for the multiplier nearest to the plain rate, then 2, and 3 for
    all others; negative below it."""
    below = sorted({b.multiplier for b in bands if b.multiplier < ONE}, reverse=True)
    above = sorted({b.multiplier for b in bands if b.multiplier > ONE})
    shades = {multiplier: -min(n, LEVELS) for n, multiplier in enumerate(below, 1)}
    shades |= {multiplier: min(n, LEVELS) for n, multiplier in enumerate(above, 1)}
    levels: dict[int | None, int] = {
        index: shades.get(band.multiplier, 0) for index, band in enumerate(bands)
    }
    return levels | {None: 0}
