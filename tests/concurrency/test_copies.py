"""A program that only asks `updated_since` for the last change it has seen has an exact copy of the lists,
whoever writes at the same moment, and in whatever order they end."""

import random
import threading
from datetime import date, datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.domain.roles import By
from accounts.services.tokens import SCOPES, token_issue
from bookings.charging.services.charges import charges_finalise
from bookings.models import Charge, Deletion, Need, Reservation, SampleItem, Statement
from bookings.needs.services.needs import need_note, need_share, need_unshare
from bookings.record.selectors.copies import settled_until
from bookings.reserving.services.reservations import reservation_cancel, reservation_note, reservation_request
from bookings.samples.services.joining import sample_leave, samples_join
from bookings.samples.services.samples import SampleValues, sample_announce, sample_note
from bookings.settlement.services.statements import statement_set_order_number, statements_draw
from tests.concurrency.races import ALWAYS, booking, time_of
from tests.conftest import DEEP
from tests.factories.api import Program
from tests.factories.cast import at
from tests.factories.money import charge_of, store
from tests.factories.needs import need_of

pytestmark = pytest.mark.concurrency
LISTS = ("reservations/", "charges/", "statements/")
BEGINNING = "2000-01-01T00:00:00Z"
WRITERS = 5


@pytest.fixture
def asking(real_cast, monkeypatch):
    """Somebody's program, asking through the door as often as it likes."""
    rates = "rest_framework.throttling.SimpleRateThrottle.THROTTLE_RATES"
    monkeypatch.setattr(rates, {"anon": None, "user": None})

    def of(who):
        user, now = real_cast.people[who], timezone.now()
        _, token = token_issue(user=user, label="copy", lifetime=timedelta(days=9), now=now, scopes=SCOPES)
        return Program(token)

    return of


@pytest.fixture
def payer(asking):
    """The finance of the payer."""
    return asking("lin")


class Copy:
    """A list as a program keeps it, by the rule that the documentation gives."""

    def __init__(self, program, path):
        self.program, self.path = program, path
        self.rows, self.seen = {}, BEGINNING

    def ask(self):
        address = f"{self.path}?limit=7&updated_since={self.seen}"
        while address:
            page = self.program.get(address).body
            for row in page["results"]:
                assert datetime.fromisoformat(row["modified"]) >= datetime.fromisoformat(self.seen)
                self.rows[row["id"]], self.seen = row, row["modified"]
            address = page["next"]

    def forget(self):
        """What is gone from the list is gone from the copy."""
        for row in self.program.get("deletions/?limit=200").body["results"]:
            self.rows.pop(row["id"], None)

    def whole(self):
        """The list now, read anew."""
        found, address = {}, f"{self.path}?limit=200"
        while address:
            page = self.program.get(address).body
            found |= {row["id"]: row for row in page["results"]}
            address = page["next"]
        return found


def test_a_copy_is_exact_while_others_write(real_cast, payer, race):
    cast, each = real_cast, 60 if DEEP else 8
    instruments = [cast.instrument(name=f"No. {n}", hours=ALWAYS) for n in range(WRITERS)]
    copies = [Copy(payer, path) for path in LISTS]
    stored = store([charge_of(cast, month=None) for _ in range(WRITERS)])
    statements = store([charge_of(cast) for _ in range(2)])
    statements_draw(month=date(2026, 3, 1), now=at("2026-04-02 00:10"))
    (statement,) = Statement.objects.all()
    assert len(statements) == statement.charges
    done = threading.Event()

    def read():
        while not done.is_set():
            for copy in copies:
                copy.ask()

    def write(mine):
        dice = random.Random(mine)
        wang = cast.actor("wang")
        for number in range(each):
            start, now = time_of(mine * each + number)
            with transaction.atomic():
                made = reservation_request(By(wang, now), booking=booking(instruments[mine], start))
                Charge.objects.filter(pk=stored[mine].pk).update(checked_at=now)
                done.wait(dice.random() / 50)  # others end before
                if number % 4 == 3:
                    transaction.set_rollback(True)
                    continue
            with transaction.atomic():
                reservation_note(By(wang, now), reservation_id=made.pk, given={"reference": f"{number}"})
                if number % 3 == 0:
                    done.wait(dice.random() / 50)
                    reservation_cancel(By(wang, now), reservation_id=made.pk, reason="")
            if number % 2:
                order = f"{mine}-{number}"
                statement_set_order_number(
                    By(cast.actor("lin"), now), statement_id=statement.pk, order_number=order
                )

    reading = race.start(read)
    race([lambda mine=mine: write(mine) for mine in range(WRITERS)])
    charges_finalise(now=at("2026-05-01 00:10"))
    done.set()
    reading.result(timeout=120)
    for copy in copies:
        copy.ask()
        assert copy.rows == copy.whole(), copy.path
    assert len(copies[0].rows) == Reservation.objects.count() > WRITERS * each // 2


