"""Whoever only reads events has every booking, charge and statement as it is, whatever happened."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.domain.errors import Refused
from accounts.domain.hooks import instant
from accounts.domain.jobs import CALLS, LANES
from accounts.domain.roles import By
from bookings.charging.domain.corrections import Amendment
from bookings.charging.services.charges import charges_finalise
from bookings.charging.services.corrections import correction_agree, correction_propose
from bookings.charging.services.disputes import dispute_open, dispute_reject, dispute_withdraw
from bookings.models import Charge, Event, Reservation, Statement
from bookings.overview.services.effects import effects_carry_out
from bookings.record.domain.months import month_of
from bookings.record.domain.periods import Period
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import reservation_cancel
from bookings.settlement.domain.statements import statement_number
from bookings.settlement.services.payments import Paid, statement_pay
from bookings.settlement.services.statements import statement_void, statements_draw
from bookings.usage.services.usage import reservation_check_in, reservation_check_out, usage_settle
from tests.conftest import DEEP
from tests.factories.api import clock, program  # noqa: F401
from tests.factories.cast import at, reserve

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST = at("2026-03-06 10:00")


class Client:
    """A program that keeps a copy from events alone."""

    def __init__(self, asks):
        self.program, self.cursor = asks, ""
        self.bookings, self.charges, self.statements = {}, {}, {}
        self.versions = {}

    def read(self):
        while True:
            after = f"&after={self.cursor}" if self.cursor else ""
            answer = self.program.get(f"events/?limit=7{after}").body
            for event in answer["results"]:
                self.take(event["type"].partition(".")[0], event["data"])
            self.cursor = answer["cursor"]
            if not answer["has_more"]:
                return

    def take(self, about, data):
        if about == "reservation":
            self.keep(self.bookings, data, (data["start"], data["end"], data["state"]))
        elif about == "charge":
            for each in data["charges"]:
                amount = Decimal(each["payable"]["amount"])
                self.keep(self.charges, each, (each["kind"], each["state"], amount, each.get("reverses")))
        elif about == "statement":
            data = data.get("statement", data)
            amounts = (Decimal(data[name]["amount"]) for name in ("payable", "paid"))
            self.keep(self.statements, data, (data["number"], data["state"], *amounts))
            if "replaces" in data:
                number, _, *more = self.statements[data["replaces"]]
                self.statements[data["replaces"]] = (number, "voided", *more)

    def keep(self, copies, data, copy):
        # A later event never says less: see docs/messages.md.
        assert data["version"] >= self.versions.get(data["id"], 0)
        self.versions[data["id"]] = data["version"]
        copies[data["id"]] = copy


def truth():
    bookings = {
        str(row.pk): (instant(row.start_at), instant(row.end_at), row.state)
        for row in Reservation.objects.all()
    }
    charges = {
        str(row.pk): (row.kind, row.state, row.payable, str(row.reverses_id) if row.reverses_id else None)
        for row in Charge.objects.all()
    }
    statements = {
        str(row.pk): (
            statement_number(row.host.code, row.year, row.number), row.state, row.payable, row.paid,
        )
        for row in Statement.objects.select_related("host")
    }  # fmt: skip
    return bookings, charges, statements


class Day:
    """Acts at random, by those who may do them; what is refused changes nothing."""

    def __init__(self, cast, seed):
        self.cast, self.chance, self.now = cast, random.Random(seed), FIRST
        self.done = set()

    def by(self, who):
        return By(self.cast.actor(who), self.now)

    def one(self, model, **values):
        rows = list(model.objects.filter(**values).order_by("pk"))
        return self.chance.choice(rows).pk if rows else None

    def coming(self):
        return self.one(Reservation, state="confirmed", start_at__gt=self.now)

    def book(self):
        start = self.now + self.chance.randrange(1, 60) * HOUR / 2
        end = start + self.chance.randrange(1, 5) * HOUR / 2
        first, last = (f"{moment + 8 * HOUR:%Y-%m-%d %H:%M}" for moment in (start, end))
        reserve(self.cast, first, last, now=self.now)

    def move(self):
        start = self.now + self.chance.randrange(1, 60) * HOUR / 2
        reservation_move(self.by("wang"), reservation_id=self.coming(), period=Period(start, start + HOUR))

    def cancel(self):
        reservation_cancel(self.by("wang"), reservation_id=self.coming(), reason="")

    def check_in(self):
        coming = Reservation.objects.filter(state="confirmed").order_by("start_at").first()
        if coming:
            self.now = max(self.now, coming.start_at)
            reservation_check_in(self.by("wang"), reservation_id=coming.pk)

    def check_out(self):
        used = Reservation.objects.filter(state="in_use").first()
        if used:
            self.now += HOUR / 2
            reservation_check_out(self.by("wang"), reservation_id=used.pk)

    def wait(self):
        self.now += self.chance.choice((HOUR, 6 * HOUR, DAY, 4 * DAY))
        usage_settle(now=self.now)
        charges_finalise(now=self.now)

    def dispute(self):
        dispute_open(self.by("wang"), charge_id=self.one(Charge), reason="too long")

    def withdraw(self):
        dispute_withdraw(self.by("wang"), charge_id=self.one(Charge))

    def reject(self):
        dispute_reject(self.by("gao"), charge_id=self.one(Charge), answer="no")

    def correct(self):
        row = Charge.objects.filter(kind="use").exclude(state="reversed").order_by("pk").first()
        if row:
            start = row.reservation.start_at
            usage = Amendment(usage=(start, start + HOUR / 2))
            made = correction_propose(self.by("zhao"), charge_id=row.pk, amendment=usage, reason="vented")
            correction_agree(self.by("gao"), correction_id=made.pk)

    def draw(self):
        month = month_of(self.now, "Asia/Shanghai")
        self.now = at(f"{(month + 32 * DAY):%Y-%m}-01 08:00")
        usage_settle(now=self.now)
        statements_draw(month=month, now=self.now)

    def pay(self):
        paid = Paid(self.chance.choice((Decimal(1), Decimal(5), Decimal(-1))), self.now.date())
        statement_pay(self.by("gao"), statement_id=self.one(Statement), paid=paid)

    def void(self):
        statement_void(self.by("gao"), statement_id=self.one(Statement), reason="address")

    def act(self):
        usual = [self.book] * 4 + [self.check_in, self.check_out] * 3 + [self.wait] * 2
        rare = [
            self.move,
            self.move,
            self.cancel,
            self.cancel,
            self.dispute,
            self.withdraw,
            self.reject,
            self.correct,
        ]
        act = self.chance.choice(usual + rare + [self.pay, self.pay, self.void, self.draw])
        try:
            act()
            self.done.add(act.__name__)
        except Refused:
            pass


@pytest.mark.parametrize("seed", range(40 if DEEP else 3))
def test_who_reads_only_events_has_everything(cast, program, seed):  # noqa: F811
    day, client = Day(cast, seed), Client(program("zhao"))
    for number in range(120):
        day.act()
        if number % 10 == 9:  # as workers, who come later
            for lane in LANES:
                if lane != CALLS:
                    while effects_carry_out(now=day.now, lane=lane):
                        pass
            client.read()
            assert (client.bookings, client.charges, client.statements) == truth()
    assert {"book", "check_in", "check_out", "wait", "draw"} <= day.done
    assert Event.objects.count() >= 15 and client.charges and client.statements
