"""Determine the region to which an organisation belongs on a given day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Move[R]:
    """A move of an organisation: it belongs to `from_region` before the local day `starts_on`, and to
    `region` from then on."""

    starts_on: date
    from_region: R
    region: R


def regions_held[R](moves: Iterable[Move[R]], today_region: R) -> list[tuple[date, date | None, R]]:
    """Return each region with the days [first, until) on which the organisation belongs to it, in order of
    time."""
    known = sorted(moves, key=lambda move: move.starts_on)
    firsts = [date.min, *(move.starts_on for move in known)]
    regions = [known[0].from_region if known else today_region, *(move.region for move in known)]
    return list(zip(firsts, [*firsts[1:], None], regions, strict=True))


def region_on[R](moves: Iterable[Move[R]], day: date, today_region: R) -> R:
    """Return the organisation's region on a day, from its moves, both carried out and planned. Without moves,
    it is the region of today."""
    held = regions_held(moves, today_region)
    return next(region for first, _, region in reversed(held) if first <= day)
