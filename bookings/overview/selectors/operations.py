"""Load what operators look at: queues, what is due for each job, when it last ran, what failed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Self

from accounts.selectors.jobs import Failure, Queue, TimetableEntry, failures, queues, runs
from accounts.work import Kept, jobs, kept, timetable


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
    failures: list[Failure]
    retention: list[Kept]

    @property
    def troubles(self) -> int:
        """Return the number of jobs and queues that need attention."""
        return Troubles.among(self.queues, self.entries).number


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


def load_troubles(now: datetime) -> Troubles:
    """Return only what needs attention, such as failed or overdue jobs, which loads less than
    `load_operations`. Four statements."""
    return Troubles.among(queues(now), runs(timetable(), now))


def load_operations(now: datetime, failing: str = "") -> Operations:
    """Return what operators look at; with `failing`, only failures of this kind or job."""
    return Operations(
        queues=queues(now),
        work=load_work(now),
        entries=runs(timetable(), now),
        failures=failures(failing),
        retention=kept(),
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
