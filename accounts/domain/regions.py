"""In which region an organisation lies on a day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Move[R]:
    """From the local day `starts_on` on it lies in `region`, before it in `from_region`."""

    starts_on: date
    from_region: R
    region: R


def regions_held[R](moves: Iterable[Move[R]], today_region: R) -> list[tuple[date, date | None, R]]:
    """Return each region with the days [first, until) on which it lies there, all days in order."""
    known = sorted(moves, key=lambda move: move.starts_on)
    firsts = [date.min, *(move.starts_on for move in known)]
    regions = [known[0].from_region if known else today_region, *(move.region for move in known)]
    return list(zip(firsts, [*firsts[1:], None], regions, strict=True))


def region_on[R](moves: Iterable[Move[R]], day: date, today_region: R) -> R:
    """Return the region on a day by the moves that stand, carried out or ahead: that of the last
    that has begun; before the first the one it leaves; without any the region of today."""
    held = regions_held(moves, today_region)
    return next(region for first, _, region in reversed(held) if first <= day)
