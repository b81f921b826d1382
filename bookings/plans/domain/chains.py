"""Chains: steps on different instruments, in an order, with pauses of a given length in between.

Rules: docs/availability.md, "Chains". Each step is judged by the rules of its own instrument; since the
instruments differ, steps cannot block each other, and only their order connects them.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from accounts.domain.errors import FieldProblem, Invalid
from bookings.record.domain.periods import Period
from bookings.record.domain.steps import Gap

FEWEST_STEPS, MOST_STEPS = 2, 5
LONGEST_GAP = 43_200  # minutes: thirty days
# The longest span between the earliest start and the latest end.
MOST_DAYS = 62


def gaps_to_json(gaps: Sequence[Gap]) -> list[list[int | None]]:
    """Return pauses in the form in which a chain stores them; `gaps_from_json` reads them back."""
    return [[gap.least, gap.most] for gap in gaps]


@dataclass(frozen=True)
class Candidate:
    """A step to be scheduled: its length, the pause before it (ignored for the first step), every start that
    its instrument would accept, in order, and those of them that are suggested first."""

    minutes: int
    gap: Gap
    starts: Sequence[datetime]
    usual: Sequence[datetime] = ()

    @property
    def length(self) -> timedelta:
        return timedelta(minutes=self.minutes)


def require_gaps(gaps: Sequence[Gap]) -> None:
    """Raise `Invalid` if a pause has a minimum above its maximum."""
    problems = [
        FieldProblem(f"steps[{index}].gap_max", "gap-backwards", {"least": gap.least})
        for index, gap in enumerate(gaps)
        if gap.most is not None and gap.most < gap.least
    ]
    if problems:
        raise Invalid(problems)


def suggest(steps: Sequence[Candidate], most: int, *, together: bool = False) -> list[tuple[Period, ...]]:
    """Return the first few ways to schedule all steps whose first steps do not overlap. Ways at usual times
    come before all others. `together`: all steps begin at the same moment."""
    ways = find_together if together else find
    chosen: list[tuple[Period, ...]] = []
    for starts in ([step.usual for step in steps], [step.starts for step in steps]):
        candidates = [replace(s, starts=at) for s, at in zip(steps, starts, strict=True)]
        for way in ways(candidates):
            if len(chosen) == most:
                break
            if not any(way[0].meets(other[0]) for other in chosen):
                chosen.append(way)
    return chosen


def find(steps: Sequence[Candidate], most: int | None = None) -> list[tuple[Period, ...]]:
    """Return the first ways to schedule all steps in order, `most` at most: one for each start of the first
    step, from the earliest on. Of several ways with the same first start it is the one that ends soonest,
    then the one whose steps begin soonest.

    The start of each step that leads to the soonest end is computed from the last step backwards; the starts
    that a pause allows are a window that only moves forward, so the time needed grows with the number of
    starts, not with that of their combinations.
    """
    if not steps:
        return []
    ends: list[datetime | None] = [start + steps[-1].length for start in steps[-1].starts]
    onward: list[list[int | None]] = []
    for step, following in zip(reversed(steps[:-1]), reversed(steps[1:]), strict=True):
        chosen = _soonest(step, following, ends)
        onward.insert(0, chosen)
        ends = [None if j is None else ends[j] for j in chosen]
    ways = []
    for first, end in enumerate(ends):
        if end is None:
            continue
        periods, at = [], first
        for index, step in enumerate(steps):
            start = step.starts[at]
            periods.append(Period(start, start + step.length))
            if index < len(onward):
                at = onward[index][at] or 0  # there is one, since there is an end
        ways.append(tuple(periods))
        if len(ways) == most:
            break
    return ways


def find_together(steps: Sequence[Candidate], most: int | None = None) -> list[tuple[Period, ...]]:
    """Return the ways in which all steps, each with its own length, begin at the same moment; `most` at most,
    the earliest first. Pauses are ignored."""
    if not steps:
        return []
    common = set(steps[0].starts).intersection(*(step.starts for step in steps[1:]))
    return [tuple(Period(start, start + step.length) for step in steps) for start in sorted(common)[:most]]


def _soonest(step: Candidate, following: Candidate, ends: Sequence[datetime | None]) -> list[int | None]:
    """Return, for each start of a step, the index of the start of the following step that the pause allows
    and that leads to the soonest end; None if there is none."""
    starts, gap = following.starts, following.gap
    window: deque[int] = deque()  # ends rise from left to right; the soonest is the leftmost
    taken = 0
    chosen: list[int | None] = []
    for start in step.starts:
        over = start + step.length
        low = bisect_left(starts, over + timedelta(minutes=gap.least))
        high = len(starts)
        if gap.most is not None:
            high = bisect_right(starts, over + timedelta(minutes=gap.most))
        while taken < high:
            end = ends[taken]
            if end is not None:
                while window and _later(ends[window[-1]], end):
                    window.pop()
                window.append(taken)
            taken += 1
        while window and window[0] < low:
            window.popleft()
        chosen.append(window[0] if window else None)
    return chosen


def _later(one: datetime | None, other: datetime) -> bool:
    return one is not None and one > other
