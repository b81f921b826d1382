"""The outbox: each effect at least once, and no failure stops the next."""

from datetime import timedelta

import pytest
from django.db import transaction

from accounts import notifications
from accounts.domain.jobs import MOST_ATTEMPTS, again_in
from accounts.models import OutboxMessage
from accounts.notifications import Effect, enqueue
from accounts.services.outbox import outbox_deliver
from tests.factories.cast import NOW


def put(*effects):
    with transaction.atomic():
        enqueue(effects, now=NOW)


def test_enqueued_twice_it_is_one(db):
    put(Effect("k", "one"), Effect("k", "two"))
    put(Effect("k", "one"))
    assert OutboxMessage.objects.count() == 2


def test_what_is_due_is_done_once_in_order(db):
    put(
        Effect("k", "later", due_at=NOW + timedelta(hours=1)),
        Effect("k", "now"),
        Effect("k", "before", due_at=NOW - timedelta(hours=1)),
    )
    seen = []
    handler = lambda row, now: seen.append(row.key) or "sent"  # noqa: E731
    assert outbox_deliver(handler=handler, now=NOW) == 2
    assert outbox_deliver(handler=handler, now=NOW) == 0
    assert seen == ["before", "now"]
    assert outbox_deliver(handler=handler, now=NOW + timedelta(hours=1)) == 1


def test_one_that_fails_waits_and_does_not_stop_the_next(db, caplog):
    put(Effect("k", "bad"), Effect("k", "good"))

    def handler(row, now):
        if row.key == "bad":
            OutboxMessage.objects.filter(key="good").update(last_error="half done")
            raise ValueError("no")
        return "sent"

    assert outbox_deliver(handler=handler, now=NOW) == 1
    bad = OutboxMessage.objects.get(key="bad")
    assert (bad.attempts, bad.done_at, bad.last_error) == (1, None, "ValueError: no")
    assert bad.due_at == NOW + again_in(1, "bad")
    # What the handler wrote before it failed is gone.
    assert OutboxMessage.objects.get(key="good").last_error == ""
    now = NOW
    for _ in range(MOST_ATTEMPTS):
        now += timedelta(hours=7)
        outbox_deliver(handler=handler, now=now)
    bad.refresh_from_db()
    assert (bad.attempts, bad.outcome) == (MOST_ATTEMPTS, "failed")
    # Errors are reported: only that it is given up is one.
    levels = [record.levelname for record in caplog.records]
    assert levels == ["WARNING"] * (MOST_ATTEMPTS - 1) + ["ERROR"]


def doing(*failing, seen):
    """Handlers of one effect and of several; both refuse what is `failing`."""

    def one(row, now):
        seen.append(row.key)
        if row.key in failing:
            raise ValueError("no")
        return "sent"

    def several(rows, now):
        seen.append([row.key for row in rows])
        OutboxMessage.objects.filter(kind="other").update(last_error="half done")
        if {row.key for row in rows} & set(failing):
            raise ValueError("no")
        return {row.pk: "sent" for row in rows if row.kind == "k"}

    return {"handler": one, "together": several}


def test_a_group_is_done_together_and_the_rest_alone(db):
    put(*(Effect("k", name) for name in "abc"), Effect("other", "d"), Effect("k", "e", {"private": "1234"}))
    seen = []
    assert outbox_deliver(**doing(seen=seen), group=4, now=NOW) == 5
    assert seen == [["a", "b", "c", "d"], "d", "e"]
    assert set(OutboxMessage.objects.values_list("outcome", "attempts", "done_at")) == {("sent", 1, NOW)}
    assert OutboxMessage.objects.get(key="e").payload == {}


def test_of_a_group_that_fails_nothing_is_kept_and_each_is_done_alone(db):
    put(Effect("k", "a"), Effect("k", "bad"), Effect("other", "c"))
    seen = []
    assert outbox_deliver(**doing("bad", seen=seen), group=9, now=NOW) == 2
    assert seen == [["a", "bad", "c"], "a", "bad", "c"]
    assert OutboxMessage.objects.get(key="c").last_error == ""
    bad = OutboxMessage.objects.get(key="bad")
    assert (bad.attempts, bad.done_at, bad.last_error) == (1, None, "ValueError: no")
    # What has been tried takes no others with it.
    put(Effect("k", "d"), Effect("k", "e"))
    seen.clear()
    assert outbox_deliver(**doing("bad", seen=seen), group=9, now=NOW + timedelta(hours=1)) == 2
    assert sorted(map(str, seen)) == ["['d', 'e']", "bad"]


def test_a_group_is_no_larger_than_what_is_asked_for(db):
    put(*(Effect("k", str(n)) for n in range(9)))
    assert [outbox_deliver(**doing(seen=[]), group=4, most=6, now=NOW) for _ in range(3)] == [6, 3, 0]


def test_only_within_the_transaction_that_causes_it(real_db):
    with pytest.raises(RuntimeError):
        enqueue([Effect("k", "x")], now=NOW)


def test_a_worker_is_woken_when_an_effect_is_due(db, monkeypatch, django_capture_on_commit_callbacks):
    """The timetable, which asks every minute, has the rest."""
    woken = []
    monkeypatch.setattr(notifications, "nudge", lambda task, wait: woken.append(wait))
    with django_capture_on_commit_callbacks(execute=True):
        for key, seconds in (("now", 0), ("soon", 5), ("later", 300)):
            due = NOW + timedelta(seconds=seconds)
            enqueue([Effect("webhook.deliver", key, due_at=due)], now=NOW)
    assert woken == [0, 5]


def test_nudges_that_follow_at_once_are_one_that_comes_after_all(monkeypatch):
    """The first is given at once; one more for all that follow within a moment."""
    given, now, timers = [], [100.0], []

    class Later:
        def __init__(self, wait, function, arguments):
            timers.append((now[0] + wait, lambda: function(*arguments)))

        def start(self):
            pass

    monkeypatch.setattr(notifications, "_free_at", {})
    monkeypatch.setattr(notifications, "Timer", Later)
    monkeypatch.setattr(notifications.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(notifications, "_send", lambda task, wait: given.append((task, round(now[0], 3))))
    committed = [100.0, 100.01, 100.02, 100.049, 100.051, 100.09, 100.12, 100.3]
    for moment in committed:
        while timers and timers[0][0] <= moment:
            now[0], act = timers.pop(0)
            act()
        now[0] = moment
        notifications.nudge("one")
        notifications.nudge("another") if moment == 100.02 else None
    while timers:
        now[0], act = timers.pop(0)
        act()
    assert [moment for task, moment in given if task == "one"] == [100.0, 100.05, 100.1, 100.15, 100.3]
    assert [moment for task, moment in given if task == "another"] == [100.02]
    times = [moment for task, moment in given if task == "one"]
    assert all(any(0 <= t - moment <= 0.05 for t in times) for moment in committed)


def test_without_a_broker_nothing_is_lost(db, settings, django_capture_on_commit_callbacks):
    """The nudge fails quietly; the row is there for the timetable."""
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        enqueue([Effect("k", "x")], now=NOW)
    assert OutboxMessage.objects.filter(done_at=None).count() == 1
