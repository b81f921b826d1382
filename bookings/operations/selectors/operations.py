"""Load what operators look at: queues, what is due for each job, when it last ran."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Self

from accounts.selectors.jobs import Queue, TimetableEntry, queues, runs
from accounts.work import Kept, jobs, timetable
from bookings.privacy.selectors.periods import load_kept


@dataclass(frozen=True)
class Work:
    """The due work of a job (an entry of the timetable): how much there is, and since when it is due."""

    name: str
    count: int
    oldest: datetime | None


@dataclass(frozen=True)
class Operations:
    """The state of the background work at one moment."""

    queues: list[Queue]
    work: list[Work]
    entries: list[TimetableEntry]
    retention: list[Kept]


@dataclass(frozen=True)
class Troubles:
    """Entries of the timetable that need attention, and queues with effects that were given up."""

    entries: list[TimetableEntry]
    queues: list[Queue]

    @classmethod
    def among(cls, queues: Iterable[Queue], entries: Iterable[TimetableEntry]) -> Self:
        return cls(
            [each for each in entries if each.is_overdue or each.is_broken or each.has_failed],
            [queue for queue in queues if queue.failed],
        )

    @property
    def number(self) -> int:
        """Return the number of jobs and queues that need attention."""
        return len(self.entries) + sum(queue.failed for queue in self.queues)


def load_operations(now: datetime) -> Operations:
    """Return what operators look at besides failures."""
    return Operations(
        queues=queues(now),
        work=load_work(now),
        entries=runs(timetable(), now),
        retention=load_kept(now.date()),
    )


def load_work(now: datetime) -> list[Work]:
    """Return what is due for each kind of job. One statement each; three for bookings to complete."""
    counts = [(entry, *job.due(now)) for entry, job in jobs().items() if job.due]
    return [
        Work(entry, count, oldest if isinstance(oldest, datetime) else _midnight(oldest))
        for entry, count, oldest in counts
    ]


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None
