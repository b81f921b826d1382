"""A week by the bands of a rate card: which price holds in which hour (docs/fees.md, Rate card)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from instruments.domain.ratecards import Band, RateCardValues

DAY = 24 * 60
WEEK = 7 * DAY
LEVELS = 3  # shades on either side of the plain rate
ONE = Decimal(1)


@dataclass(frozen=True)
class Part:
    """So many minutes of an hour under one band: its index in the card; None outside all."""

    band: int | None
    minutes: int


@dataclass(frozen=True)
class Week:
    """`hours[h][d]`: the parts of hour h (0 to 23) on weekday d (0 is Monday), in order.

    `holidays[h]`: the same on a public holiday, None where no band of holidays covers it: there
    the weekday counts. Empty where no band opens on holidays. Times are the wall clock's: on
    days of a clock change hours are missing or come twice.
    """

    hours: tuple[tuple[tuple[Part, ...], ...], ...]
    holidays: tuple[tuple[Part, ...], ...]
    levels: dict[int | None, int]

    def level(self, band: int | None) -> int:
        """Return the price level, from -3 (cheapest) over 0 (the plain rate) to 3 (dearest)."""
        return self.levels[band]


def week_of(card: RateCardValues) -> Week:
    """Return the week of a card by the hour; by the sample there are no bands."""
    bands = card.bands if card.rate_unit == "hour" else ()
    minutes: list[int | None] = [None] * WEEK
    holiday: list[int | None] = [None] * DAY
    # The first that covers a minute wins: painted last.
    for index in reversed(range(len(bands))):
        band = bands[index]
        for weekday in band.weekdays:
            _paint(minutes, (weekday - 1) * DAY + band.opens, _length(band), index)
        if band.holidays:
            end = min(band.opens + _length(band), DAY)
            holiday[band.opens : end] = [index] * (end - band.opens)
    return Week(
        hours=tuple(
            tuple(
                _parts(minutes[day * DAY + hour * 60 : day * DAY + hour * 60 + 60])
                for day in range(7)
            )
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
    """Round the end of the week to its beginning."""
    end = start + length
    minutes[start : min(end, WEEK)] = [index] * (min(end, WEEK) - start)
    if end > WEEK:
        minutes[: end - WEEK] = [index] * (end - WEEK)


def _parts(minutes: Sequence[int | None]) -> tuple[Part, ...]:
    return tuple(Part(band, len(list(same))) for band, same in groupby(minutes))


def _levels(bands: Sequence[Band]) -> dict[int | None, int]:
    """Return shades by price: the nearer to the plain rate the paler; beyond the third all
    alike."""
    below = sorted({b.multiplier for b in bands if b.multiplier < ONE}, reverse=True)
    above = sorted({b.multiplier for b in bands if b.multiplier > ONE})
    shades = {multiplier: -min(n, LEVELS) for n, multiplier in enumerate(below, 1)}
    shades |= {multiplier: min(n, LEVELS) for n, multiplier in enumerate(above, 1)}
    levels: dict[int | None, int] = {
        index: shades.get(band.multiplier, 0) for index, band in enumerate(bands)
    }
    return levels | {None: 0}
