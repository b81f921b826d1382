"""The order of the steps of a chain."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from bookings.record.domain.periods import Period


@dataclass(frozen=True)
class Gap:
    """The pause between two steps, in minutes from the end of one to the start of the next; `most` None: no
    limit."""

    least: int = 0
    most: int | None = None

    def admits(self, end: datetime, start: datetime) -> bool:
        pause = start - end
        return pause >= timedelta(minutes=self.least) and (
            self.most is None or pause <= timedelta(minutes=self.most)
        )


def gaps_from_json(data: Sequence[Sequence[int | None]]) -> list[Gap]:
    return [Gap(least or 0, most) for least, most in data]


@dataclass(frozen=True)
class Placed:
    """A step that has its time; `step` counts from 1."""

    step: int
    period: Period


def is_in_order(placed: Sequence[Placed], gaps: Sequence[Gap]) -> bool:
    """Say whether the remaining steps follow each other. The pause between two neighbours must keep to their
    gap; if a step between them was given up, only their order counts. `gaps[0]` is the gap before step 2."""
    rows = sorted(placed, key=lambda p: p.step)
    for before, after in pairwise(rows):
        gap = gaps[after.step - 2] if after.step == before.step + 1 else Gap()
        if not gap.admits(before.period.end, after.period.start):
            return False
    return True
