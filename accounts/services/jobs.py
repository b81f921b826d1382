"""Carry out what a job finds due, one thing after another, so that none waits for another or stops it.

Each thing is a transaction of its own that takes its lock only if it is free. A failure is noted with the
time of the next try, and the thing is skipped until then. It is never given up, because the books are wrong
until nothing is missing.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from threading import Event, Thread
from typing import Any
from uuid import UUID, uuid4

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Now

from accounts import trail
from accounts.database import is_away, is_busy
from accounts.domain.errors import WrongState, invalid
from accounts.domain.jobs import Busy, again_in
from accounts.domain.roles import By, Place
from accounts.models import JobFailure, JobRun, Lease, OutboxMessage
from accounts.notifications import TASKS, nudge
from accounts.permissions import require
from accounts.selectors.jobs import FAILING, held_back
from accounts.selectors.rows import visible
from accounts.trail import Change

log = logging.getLogger(__name__)
LEASE = 60.0  # seconds


def work_through(
    *,
    job: str,
    due: Collection[UUID] | QuerySet[Any],
    act: Callable[[UUID], int],
    now: datetime,
    most: int | None = None,
) -> int:
    """Call `act` on everything that is due, given as ids or rows, and return the sum of its results. At most
    `most` rows are taken, not counting those that failed and wait for their next try. `act` locks what it
    needs and raises `Busy` if another holds it, checks again that the thing is still due, and returns how
    many things it did. Notes of failures that are no longer due are deleted."""
    if isinstance(due, QuerySet):
        free = due.exclude(pk__in=held_back(job, now))
        due = list(free.values_list("pk", flat=True)[:most])
    failed = dict(JobFailure.objects.filter(job=job).values_list("object_id", "due_at"))
    if gone := {pk for pk, again in failed.items() if again <= now}.difference(due):
        JobFailure.objects.filter(job=job, object_id__in=gone).delete()
    done = 0
    for pk in due:
        if pk in failed and failed[pk] > now:
            continue
        try:
            with transaction.atomic():
                done += act(pk)
                if pk in failed:
                    failure_forget(job, pk)
        except Busy:
            continue
        except Exception as error:  # whatever it is, the next must not wait for it
            if is_away(error):  # nothing of the rest can be done either
                raise
            if not is_busy(error):  # else the next run finds it
                failure_note(job, pk, error, now)
    return done


def work_alone[M: Model](
    *, job: str, due: QuerySet[M], act: Callable[[M], int], now: datetime, by: str = "pk", most: int = 100
) -> int:
    """Call `act` on one row of `due` after another, in order and at most `most` times; return the sum of its
    results. It suits work that takes longer than a transaction may: instead of locks, no two workers act on
    rows with the same value of the field `by` (see `alone`). A row that is still due is acted on again; a row
    that failed is noted and skipped until its next try."""
    done = 0
    passed: set[Any] = set()
    failures_keep(job, due.order_by().values("pk"))
    for _ in range(most):
        free = due.exclude(**{f"{by}__in": passed}).exclude(pk__in=held_back(job, now))
        row = free.first()
        if row is None:
            break
        key = getattr(row, by)
        with alone(f"{job}:{key}") as is_mine:
            if not is_mine:
                passed.add(key)
            elif (row := due.filter(pk=row.pk).first()) is not None:
                try:
                    done += act_on(job, row, act, now)
                except Busy:  # the next run finds it
                    passed.add(key)
    return done


def act_on[M: Model](job: str, row: M, act: Callable[[M], int], now: datetime) -> int:
    """Return what `act` returns for one row of a job, or 0 if it fails, which is noted. Raise `Busy` if
    others hold its locks."""
    try:
        number = act(row)
    except Exception as error:  # whatever it is, the next must not wait for it
        if is_busy(error):
            raise Busy from error
        if is_away(error):
            raise
        failure_note(job, row.pk, error, now)
        return 0
    failure_forget(job, row.pk)
    return number


def persist(act: Callable[[], object], pauses: Collection[float] = (1, 5, 20)) -> None:
    """Call `act`, and call it again after each pause if the database refuses it because of other transactions
    (a deadlock, a lock that is taken). Otherwise a daily job would have to wait for the next day."""
    for pause in pauses:
        try:
            act()
        except OperationalError as error:
            if not is_busy(error):
                raise
            log.warning("others were first; tried again in %s s: %s", pause, error)
        else:
            return
        time.sleep(pause)
    act()


def failures_keep(job: str, still: "QuerySet[Any, Any]") -> None:
    """Delete the notes of failures in a job except those with these ids."""
    JobFailure.objects.filter(job=job).exclude(object_id__in=still).delete()


def failure_forget(job: str, object_id: UUID) -> None:
    """Delete the note that a thing of a job failed, because it has succeeded after all."""
    JobFailure.objects.filter(job=job, object_id=object_id).delete()


@transaction.atomic
def failure_note(job: str, object_id: UUID, error: Exception, now: datetime) -> None:
    """Note that a thing of a job failed, and when it is tried again. Only the first failure is logged as an
    error, which is reported."""
    JobFailure.objects.bulk_create(
        [
            JobFailure(
                job=job, object_id=object_id, attempts=1, last_error="", due_at=now, first_at=now, last_at=now
            )
        ],
        ignore_conflicts=True,
    )
    row = JobFailure.objects.select_for_update().get(job=job, object_id=object_id)
    if row.last_error:  # not the one just made
        row.attempts += 1
    row.last_error = f"{type(error).__name__}: {error}"[:300]
    row.last_at, row.due_at = now, now + again_in(row.attempts, str(object_id))
    row.save()
    level = logging.ERROR if row.attempts == 1 else logging.WARNING
    log.log(level, "%s failed for %s", job, object_id, exc_info=error)


@contextmanager
def alone(name: str) -> Iterator[bool]:
    """Yield whether the lease of this name was free; if so, it is ours until the end of the block. The lease
    is a row, because behind a pooler a database session may serve others the next moment. It is renewed while
    this process lives, and expires `LEASE` seconds after the process died. A process that was suspended for
    longer may find another at work, so the work must be harmless when done twice."""
    holder, is_over = uuid4(), Event()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [name, holder, LEASE])
        is_mine = cursor.rowcount == 1
    if not is_mine:
        yield False
        return
    Thread(target=_renew, args=(holder, is_over), daemon=True).start()
    try:
        yield True
    finally:
        is_over.set()
        with suppress(InterfaceError, OperationalError):  # the database is away: it runs out
            forgotten = Q(until__lt=Now() - timedelta(days=1))  # of work that is over
            Lease.objects.filter(Q(holder=holder) | forgotten).delete()


_TAKE = """
    INSERT INTO accounts_lease (name, holder, until)
    VALUES (%s, %s, clock_timestamp() + make_interval(secs => %s))
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
    WHERE accounts_lease.until < clock_timestamp()
