"""Half-open periods of instants, and their arithmetic."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, order=True)
class Period:
    """The period [start, end) of two aware instants, start before end."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a period needs aware instants")
        if self.end <= self.start:
            raise ValueError("a period ends after it starts")

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    @property
    def minutes(self) -> int:
        """Return the whole minutes of the period."""
        return int(self.length.total_seconds() // 60)

    def meets(self, other: "Period") -> bool:
        """Say whether the two periods overlap; touching ends do not count."""
        return self.start < other.end and other.start < self.end

    def contains(self, other: "Period") -> bool:
        return self.start <= other.start and other.end <= self.end

    def padded(self, before_minutes: int, after_minutes: int) -> "Period":
        """Return the period widened by buffers."""
        return Period(
            self.start - timedelta(minutes=before_minutes), self.end + timedelta(minutes=after_minutes)
        )


def clip(start: datetime, end: datetime, within: Period) -> Period | None:
    """Return the part of [start, end) inside `within`; None if there is none."""
    low, high = max(start, within.start), min(end, within.end)
    return Period(low, high) if low < high else None


def coming(start: datetime, end: datetime, now: datetime) -> Period | None:
    """Return the part of [start, end) from `now` on; None if there is none."""
    start = max(start, now)
    return Period(start, end) if start < end else None


def union(periods: Iterable[Period]) -> list[Period]:
    """Return the union of periods, sorted and disjoint; touching ones become one."""
    result: list[Period] = []
    for period in sorted(periods):
        if result and period.start <= result[-1].end:
            if period.end > result[-1].end:
                result[-1] = Period(result[-1].start, period.end)
        else:
            result.append(period)
    return result


def subtract(these: Iterable[Period], those: Iterable[Period]) -> list[Period]:
    """Return the time in `these` that none of `those` covers."""
    result = union(these)
    for cut in union(those):
        pieces: list[Period] = []
        for period in result:
            if not period.meets(cut):
                pieces.append(period)
                continue
            if period.start < cut.start:
                pieces.append(Period(period.start, cut.start))
            if cut.end < period.end:
                pieces.append(Period(cut.end, period.end))
        result = pieces
    return result


def intersect(these: Iterable[Period], those: Iterable[Period]) -> list[Period]:
    """Return the time that lies in both."""
    left, right = union(these), union(those)
    result: list[Period] = []
    i = j = 0
    while i < len(left) and j < len(right):
        if part := clip(left[i].start, left[i].end, right[j]):
            result.append(part)
        if left[i].end < right[j].end:
            i += 1
        else:
            j += 1
    return result


def total_minutes(periods: Iterable[Period]) -> int:
    return sum(period.minutes for period in periods)
