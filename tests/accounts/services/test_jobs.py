"""What jobs share: one that fails stops no other, comes again later, and can be tried at once."""

from datetime import timedelta
from unittest.mock import Mock
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from psycopg.errors import DeadlockDetected

from accounts.domain.errors import Invalid, NotFound, NotPermitted
from accounts.domain.jobs import Busy, again_in, in_hand_for, lane_of
from accounts.domain.roles import By
from accounts.models import JobFailure, JobRun, OutboxMessage, TrailEntry
from accounts.selectors.jobs import CLOCK, failures, last_run, queues, runs
from accounts.services import jobs
from accounts.services.outbox import outbox_deliver
from accounts.work import timetable
from tests.factories.cast import NOW

MINUTE = timedelta(minutes=1)


def test_back_off_doubles_spreads_and_ends():
    waits = [again_in(n, "x") for n in range(1, 13)]
    for n, wait in enumerate(waits, start=1):
        usual = min(2**n, 360) * MINUTE
        assert usual * 0.75 <= wait <= usual * 1.25
    assert len({again_in(3, f"row {n}") for n in range(50)}) > 30  # not all at once again
    assert again_in(3, "x") == again_in(3, "x")
    assert [in_hand_for(n).total_seconds() for n in (1, 2, 3, 30)] == [10, 20, 40, 3600]
    lanes = {"letter": "letters", "people": "letters", "people.sign-in": "sign-in"}
    kinds = ("charge.due", "letter.send", "people.sign-in")
    assert [lane_of(kind, lanes) for kind in kinds] == ["effects", "letters", "sign-in"]


def test_one_that_fails_stops_no_other_and_waits(db, caplog):
    bad, good, busy = uuid4(), uuid4(), uuid4()
    done = []

    def act(pk):
        if pk == bad and len(done) < 3:
            raise ValueError("no")
        if pk == busy:
            raise Busy
        done.append(pk)
        return 1

    due = [bad, busy, good]
    assert jobs.work_through(job="j", due=due, act=act, now=NOW) == 1
    failure = JobFailure.objects.get()
    assert (failure.object_id, failure.attempts, failure.last_error) == (bad, 1, "ValueError: no")
    assert failure.due_at == NOW + again_in(1, str(bad))
    assert jobs.work_through(job="j", due=due, act=act, now=NOW + MINUTE) == 1  # it is not its turn
    assert jobs.work_through(job="j", due=due, act=act, now=NOW + 4 * MINUTE) == 1
    failure.refresh_from_db()
    assert failure.attempts == 2
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert jobs.work_through(job="j", due=due, act=act, now=NOW + 60 * MINUTE) == 2
    assert not JobFailure.objects.exists()
    done.clear()
    jobs.work_through(job="j", due=due, act=act, now=NOW)
    jobs.work_through(job="j", due=[good], act=act, now=NOW + MINUTE)
    assert JobFailure.objects.exists()  # not asked for yet
    jobs.work_through(job="j", due=[good], act=act, now=NOW + 4 * MINUTE)
    assert not JobFailure.objects.exists()  # somebody saw to it


def test_a_database_that_is_gone_is_no_failure_of_a_row(db):
    def act(pk):
        raise OperationalError("server closed the connection")

    with pytest.raises(OperationalError):
        jobs.work_through(job="j", due=[uuid4()], act=act, now=NOW)
    assert not JobFailure.objects.exists()


class Others:
    """A deadlock, so many times."""

    def __init__(self, times: int) -> None:
        self.times, self.calls = times, 0

    def __call__(self, *of: object) -> int:
        self.calls += 1
        if self.calls <= self.times:
            raise OperationalError("deadlock detected") from DeadlockDetected()
        return 1


def test_where_others_are_first_nothing_has_failed(db):
    row = given_up("a", "1")
    due = OutboxMessage.objects.order_by("key")
    assert jobs.work_through(job="j", due=[row.pk], act=Others(1), now=NOW) == 0
    assert jobs.work_alone(job="j", due=due, act=Others(1), now=NOW) == 0
    assert jobs.work_alone(job="j", due=due, act=Others(0), now=NOW, most=1) == 1
    assert not JobFailure.objects.exists()


def test_an_entry_of_the_timetable_is_tried_again_while_others_are_first():
    act = Others(2)
    jobs.persist(act, pauses=(0, 0))
    assert act.calls == 3
    with pytest.raises(OperationalError):
        jobs.persist(Others(3), pauses=(0, 0))
    gone = Mock(side_effect=OperationalError("server closed the connection"))
    with pytest.raises(OperationalError):
        jobs.persist(gone, pauses=(0, 0))
    assert gone.call_count == 1


def test_rows_are_taken_as_they_are_due_without_those_that_wait(db):
    messages = [given_up("a", str(n)) for n in range(3)]
    done = []
    jobs.work_through(
        job="j", due=OutboxMessage.objects.order_by("key"), act=lambda pk: done.append(pk) or 1,
        now=NOW, most=2,
    )  # fmt: skip
    assert done == [message.pk for message in messages[:2]]