"""


def _renew(holder: UUID, is_over: Event) -> None:
    """Renew a lease from a thread of its own, so that it lasts for work of any length."""
    while not is_over.wait(LEASE / 4):
        try:
            Lease.objects.filter(holder=holder).update(until=Now() + timedelta(seconds=LEASE))
        except (InterfaceError, OperationalError) as error:
            log.warning("a lease is not renewed: %s", error)
        finally:
            connection.close()


def run_begin(entry: str, now: datetime) -> int:
    """Begin a run of an entry of the timetable; return its number."""
    return JobRun.objects.create(entry=entry, started_at=now).pk


def run_end(run_id: int, *, outcome: str, error: str = "", now: datetime) -> None:
    JobRun.objects.filter(pk=run_id).update(outcome=outcome, error=error[:300], ended_at=now)


@transaction.atomic
def failure_retry(by: By, *, failure_id: UUID) -> str:
    """Try a failed thing again at once, with as many further tries as a new one, and return its kind or its
    job. Only administrators may. Raise `NotFound` if it no longer fails."""
    require(by.actor, "administer", Place(None))
    row = OutboxMessage.objects.select_for_update().filter(FAILING, pk=failure_id).first()
    if row is not None:
        _effects_again(by, [row])
        return row.kind
    noted = visible(JobFailure.objects.select_for_update(), pk=failure_id)
    _things_again(by, [noted])
    return noted.job


type Which = Callable[[Failing], bool]
type Failing = OutboxMessage | JobFailure


def _every(row: Failing) -> bool:
    return True


@transaction.atomic
def failures_retry(by: By, *, name: str, which: Which = _every) -> int:
    """Have everything that failed of one kind of effect or in one job tried again at once, or those of it
    that `which` chooses; return how many. Raise `Invalid` if there are none."""
    require(by.actor, "administer", Place(None))
    rows, noted = _failing(name, which)
    if not rows and not noted:
        raise invalid("name", "unknown-value")
    _effects_again(by, rows)
    _things_again(by, noted)
    return len(rows) + len(noted)


@transaction.atomic
def failures_give_up(by: By, *, name: str, which: Which = _every, reason: str) -> int:
    """End the attempts at effects of one kind that failed, or at those that `which` chooses: they are not
    carried out. Return how many. Raise `Invalid` if there are none, and `WrongState` for the things of a job,
    which are tried until they succeed because the books are wrong until then."""
    require(by.actor, "administer", Place(None))
    rows, noted = _failing(name, which)
    if noted:
        raise WrongState("never-given-up")
    if not rows:
        raise invalid("name", "unknown-value")
    trail.record_all(
        Change(
            by,
            "effect.give-up",
            row,
            before={"attempts": row.attempts, "outcome": row.outcome},
            after={"kind": row.kind},
            reason=reason,
        )
        for row in rows
    )
    for row in rows:
        row.done_at, row.outcome = by.now, "given-up"
        row.payload.pop("private", None)
    OutboxMessage.objects.bulk_update(rows, ["done_at", "outcome", "payload"], batch_size=500)
    return len(rows)


def _failing(name: str, which: Which) -> tuple[list[OutboxMessage], list[JobFailure]]:
    """Return the failures of a name, locked. An effect that a worker carries out at this moment is left
    out."""
    effects = OutboxMessage.objects.select_for_update(skip_locked=True).filter(FAILING, kind=name)
    things = JobFailure.objects.select_for_update().filter(job=name)
    return (
        [row for row in effects.order_by("pk") if which(row)],
        [row for row in things.order_by("pk") if which(row)],
    )


def _effects_again(by: By, rows: list[OutboxMessage]) -> None:
    trail.record_all(
        Change(
            by,
            "effect.retry",
            row,
            before={"attempts": row.attempts, "outcome": row.outcome},
            after={"kind": row.kind},
        )
        for row in rows
    )
    OutboxMessage.objects.filter(pk__in=[row.pk for row in rows]).update(
        done_at=None, outcome="", attempts=0, last_error="", due_at=by.now
    )
    for task in {TASKS[row.lane] for row in rows}:
        transaction.on_commit(partial(nudge, task), robust=True)


def _things_again(by: By, rows: list[JobFailure]) -> None:
    trail.record_all(
        Change(
            by,
            "job.retry",
            row,
            before={"attempts": row.attempts},
            after={"job": row.job, "object": row.object_id},
        )
        for row in rows
    )
    JobFailure.objects.filter(pk__in=[row.pk for row in rows]).update(due_at=by.now)