def test_copies_of_what_comes_and_goes_are_exact_while_others_write(real_cast, instrument, asking, race):
    """Samples come to a host with their bookings and go, needs come to a reader and go."""
    cast, each = real_cast, 40 if DEEP else 6
    copies = [Copy(asking("zhao"), "samples/"), Copy(asking("wang"), "samples/")]
    copies += [Copy(asking("sun"), "needs/"), Copy(asking("wang"), "needs/")]
    wang, sun, now = cast.actor("wang"), str(cast.people["sun"].pk), time_of(0)[1]
    booked = reservation_request(By(wang, now), booking=booking(instrument, time_of(0)[0]))
    needs = [need_of(cast) for _ in range(WRITERS)]
    done = threading.Event()

    def read():
        while not done.is_set():
            for copy in copies:
                copy.ask()
                copy.forget()

    def write(mine):
        dice = random.Random(mine)
        by = By(wang, now)
        for number in range(each):
            (sample,) = sample_announce(by, values=SampleValues(name=f"{mine}-{number}"))
            with transaction.atomic():
                samples_join(by, reservation_id=booked.pk, sample_ids=[sample.pk])
                need_share(by, need_id=needs[mine].pk, person=sun)
                done.wait(dice.random() / 50)  # others end before
                if number % 4 == 3:
                    transaction.set_rollback(True)
                    continue
            sample_note(by, sample_id=sample.pk, given={"reference": f"{number}"})
            if number % 3:
                with transaction.atomic():
                    sample_leave(by, reservation_id=booked.pk, sample_id=sample.pk)
                    need_unshare(by, need_id=needs[mine].pk, person=sun)
                    done.wait(dice.random() / 50)
            if number % 3 == 2:
                samples_join(by, reservation_id=booked.pk, sample_ids=[sample.pk])
            need_note(by, need_id=needs[mine].pk, given={"reference": f"{number}"})

    reading = race.start(read)
    race([lambda mine=mine: write(mine) for mine in range(WRITERS)])
    done.set()
    reading.result(timeout=120)
    for copy in copies:
        copy.ask()
        copy.forget()
        assert copy.rows == copy.whole(), copy.path
    assert len(copies[1].rows) == SampleItem.objects.count() > len(copies[0].rows) > 0
    assert len(copies[3].rows) == Need.objects.count() == WRITERS
    assert {row.kind for row in Deletion.objects.all()} == {"need", "sample"}


def test_what_is_not_committed_holds_back_what_came_after_it(real_cast, instrument, payer, race):
    """Of two changes the later one is committed first. A program that had seen it would never ask for the
    earlier one."""
    rows = [
        reservation_request(
            By(real_cast.actor("wang"), time_of(n)[1]), booking=booking(instrument, time_of(n)[0])
        )
        for n in range(2)
    ]
    stored, may_commit = threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            Reservation.objects.filter(pk=rows[0].pk).update(purpose_text="slow")
            stored.set()
            assert may_commit.wait(60)

    copy = Copy(payer, "reservations/")
    late = race.start(slow)
    assert stored.wait(60)
    before = settled_until()
    Reservation.objects.filter(pk=rows[1].pk).update(purpose_text="fast")
    copy.ask()
    assert "fast" not in {row["purpose"]["text"] for row in copy.rows.values()}
    assert settled_until() == before
    may_commit.set()
    late.result(timeout=60)
    copy.ask()
    assert {row["purpose"]["text"] for row in copy.rows.values()} == {"slow", "fast"}


def test_who_only_reads_holds_nothing_back(real_cast, instrument, race):
    begun, may_end = threading.Event(), threading.Event()

    def read():
        with transaction.atomic():
            list(Reservation.objects.all())
            begun.set()
            assert may_end.wait(60)

    reading = race.start(read)
    assert begun.wait(60)
    start, now = time_of(0)
    made = reservation_request(By(real_cast.actor("wang"), now), booking=booking(instrument, start))
    made.refresh_from_db()
    assert made.modified < settled_until()
    may_end.set()
    reading.result(timeout=60)
