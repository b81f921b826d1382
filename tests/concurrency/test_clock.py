"""Many workers: nothing twice, nobody waits for another, a bad row stops no other."""

import os
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from celery import current_app
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now

from accounts import notifications
from accounts.domain.roles import By
from accounts.models import Lease, OutboxMessage, TrailEntry
from accounts.notifications import Effect, enqueue
from accounts.services.jobs import alone
from accounts.services.outbox import outbox_deliver
from bookings.models import Reservation
from bookings.reserving.services.reservations import reservation_request
from bookings.usage.services.usage import usage_settle
from instruments.register.locks import lock_instrument
from tests.concurrency.races import ALWAYS, HOUR, booking, time_of
from tests.factories.cast import NOW

pytestmark = pytest.mark.concurrency
SECOND = timedelta(seconds=1)


def put(*names):
    with transaction.atomic():
        enqueue([Effect("mail.x", name) for name in names], now=NOW)


def test_workers_share_the_outbox_and_nobody_waits(race):
    put(*(f"k{n:03}" for n in range(60)))
    seen, held, others_done = [], threading.Event(), threading.Event()

    def handler(row, now):
        if row.key == "k000":  # one that takes its time: the others go on meanwhile
            held.set()
            assert others_done.wait(60)
        seen.append(row.key)
        return "sent"

    slow = race.start(lambda: outbox_deliver(handler=handler, now=NOW, most=1))
    assert held.wait(60)
    done = race([lambda: outbox_deliver(handler=handler, now=NOW)] * 4)
    # Even one who asks when its time in hand is over passes over what is locked.
    assert outbox_deliver(handler=handler, now=NOW + timedelta(hours=1)) == 0
    others_done.set()
    assert slow.result(60) == 1
    assert sum(done) == 59
    assert sorted(seen) == sorted(set(seen)) and len(seen) == 60
    assert not OutboxMessage.objects.filter(done_at=None).exists()


def test_a_worker_that_dies_leaves_its_row_to_the_next(race):
    put("a", "b")

    def dies(row, now):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return "sent"

    def fate():
        try:
            return outbox_deliver(handler=dies, now=NOW)
        except OperationalError:
            connection.close()
            return "dead"

    assert race([fate]) == ["dead"]
    left = OutboxMessage.objects.get(key="a")
    assert (left.attempts, left.tried_at, left.done_at) == (1, NOW, None)
    # It does not stand at the head: what comes after it is done first, it after a little while.
    seen = []
    handler = lambda row, now: seen.append(row.key) or "sent"  # noqa: E731
    assert outbox_deliver(handler=handler, now=NOW) == 1
    assert outbox_deliver(handler=handler, now=NOW + 10 * SECOND) == 1
    assert seen == ["b", "a"]


def test_a_worker_that_dies_in_a_group_leaves_its_rows_to_the_next(race):
    """They are done one by one then: whichever killed it takes no other with it."""
    put("a", "b", "c")
    seen = []

    def together(rows, now):
        seen.append([row.key for row in rows])
        OutboxMessage.objects.filter(key="c").update(last_error="half done")
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return {row.pk: "sent" for row in rows}

    def dies(row, now):
        raise KeyboardInterrupt

    def fate(**how):
        try:
            return outbox_deliver(together=together, group=9, now=NOW, **how)
        except KeyboardInterrupt:
            connection.close()
            return "dead"

    assert race([lambda: fate(handler=dies)]) == ["dead"]
    left = OutboxMessage.objects.order_by("key").values_list("attempts", "done_at", "last_error")
    assert list(left) == [(1, None, "")] * 3
    handler = lambda row, now: seen.append(row.key) or "sent"  # noqa: E731
    assert fate(handler=handler) == 0
    assert outbox_deliver(handler=handler, together=together, group=9, now=NOW + 10 * SECOND) == 3
    assert seen == [["a", "b", "c"], "a", "b", "c"]


def test_groups_of_many_workers_have_no_row_in_common(race):
    put(*(f"k{n:03}" for n in range(200)))
    seen = []

    def together(rows, now):
        seen.extend(row.key for row in rows)
        return {row.pk: "sent" for row in rows if not row.key.endswith("7")}

    def handler(row, now):
        assert row.key.endswith("7") or not seen.count(row.key)
        return "sent"

    done = race([lambda: outbox_deliver(handler=handler, together=together, group=16, now=NOW)] * 4)
    assert sum(done) == 200
    assert sorted(seen) == sorted(set(seen))
    assert set(OutboxMessage.objects.values_list("attempts", "outcome")) == {(1, "sent")}


