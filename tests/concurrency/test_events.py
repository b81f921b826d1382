"""Reading events by a cursor while others store them: none is passed over."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import transaction

from accounts.domain.roles import By
from accounts.models import OutboxMessage
from bookings.messaging.domain.events import BEGINNING
from bookings.messaging.selectors.events import load_events
from bookings.messaging.services.webhooks import events_tell
from bookings.models import Event
from bookings.reserving.services.reservations import reservation_request
from tests.concurrency.races import booking, time_of
from tests.conftest import DEEP

pytestmark = pytest.mark.concurrency
WRITERS = 6


def row_of(reservation_id, number):
    now = datetime.now(UTC)
    return OutboxMessage(
        kind="mail.confirmed", key=f"{number}", payload={"reservation": str(reservation_id)}, created_at=now
    )


@pytest.fixture
def booked(real_cast, instrument):
    start, now = time_of(0)
    made = reservation_request(By(real_cast.actor("wang"), now), booking=booking(instrument, start))
    Event.objects.all().delete()
    return made


def test_a_reader_sees_each_event_once_and_in_order(booked, race):
    """Some workers take back what they stored; the reader asks all the time."""
    each = 200 if DEEP else 15
    done, seen = threading.Event(), []

    def read():
        position, is_last = BEGINNING, False
        while True:
            page = load_events(Event.objects.order_by("number"), position, 7)
            seen.extend(event.cause for event in page.rows)
            position = page.position
            if is_last and not page.has_more:
                return
            is_last = done.is_set() and not page.has_more

    def write(mine):
        for number in range(each):
            with transaction.atomic():
                events_tell(row_of(booked.pk, f"{mine}-{number}"), now=datetime.now(UTC))
                if number % 5 == 4:
                    transaction.set_rollback(True)

    reading = race.start(read)
    race([lambda mine=mine: write(mine) for mine in range(WRITERS)])
    done.set()
    reading.result(timeout=60)
    stored = list(Event.objects.order_by("number").values_list("number", "cause"))
    assert seen == [cause for _, cause in stored]
    assert [number for number, _ in stored] == list(range(1, WRITERS * each * 4 // 5 + 1))


def test_who_began_first_and_commits_last_has_the_higher_number(booked, race):
    """A transaction that was open before, and ends after another has stored its event."""
    begun, may_tell = threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            OutboxMessage.objects.exists()  # the transaction has begun
            begun.set()
            assert may_tell.wait(60)
            events_tell(row_of(booked.pk, "slow"), now=datetime.now(UTC))

    late = race.start(slow)
    assert begun.wait(60)
    with transaction.atomic():
        events_tell(row_of(booked.pk, "fast"), now=datetime.now(UTC))
    page = load_events(Event.objects.order_by("number"), BEGINNING, 10)
    may_tell.set()
    late.result(timeout=60)
    assert len(page.rows) == 1
    assert len(load_events(Event.objects.order_by("number"), page.position, 10).rows) == 1


def test_an_event_that_is_not_committed_holds_back_those_behind_it(booked, race):
    stored, may_commit, started = threading.Event(), threading.Event(), threading.Event()

    def first():
        with transaction.atomic():
            events_tell(row_of(booked.pk, "first"), now=datetime.now(UTC))
            stored.set()
            assert may_commit.wait(60)

    def second():
        with transaction.atomic():
            started.set()
            events_tell(row_of(booked.pk, "second"), now=datetime.now(UTC))

    one = race.start(first)
    assert stored.wait(60)
    two = race.start(second)
    assert started.wait(60)
    page = load_events(Event.objects.order_by("number"), BEGINNING, 10)
    assert (list(page.rows), page.position) == ([], BEGINNING) and not two.done()
    may_commit.set()
    one.result(timeout=60)
    two.result(timeout=60)
    numbers = [row.number for row in load_events(Event.objects.order_by("number"), page.position, 10).rows]
    assert numbers == [1, 2]
