"""The background work of areas: jobs of the timetable, effects of the outbox, and letters.

Each area lists its work in `TASKS`, in the module `tasks` of its package. It is not part of the manifest,
which every process reads when it starts: only workers, beat and the pages for operators need all these
services.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from celery.schedules import crontab
from django.conf import settings
from django.db.models import Count, Min, QuerySet

from accounts.areas import computed, modules
from accounts.letters.kinds import Kind
from accounts.models import FileJob, OutboxMessage


@dataclass(frozen=True)
class Job:
    """An entry of the timetable: the name of its task, the name of the entry, what operators call it, how
    often it is due (seconds or crontab), and the service to call with `now`.

    Names never change, because during an upgrade workers of two releases run side by side; so a task belongs
    to `bookings.tasks` unless its name gives another module. `is_single`: the job works over everything at
    once, and a second worker skips it while a first runs it. `goes_on`: the service does one piece of work
    and returns whether there was any; it is called again until there is none, or until the timetable is about
    to start the job again. `due`: returns how much work is due, and since when.
    """

    name: str
    entry: str
    words: object
    every: float | crontab
    service: Callable[..., object]
    _: KW_ONLY
    is_single: bool = False
    goes_on: bool = False
    due: Callable[[datetime], tuple[int, date | None]] | None = None

    @property
    def task(self) -> str:
        """Return the name of the task in Celery."""
        return self.name if "." in self.name else f"bookings.tasks.{self.name}"


type Rows = Callable[[datetime], QuerySet[Any] | Sequence[QuerySet[Any]]]


def waiting(rows: Rows, since: str) -> Callable[[datetime], tuple[int, date | None]]:
    """Return a function that counts the rows that are due at a moment and gives the earliest value of their
    field `since`."""

    def due(now: datetime) -> tuple[int, date | None]:
        parts = [part.order_by().aggregate(n=Count("pk"), oldest=Min(since)) for part in _several(rows(now))]
        return sum(part["n"] for part in parts), min(
            (part["oldest"] for part in parts if part["oldest"]), default=None
        )

    return due


def _several(rows: QuerySet[Any] | Sequence[QuerySet[Any]]) -> Sequence[QuerySet[Any]]:
    return [rows] if isinstance(rows, QuerySet) else rows


@dataclass(frozen=True)
class Kept:
    """A kind of record that is deleted after a time: what operators call it, the time `span` that it is kept
    from `since` on, and either the rows that have expired at a given moment, or the files made on demand.
    `least`: the fewest days that administrators may set in place of `span`; 0 if they may not.

    The trail and the books (bookings, charges, the ledger, statements) are never deleted.
    """

    kind: str
    words: object
    span: timedelta
    since: str
    rows: Rows | None = None
    _: KW_ONLY
    files: type[FileJob] | None = None
    least: int = 0

    def past(self, now: datetime) -> Sequence[QuerySet[Any]]:
        """Return the rows that have been kept long enough."""
        return _several(self.rows(now - self.span)) if self.rows else ()


class Handler(Protocol):
    """Carries out an effect of the outbox, and returns its outcome: `sent`, `done`, `skipped`."""

    def __call__(self, row: OutboxMessage, *, now: datetime) -> str: ...


def outcome(is_done: object) -> str:
    """Return the outcome of an effect: `done`, or `skipped` if there was nothing to do."""
    return "done" if is_done else "skipped"


@dataclass(frozen=True)
class Tasks:
    """The background work of one area: its jobs; the handlers of its effects, by the part of their kind
    before the first full stop; its tables of messages, which handle all other kinds; and the records that it
    keeps for a limited time."""

    jobs: tuple[Job, ...] = ()
    effects: Mapping[str, Handler] = field(default_factory=dict)
    letters: tuple[Mapping[str, Kind], ...] = ()
    keeps: tuple[Kept, ...] = ()


@computed
def tasks() -> list[Tasks]:
    """Return the background work of each area that has any, from bottom to top."""
    return [module.TASKS for module in modules("tasks")]


@computed
def jobs() -> dict[str, Job]:
    """Return the jobs of all areas by their entry in the timetable."""
    return {job.entry: job for each in tasks() for job in each.jobs}


@computed
def effects() -> dict[str, Handler]:
    """Return the handlers of effects that are not messages, by the first part of their kind."""
    return {kind: handler for each in tasks() for kind, handler in each.effects.items()}


@computed
def letters() -> dict[str, list[Kind]]:
    """Return the kinds of messages of all areas, by the kind of the outbox rows they are made from."""
    by_row: dict[str, list[Kind]] = {}
    for kind in (kind for each in tasks() for table in each.letters for kind in table.values()):
        by_row.setdefault(kind.on or kind.name, []).append(kind)
    return by_row


@computed
def kept() -> list[Kept]:
    """Return the kinds of record that are kept for a limited time. All others are kept for good."""
    return [kind for each in tasks() for kind in each.keeps]


@computed
def timetable() -> dict[str, dict[str, Any]]:
    """Return the timetable in the form that Celery beat reads."""
    return {entry: _scheduled(job) for entry, job in jobs().items()}


def _scheduled(job: Job) -> dict[str, Any]:
    options: dict[str, Any] = {"headers": {"timetable": job.entry}}
    if isinstance(job.every, float):
        # A run that starts late is dropped, because the next one finds the same work: workers that were
        # away catch up at once. Clocks of machines may differ a little.
        options["expires"] = max(600.0, 2 * job.every)
    return {"task": job.task, "schedule": job.every, "options": options}


def own_entries() -> list[str]:
    """Return the timetable entries of the default queue, leaving out those routed to other queues."""
    return [entry for entry, job in jobs().items() if job.task not in settings.CELERY_TASK_ROUTES]