def test_two_workers_share_the_jobs_and_wait_for_nobody(real_cast, race):
    """Two run the same jobs at the same moment while somebody holds one instrument: everything
    else is done, once, and at once; what was held comes with the next run."""
    instruments = [real_cast.instrument(name=f"No {n}", hours=ALWAYS) for n in range(4)]
    start, now = time_of(0)
    wang = real_cast.actor("wang")
    for instrument in instruments:
        for hour in range(3):
            asked = booking(instrument, start + hour * HOUR)
            reservation_request(By(wang, now), booking=asked)
    late = start + 6 * HOUR
    held, over = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            lock_instrument(instruments[0].pk)
            held.set()
            assert over.wait(60)

    holder = race.start(hold)
    assert held.wait(60)
    began = time.monotonic()
    done = race([lambda: usage_settle(now=late)] * 2)
    assert time.monotonic() - began < 8  # a lock is waited for ten seconds
    over.set()
    holder.result(60)
    # Where both were at the same instrument one passed over; nothing was done twice.
    assert sum(done) == Reservation.objects.filter(state="completed").count() <= 9
    while usage_settle(now=late):
        pass
    assert set(Reservation.objects.values_list("state", flat=True)) == {"completed"}
    ended = TrailEntry.objects.filter(action="reservation.completed")
    assert ended.count() == ended.values("object_id").distinct().count() == 12
    assert OutboxMessage.objects.filter(kind="charge.due").count() == 12


def test_jobs_over_everything_run_alone(race):
    """Beat started twice: the second passes over what the first is at, also if it dies."""
    inside, over = threading.Event(), threading.Event()

    def first():
        with alone("j") as mine:
            inside.set()
            assert over.wait(60)
            return mine

    running = race.start(first)
    assert inside.wait(60)
    with alone("j") as mine, alone("another") as other:
        assert (mine, other) == (False, True)
    over.set()
    assert running.result(60)
    with alone("j") as mine:
        assert mine


def test_a_lease_is_renewed_and_runs_out_when_its_process_is_killed(real_db, tmp_path):
    """Kept for longer than it lasts, by a process that is then killed with -9; then another's."""
    name = connection.settings_dict["NAME"]
    address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    program = """
import django
django.setup()
import time
from accounts.services import jobs
jobs.LEASE = 2.0
with jobs.alone("j") as mine:
    print(mine, flush=True)
    time.sleep(600)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env=os.environ | {"DATABASE_URL": address},
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "True\n"
        first = Lease.objects.get()
        while (lease := Lease.objects.get()).until < first.until + timedelta(seconds=2):
            with alone("j") as mine:
                assert not mine
        assert lease.holder == first.holder
    finally:
        process.kill()
        process.wait()
    with alone("j") as mine:
        assert not mine  # as it does not know yet
    Lease.objects.update(until=Now() - timedelta(seconds=1))
    with alone("j") as mine:
        assert mine
    assert not Lease.objects.exists()


def test_of_two_who_come_at_once_to_a_lease_that_ran_out_one_has_it(race):
    for _ in range(10):
        Lease.objects.all().delete()
        Lease.objects.create(name="j", holder=uuid4(), until=Now() - timedelta(seconds=1))
        both = threading.Barrier(2)

        def take(both=both):
            with alone("j") as mine:
                both.wait(60)
                return mine

        assert sorted(race([take] * 2)) == [False, True]


def test_who_stood_still_too_long_leaves_the_lease_of_whoever_went_on(real_db):
    other = uuid4()
    with alone("j") as mine:
        assert mine
        Lease.objects.update(holder=other)
    assert Lease.objects.get().holder == other


def test_a_broker_that_is_deaf_delays_nobody(monkeypatch):
    """It takes connections and never answers: half a second once, then nothing for a while."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"redis://127.0.0.1:{deaf.getsockname()[1]}/0"
        monkeypatch.setattr(current_app.conf, "broker_write_url", url)
        notifications._producers.cache_clear()
        monkeypatch.setattr(notifications, "_quiet_until", 0.0)
        took = []
        for _ in range(3):
            began = time.monotonic()
            notifications.nudge()
            took.append(time.monotonic() - began)
    notifications._producers.cache_clear()
    assert took[0] < 2 and max(took[1:]) < 0.1
