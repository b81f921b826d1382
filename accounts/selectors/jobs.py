"""Read when the timetable's jobs ran, and what failed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from celery.schedules import crontab
from django.db.models import Count, Max, Min, Q, QuerySet
from django.db.models.functions import Coalesce

from accounts.models import JobFailure, JobRun, OutboxMessage

# A call of a webhook that failed has no error here: its delivery says why, and when it is tried again.
FAILING = (Q(outcome="failed") | Q(done_at=None)) & ~Q(last_error="")
FAILED = Q(outcome="failed") & ~Q(last_error="")  # effects that were given up after all attempts
MOST = 200  # failures shown at once
CLOCK = "clock"  # the run that says when the timetable was started
LONGEST = timedelta(hours=1)  # the time limit of a job


@dataclass(frozen=True)
class Failure:
    """Work that failed: an effect, a thing of a job, or what an area has as failed. `due_at` is when it is
    tried again; None means never by itself. `named` holds the ids of records that it is about, by kind or
    (where the kind is not known) under an empty name, and `to` the address it was for."""

    id: UUID
    name: str
    about: str
    attempts: int
    error: str
    last_at: datetime
    due_at: datetime | None
    first_at: datetime
    to: str = ""
    named: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FailedText:
    """How many effects, or things of one job, failed with the same text; `ended` are not tried again."""

    name: str
    error: str
    number: int
    ended: int
    first_at: datetime
    last_at: datetime
    due_at: datetime | None
    is_job: bool


@dataclass(frozen=True)
class Queue:
    """The effects of one kind: how many are due and since when (`oldest`), how many are due `later`, how many
    of these two failed before (`retried`), and how many were given up (`failed`)."""

    kind: str
    lane: str
    due: int
    oldest: datetime | None
    later: int
    retried: int
    failed: int


@dataclass(frozen=True)
class TimetableEntry:
    """An entry of the timetable with its last run. `done_at`: its last success; `due_at`: when it is due
    again; `is_broken`: the worker of its last run died; `has_failed`: its last run failed."""

    name: str
    run: JobRun | None
    done_at: datetime | None
    due_at: datetime | None
    is_overdue: bool
    is_broken: bool
    has_failed: bool


def held_back(job: str, now: datetime) -> QuerySet[JobFailure, Any]:
    """Return the ids of things that failed in a job and are not to be tried again yet."""
    return JobFailure.objects.filter(job=job, due_at__gt=now).values("object_id")


def failures(name: str = "") -> list[Failure]:
    """Return the effects and things of jobs that failed, whether given up or to be tried again, latest first;
    with `name`, those of one kind of effect or one job."""
    rows = OutboxMessage.objects.filter(FAILING)
    noted = JobFailure.objects.all()
    if name:
        rows, noted = rows.filter(kind=name), noted.filter(job=name)
    failed = [
        Failure(
            id=row.pk,
            name=row.kind,
            about=row.key,
            attempts=row.attempts,
            error=row.last_error,
            last_at=row.tried_at or row.created_at,
            due_at=row.due_at if row.done_at is None else None,
            first_at=row.created_at,
            named={
                key.replace("_", ""): str(value) for key, value in row.payload.items() if key != "private"
            },
        )
        for row in rows.order_by("-tried_at")[:MOST]
    ]
    failed += [
        Failure(
            id=row.pk,
            name=row.job,
            about=str(row.object_id),
            attempts=row.attempts,
            error=row.last_error,
            last_at=row.last_at,
            due_at=row.due_at,
            first_at=row.first_at,
            named={"": str(row.object_id)},
        )
        for row in noted.order_by("-last_at")[:MOST]
    ]
    return sorted(failed, key=lambda failure: failure.last_at, reverse=True)[:MOST]


def failed_texts() -> list[FailedText]:
    """Return all failures of effects and jobs, added up by what they are called and by their text. Two
    statements."""
    ended = Q(outcome="failed")
    effects = (
        OutboxMessage.objects.filter(FAILING)
        .values_list("kind", "last_error")
        .annotate(
            number=Count("pk"),
            ended=Count("pk", filter=ended),
            first=Min("created_at"),
            last=Max(Coalesce("tried_at", "created_at")),
            due=Min("due_at", filter=~ended),
        )
        .order_by()
    )
    things = (
        JobFailure.objects.values_list("job", "last_error")
        .annotate(number=Count("pk"), first=Min("first_at"), last=Max("last_at"), due=Min("due_at"))
        .order_by()
    )
    texts = [
        FailedText(name, error, number, ended_number, first, last, due, is_job=False)
        for name, error, number, ended_number, first, last, due in effects
    ]
    for name, error, number, first, last, due in things:
        texts.append(FailedText(name, error, number, 0, first, last, due, is_job=True))
    return texts


def failing_by_job() -> dict[str, int]:
    """Return how many things failed in each job."""
    return dict(JobFailure.objects.values_list("job").annotate(n=Count("pk")).order_by("job"))


def queues(now: datetime) -> list[Queue]:
    """Return the outbox summed up by kind. It takes one statement."""
    waiting = Q(done_at=None)
    rows = (
        OutboxMessage.objects.filter(waiting | FAILED)
        .values("kind", "lane")
        .annotate(
            due=Count("pk", filter=waiting & Q(due_at__lte=now)),
            oldest=Min("due_at", filter=waiting & Q(due_at__lte=now)),
            later=Count("pk", filter=waiting & Q(due_at__gt=now)),
            retried=Count("pk", filter=waiting & ~Q(last_error="")),
            failed=Count("pk", filter=FAILED),
        )
        .order_by("lane", "kind")
    )
    return [Queue(**row) for row in rows]


def effects_due(now: datetime, *lanes: str) -> QuerySet[OutboxMessage]:
    """Return the effects in these lanes that are due."""
    return OutboxMessage.objects.filter(done_at=None, due_at__lte=now, lane__in=lanes)


def runs(timetable: Mapping[str, Any], now: datetime) -> list[TimetableEntry]:
    """Return each entry of the timetable with its last run. It takes three statements."""
    last = {
        row.entry: row for row in JobRun.objects.order_by("entry", "-started_at", "-pk").distinct("entry")
    }
    done = dict(
        JobRun.objects.filter(outcome=JobRun.Outcome.DONE).values_list("entry").annotate(at=Max("started_at"))
    )
    since = JobRun.objects.aggregate(first=Min("started_at"))["first"]
    # What ran while nothing did is not late: the clock that was started goes on from there.
    started = last[CLOCK].started_at if CLOCK in last else None
    return [
        TimetableEntry(
            name=name,
            run=(run := last.get(name)),
            done_at=done.get(name),
            due_at=(
                due := _next(
                    entry["schedule"],
                    max(filter(None, (run.started_at if run else since, started)), default=None),
                )
            ),
            is_overdue=due is not None and now > due + _grace(entry["schedule"]),
            is_broken=run is not None and run.ended_at is None and now - run.started_at > LONGEST,
            has_failed=run is not None and run.outcome == JobRun.Outcome.FAILED,
        )
        for name, entry in timetable.items()
    ]


def last_run(entries: Collection[str]) -> datetime | None:
    """Return when a worker last began a run of one of these entries of the timetable."""
    rows = JobRun.objects.filter(entry__in=entries)
    moment: datetime | None = rows.aggregate(last=Max("started_at"))["last"]
    return moment


def _next(timing: Any, last: datetime | None) -> datetime | None:
    """Return when an entry of the timetable is due again after a run; None if it never ran."""
    if last is None:
        return None
    if isinstance(timing, crontab):
        start, ahead, _ = timing.remaining_delta(last)
        moment: datetime = start + ahead
        return moment
    return last + timedelta(seconds=float(timing))


def _grace(timing: Any) -> timedelta:
    """Return how late an entry of the timetable may be before somebody should look."""
    if isinstance(timing, crontab):
        return timedelta(minutes=15)
    return timedelta(seconds=max(2 * float(timing), 180))