def test_what_takes_long_is_acted_on_until_it_is_due_no_more(db):
    rows = [given_up("a", "1"), given_up("b", "2"), given_up("c", "3")]
    due, done = OutboxMessage.objects.filter(attempts__lt=14).order_by("key"), []

    def act(row):
        if row.kind == "b" and len(done) < 4:
            raise ValueError("no")
        done.append(row.kind)
        row.attempts += 1
        row.save()
        return 1

    assert jobs.work_alone(job="j", due=due, act=act, now=NOW) == 4  # each twice
    assert done == ["a", "a", "c", "c"]
    assert JobFailure.objects.get().object_id == rows[1].pk
    assert jobs.work_alone(job="j", due=due, act=act, now=NOW) == 0  # it is not its turn
    assert jobs.work_alone(job="j", due=due, act=act, now=NOW + 4 * MINUTE, most=1) == 1
    assert not JobFailure.objects.exists()
    assert jobs.work_alone(job="j", due=due, act=act, now=NOW) == 1


def given_up(kind, key):
    return OutboxMessage.objects.create(
        kind=kind, key=key, due_at=NOW, created_at=NOW, attempts=12, tried_at=NOW,
        last_error="SMTPServerDisconnected", done_at=NOW, outcome="failed",
    )  # fmt: skip


def test_tried_again_by_hand(shared_cast, capsys):
    admin, zhao = shared_cast.actor("admin"), shared_cast.actor("zhao")
    one, two, other = (given_up(kind, key) for kind, key in (("a", "1"), ("a", "2"), ("b", "3")))
    for act in (
        lambda: jobs.failure_retry(By(zhao, NOW), failure_id=one.pk),
        lambda: jobs.failures_retry(By(zhao, NOW), name="a"),
    ):
        with pytest.raises(NotPermitted):
            act()
    assert [queue.failed for queue in queues(NOW) if queue.failed] == [2, 1]
    assert len(failures()) == 3 and len(failures("a")) == 2
    assert jobs.failure_retry(By(admin, NOW), failure_id=one.pk) == "a"
    with pytest.raises(NotFound):  # it does not fail any more
        jobs.failure_retry(By(admin, NOW), failure_id=one.pk)
    call_command("retry_failed")
    assert "given up: SMTPServerDisconnected" in capsys.readouterr().out
    call_command("retry_failed", "a")
    with pytest.raises(Invalid):
        jobs.failures_retry(By(admin, NOW), name="a")
    with pytest.raises(CommandError):
        call_command("retry_failed", "a")
    other.refresh_from_db()
    assert other.outcome == "failed"
    later = NOW + timedelta(days=300 * 365)  # the command reads the clock itself
    assert outbox_deliver(handler=lambda row, now: "sent", now=later) >= 2
    two.refresh_from_db()
    assert (two.attempts, two.outcome) == (1, "sent")
    entries = TrailEntry.objects.filter(action="effect.retry")
    assert [(e.object_id, e.actor_id) for e in entries.order_by("at")] == [
        (one.pk, admin.user_id),
        (two.pk, None),
    ]


def test_the_timetable_says_what_is_late(db):
    """Three of many: one that ran a moment ago, one whose worker died, one that failed in the
    night; the other nightly ones not yet."""
    jobs.run_end(jobs.run_begin("lapse reservations", NOW), outcome="done", now=NOW + timedelta(seconds=2))
    jobs.run_begin("imports", NOW - 65 * MINUTE)
    seen = {entry.name: entry for entry in runs(timetable(), NOW + MINUTE)}
    lapse, imports = seen["lapse reservations"], seen["imports"]
    assert (lapse.run.outcome, lapse.is_overdue, lapse.due_at) == ("done", False, NOW + MINUTE)
    assert (imports.is_overdue, imports.is_broken) == (True, True)
    assert seen["deliver messages"].is_overdue  # others ran for an hour, it never did
    assert not seen["remove records"].is_overdue
    # Nothing was at work overnight: nothing is late until it had time to run.
    morning = NOW + timedelta(days=1)
    jobs.run_end(jobs.run_begin(CLOCK, morning), outcome="done", now=morning)
    assert not any(entry.is_overdue for entry in runs(timetable(), morning + MINUTE))
    assert runs(timetable(), morning + 65 * MINUTE)[0].is_overdue
    assert last_run(timetable()) == NOW  # a clock is no worker
    JobRun.objects.filter(entry=CLOCK).delete()
    night = runs(timetable(), NOW + timedelta(days=1))
    assert {entry.name for entry in night if not entry.is_overdue} == set()


def test_the_timetable_says_what_failed_last(db):
    """Until it does what it should: a job of the night that failed is not late before the next."""
    jobs.run_end(
        jobs.run_begin("ratings", NOW - 2 * MINUTE), outcome="failed", error="full", now=NOW - MINUTE
    )
    seen = {entry.name: entry for entry in runs(timetable(), NOW)}
    assert [name for name, entry in seen.items() if entry.has_failed] == ["ratings"]
    jobs.run_end(jobs.run_begin("ratings", NOW), outcome="done", now=NOW)
    assert not any(entry.has_failed for entry in runs(timetable(), NOW + MINUTE))
