"""Many workers: nothing twice, nobody waits for another, a bad row stops no other."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction

from accounts.models import OutboxMessage
from accounts.notifications import Effect, enqueue
from accounts.services.outbox import outbox_deliver
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
            assert others_done.wait(20)
        seen.append(row.key)
        return "sent"

    slow = race.start(lambda: outbox_deliver(handler=handler, now=NOW, most=1))
    assert held.wait(20)
    done = race([lambda: outbox_deliver(handler=handler, now=NOW)] * 4)
    # Even one who asks when its time in hand is over passes over what is locked.
    assert outbox_deliver(handler=handler, now=NOW + timedelta(hours=1)) == 0
    others_done.set()
    assert slow.result(20) == 1
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
