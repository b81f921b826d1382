"""Drawing up a month: each charge once, sums, numbers without gaps, closed months, credits,
voiding, and a count of statements that does not grow."""

import random
import re
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db.models import F, Sum

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import Organisation, OrganisationMove, OutboxMessage, TrailEntry
from bookings.messaging.selectors.webhooks import all_events
from bookings.models import Charge, ClosedMonth, Settlement, Statement, StatementCounter, StatementLine
from bookings.overview.services.effects import effects_carry_out
from bookings.settlement.selectors.books import (
    charges_astray,
    check_settlement,
    check_statement,
    statements_astray,
)
from bookings.settlement.selectors.papers import load_settlement_paper
from bookings.settlement.selectors.settlements import SETTLEMENTS, settlement_by_id, settlements_to_confirm
from bookings.settlement.services import statements as statement_services
from bookings.settlement.services.exchange_rates import RateTerms, rate_enter, statement_convert
from bookings.settlement.services.payments import Paid, statement_pay
from bookings.settlement.services.settlements import settlements_catch_up
from tests.conftest import DEEP
from tests.factories.api import hold_event_against_description
from tests.factories.cast import NOW, at
from tests.factories.money import APRIL, MARCH, abroad, charge_of, store
from tests.flows.test_statements import statements

FEBRUARY = date(2026, 2, 1)


@pytest.fixture
def drawn(cast):
    """Fudan's March at USTC: 106 + 212, of which a voucher pays 50."""
    store([charge_of(cast), charge_of(cast, total="212.00", covered="50.00")])
    statement_services.statements_draw(month=MARCH, now=APRIL)
    return cast, Statement.objects.get()


def test_one_for_each_payer_host_and_currency(cast):
    there = abroad(cast)
    store(
        [
            charge_of(cast, covered="6.00"),
            charge_of(cast),
            charge_of(cast, cast.optics, covered="6.00"),  # within a region
            charge_of(cast, currency="USD", covered="6.00"),
            charge_of(cast, instrument=there, currency="GBP", covered="6.00"),
            charge_of(cast, month=date(2026, 4, 1)),
            charge_of(cast, month=None),
        ]
    )
    made = statement_services.statements_draw(month=MARCH, now=APRIL)
    assert made == statement_services.Drawn(hosts=2, statements=4, settlements=3)
    found = Statement.objects.values_list("host__code", "payer__code", "currency", "charges")
    assert set(found) == {
        ("ustc", "fudan", "CNY", 2),
        ("ustc", "fudan", "USD", 1),
        ("ustc", "optics", "CNY", 1),
        ("edinburgh", "fudan", "GBP", 1),
    }
    one = Statement.objects.get(host=cast.ustc, payer=cast.fudan, currency="CNY")
    assert (one.total, one.tax, one.payable) == (Decimal(212), Decimal(12), Decimal(206))
    assert (one.month, one.year, one.due_date) == (MARCH, 2026, date(2026, 5, 1))
    assert ClosedMonth.objects.count() == 2


def test_numbers_are_by_host_and_year_without_gaps(cast):
    """Numbers go by the year of issue: December's statements are numbered in January's."""
    store([charge_of(cast, month=date(2026, 11, 1)), charge_of(cast, month=date(2026, 12, 1))])
    store([charge_of(cast, cast.optics, month=date(2026, 11, 1))])
    statement_services.statements_draw(month=date(2026, 11, 1), now=at("2026-12-01 01:00"))
    statement_services.statements_draw(month=date(2026, 12, 1), now=at("2027-01-01 01:00"))
    found = Statement.objects.order_by("year", "number").values_list("year", "number", "month")
    assert list(found) == [
        (2026, 1, date(2026, 11, 1)),
        (2026, 2, date(2026, 11, 1)),
        (2027, 1, date(2026, 12, 1)),
    ]
    assert set(StatementCounter.objects.values_list("year", "last")) == {(2026, 2), (2027, 1)}


def test_drawn_again_nothing_is_there_twice(drawn):
    assert statement_services.statements_draw(month=MARCH, now=APRIL) == statement_services.Drawn()
    assert statement_services.statements_draw_due(now=APRIL + timedelta(days=2)) == statement_services.Drawn()
    assert Statement.objects.count() == Settlement.objects.count() == 1
    assert StatementLine.objects.count() == 2


def test_a_month_is_over_where_the_host_is(cast):
    """Half past six on 1 April in China is 31 March in Scotland."""
    there = abroad(cast)
    abroad_too = charge_of(cast, instrument=there, currency="GBP", covered="6.00")
    store([charge_of(cast, covered="6.00"), abroad_too])
    early = at("2026-04-01 06:30")  # 23:30 of 31 March in Scotland
    with pytest.raises(Invalid) as refused:
        statement_services.statements_draw(month=MARCH, host=there.organisation, now=early)
    assert refused.value.problems[0].code == "month-not-over"
    # USTC is drawn, and settled with Shanghai; of Scotland February is over, with nothing in it,
    # and what concerns it in March waits.
    assert statement_services.statements_draw_due(now=early) == statement_services.Drawn(
        hosts=2, statements=1, settlements=1
    )
    later = at("2026-04-01 07:30")
    assert statement_services.statements_draw_due(now=later) == statement_services.Drawn(
        hosts=1, statements=1, settlements=1
    )
    assert Settlement.objects.filter(currency="GBP").count() == 1


def test_months_left_open_are_drawn_first(cast):
    store([charge_of(cast, month=date(2026, m, 1)) for m in (1, 2, 3)])
    assert statement_services.statements_draw(month=MARCH, now=APRIL).statements == 3
    assert list(ClosedMonth.objects.order_by("month").values_list("month", flat=True)) == [
        date(2026, 1, 1),
        date(2026, 2, 1),
        MARCH,
    ]
    assert list(Statement.objects.order_by("number").values_list("month", flat=True)) == [
        date(2026, 1, 1),
        date(2026, 2, 1),
        MARCH,
    ]


def test_a_month_without_charges_is_closed_all_the_same(cast):
    store([charge_of(cast, month=None)])
    assert statement_services.statements_draw_due(now=APRIL) == statement_services.Drawn(hosts=1)
    assert ClosedMonth.objects.get().month == MARCH
    assert TrailEntry.objects.filter(action="month.close").count() == 1


def test_reversed_charges_stay_on_it_and_a_credit_may_come_of_it(cast):
    first = charge_of(cast)
    first.state = "reversed"
    store([first])
    statement_services.statements_draw(month=MARCH, now=APRIL)
    back = charge_of(cast, total="-106.00", month=date(2026, 4, 1))
    back.kind, back.reverses, back.reservation = "reversal", first, first.reservation
    Charge.objects.bulk_create([back])
    statement_services.statements_draw(month=date(2026, 4, 1), now=at("2026-05-01 09:00"))
    owed = Statement.objects.order_by("month").values_list("payable", "state")
    assert list(owed) == [(Decimal(106), "issued"), (Decimal(-106), "issued")]


@pytest.mark.parametrize("seed", range(5))
def test_statements_of_a_month_sum_to_its_charges(cast, seed):
    """Random months: payers, hosts, currencies, vouchers, credits, months."""
    chance = random.Random(seed)
    hosts = [cast.microscope, abroad(cast)]
    charges = []
    for _ in range(chance.randrange(1, 80)):
        total = Decimal(chance.randrange(-50_000, 200_000)) / 100
        charges.append(
            charge_of(
                cast,
                chance.choice([cast.fudan, cast.optics, cast.ustc]),
                instrument=chance.choice(hosts),
                total=str(total),
                covered=str((total / 4).quantize(Decimal("0.01"))),
                currency=chance.choice(["CNY", "USD"]),
                month=chance.choice([MARCH, FEBRUARY]),
            )
        )
    store(charges)
    statement_services.statements_draw(month=MARCH, now=APRIL)
    sums = {name: Sum(name) for name in ("total", "tax", "covered", "payable")}
    for month in (FEBRUARY, MARCH):
        for currency in ("CNY", "USD"):
            this = {"month": month, "currency": currency}
            assert Statement.objects.filter(**this).aggregate(**sums) == (
                Charge.objects.filter(**this).aggregate(**sums)
            )
            across = Charge.objects.filter(**this).exclude(payer_region=F("host_region"))
            owed = Settlement.objects.filter(**this).aggregate(owed=Sum(F("first_owes") + F("second_owes")))
            assert owed["owed"] == across.aggregate(owed=Sum("covered"))["owed"]
    placed = Counter(StatementLine.objects.values_list("charge", flat=True))
    assert placed == Counter(c.pk for c in charges)
    assert all(check_statement(row).agrees for row in Statement.objects.all())
    assert all(check_settlement(row).agrees for row in Settlement.objects.all())
    assert statements_astray() == []
    assert not charges_astray().exists()


def test_the_check_finds_what_is_wrong(drawn):
    _, row = drawn
    assert check_statement(row).agrees
    Statement.objects.update(total=row.total + 1, payable=row.payable + 1)
    row.refresh_from_db()
    assert [f.name for f in check_statement(row).figures if not f.agrees] == ["total", "payable"]
    assert statements_astray() == [row]


@pytest.mark.parametrize(("payers", "many"), [(1, 500), (3, 10_000 if DEEP else 1_000)])
def test_a_constant_number_of_statements(cast, payers, many):
    """However many charges: those of a month of 10 and of 10,000 take as many."""
    who = [cast.fudan, cast.optics, cast.ustc][:payers]
    counts = []
    for n, month, now in ((10, MARCH, APRIL), (many, date(2026, 4, 1), at("2026-05-01 09:00"))):
        store([charge_of(cast, who[i % payers], month=month, covered="1.00") for i in range(n)])
        counts.append(statements(lambda m=month, t=now: statement_services.statements_draw(month=m, now=t)))
        assert StatementLine.objects.filter(charge__month=month).count() == n
    assert counts == [19, 19]  # one of them reads the regions whose day settlements fall due by


def test_a_void_number_stays_and_a_new_one_bills_the_charges(drawn):
    cast, old = drawn
    gao = cast.actor("gao")
    new = statement_services.statement_void(
        By(gao, APRIL + timedelta(days=1)), statement_id=old.pk, reason="Wrong name"
    )
    old.refresh_from_db()
    assert (old.state, old.number, old.void_reason) == ("voided", 1, "Wrong name")
    assert (new.number, new.replaces_id, new.payable) == (2, old.pk, old.payable)
    assert new.due_date == date(2026, 5, 2)
    billed = set(new.lines.values_list("charge", "position"))
    assert billed == set(old.lines.values_list("charge", "position"))
    assert StatementLine.objects.filter(is_void=False).count() == 2
    assert check_statement(new).agrees
    with pytest.raises(WrongState):
        statement_services.statement_void(By(gao, APRIL), statement_id=old.pk, reason="Again")
    entry = TrailEntry.objects.get(action="statement.void")
    assert entry.text.content == {"reason": "Wrong name"}


def test_voiding_is_refused(drawn):
    cast, row = drawn
    for who in ("zhao", "lin", "coordinator", "admin"):
        with pytest.raises(NotPermitted if who in {"zhao", "lin"} else NotFound):
            statement_services.statement_void(By(cast.actor(who), APRIL), statement_id=row.pk, reason="x")
    gao = cast.actor("gao")
    with pytest.raises(Invalid):
        statement_services.statement_void(By(gao, APRIL), statement_id=row.pk, reason=" ")
    with pytest.raises(WrongVersion):
        statement_services.statement_void(By(gao, APRIL, 7), statement_id=row.pk, reason="x")
    statement_pay(By(gao, APRIL), statement_id=row.pk, paid=Paid(Decimal(1), APRIL.date()))
    with pytest.raises(WrongState) as refused:
        statement_services.statement_void(By(gao, APRIL), statement_id=row.pk, reason="x")
    assert refused.value.code == "has-payments"
    assert Statement.objects.count() == 1
    assert not StatementLine.objects.filter(is_void=True).exists()


def rate(cast, actor="lin", **values):
    said = {
        "base": "CNY",
        "quote": "GBP",
        "rate": Decimal("0.1087"),
        "valid_on": date(2026, 3, 31),
        "source": "Bank of England",
    } | values
    organisation = said.pop("organisation", cast.fudan)
    return rate_enter(By(cast.actor(actor), APRIL), organisation=organisation, terms=RateTerms(**said))


def test_a_rate_known_at_issue_is_shown_and_stays(cast):
    there = abroad(cast)
    store([charge_of(cast, instrument=there, currency="GBP", total="100.00")])
    rate(cast, base="GBP", quote="CNY", rate=Decimal("9.1"), valid_on=date(2026, 3, 1))
    best = rate(cast, base="GBP", quote="CNY", rate=Decimal("9.2"))
    statement_services.statements_draw(month=MARCH, now=APRIL)
    row = Statement.objects.get()
    assert (row.exchange_rate, row.payer_currency) == (best, "CNY")
    assert (row.payable, row.payer_payable) == (Decimal(100), Decimal(920))
    rate(cast, base="GBP", quote="CNY", rate=Decimal("9.9"), valid_on=APRIL.date())
    row.refresh_from_db()
    assert row.payer_payable == Decimal(920)


def test_without_a_rate_nothing_converts_until_finance_attaches_one(cast):
    there = abroad(cast)
    store([charge_of(cast, instrument=there, currency="GBP", total="100.00")])
    statement_services.statements_draw(month=MARCH, now=APRIL)
    row = Statement.objects.get()
    assert (row.payer_currency, row.payer_payable) == ("", None)
    said = rate(cast, base="GBP", quote="CNY", rate=Decimal("9.2"))
    other = rate(cast)
    with pytest.raises(NotFound):
        statement_convert(By(cast.actor("gao"), APRIL), statement_id=row.pk, rate_id=said.pk)
    lin = cast.actor("lin")
    with pytest.raises(Invalid):
        statement_convert(By(lin, APRIL), statement_id=row.pk, rate_id=other.pk)
    shown = statement_convert(By(lin, APRIL), statement_id=row.pk, rate_id=said.pk)
    assert (shown.payer_payable, shown.payable) == (Decimal(920), Decimal(100))


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"base": "XXX"}, "base", "unknown-currency"),
        ({"quote": "CNY"}, "quote", "same-currency"),
        ({"rate": Decimal(0)}, "rate", "out-of-range"),
        ({"rate": Decimal("1.00000000001")}, "rate", "out-of-range"),
        ({"valid_on": date(2026, 4, 2)}, "valid_on", "in-the-future"),
        ({"source": " "}, "source", "required"),
    ],
)
def test_a_rate_that_cannot_be(cast, values, field, code):
    with pytest.raises(Invalid) as refused:
        rate(cast, **values)
    (problem,) = refused.value.problems
    assert (problem.field, problem.code) == (field, code)


def test_only_its_finance_enters_a_rate(cast):
    for who in ("chen", "gao", "xu", "admin"):
        with pytest.raises(NotPermitted):
            rate(cast, actor=who)


def test_reminders_go_out_once_and_then_every_thirty_days(drawn):
    def reminders():
        return OutboxMessage.objects.filter(kind="statement.overdue").count()

    due = at("2026-05-01 23:00")
    assert statement_services.statements_remind(now=due) == 0
    for days, so_many in ((1, 1), (2, 1), (30, 1), (31, 2), (61, 3)):
        assert statement_services.statements_remind(now=due + timedelta(days=days)) == 1
        assert reminders() == so_many, days
    cast, row = drawn
    statement_pay(By(cast.actor("gao"), APRIL), statement_id=row.pk, paid=Paid(row.payable, APRIL.date()))
    assert statement_services.statements_remind(now=due + timedelta(days=100)) == 0


def test_the_command(cast, capsys, monkeypatch):
    store([charge_of(cast, covered="6.00")])
    monkeypatch.setattr("django.utils.timezone.now", lambda: APRIL)
    call_command("draw_statements", "--month", "2026-03")
    assert "1 statements" in capsys.readouterr().out
    with pytest.raises(CommandError, match="2026-03"):
        call_command("draw_statements", "--month", "2026-3")
    with pytest.raises(CommandError, match="not over"):
        call_command("draw_statements", "--month", "2026-04", "--host", "ustc")
    with pytest.raises(CommandError, match="nobody"):
        call_command("draw_statements", "--month", "2026-03", "--host", "nobody")
    call_command("check_statements")
    assert "1 statements and 1 settlements agree" in capsys.readouterr().out
    Statement.objects.update(payable=1, total=1, covered=0)
    with pytest.raises(CommandError):
        call_command("check_statements")


def test_the_payers_finance_and_both_coordinators_are_told(drawn):
    cast, row = drawn
    effects_carry_out(now=APRIL)
    sent = {message.to[0]: message for message in mail.outbox}
    assert set(sent) == {"lin@fudan.example", "xu@shanghai.example", "coordinator@anhui.example"}
    assert sent["lin@fudan.example"].subject == "Statement USTC-2026-0001 of USTC"
    assert "CNY 268.00" in sent["lin@fudan.example"].body
    assert f"/money/statements/{row.pk}/" in sent["lin@fudan.example"].body
    assert "CNY 50.00" in sent["xu@shanghai.example"].body
    mail.outbox.clear()
    statement_services.statement_void(By(cast.actor("gao"), APRIL), statement_id=row.pk, reason="Name")
    effects_carry_out(now=APRIL)
    (message,) = mail.outbox
    assert message.subject == "Statement USTC-2026-0002 of USTC, instead of USTC-2026-0001"
    mail.outbox.clear()
    late = at("2026-05-03 09:00")
    statement_services.statements_remind(now=late)
    effects_carry_out(now=late)
    (message,) = mail.outbox
    assert message.subject == "Overdue: statement USTC-2026-0002 of USTC, Fri 1 May"


def test_a_reminder_of_what_was_paid_meanwhile_is_not_sent(drawn):
    cast, row = drawn
    effects_carry_out(now=APRIL)
    mail.outbox.clear()
    late = at("2026-05-03 09:00")
    statement_services.statements_remind(now=late)
    paid = Paid(row.payable, APRIL.date())
    statement_pay(By(cast.actor("gao"), late), statement_id=row.pk, paid=paid)
    effects_carry_out(now=late)
    assert mail.outbox == []


def test_what_nobody_disputed_in_time_is_drawn_with_its_month(cast):
    """The job that makes charges final slept: drawing up does it first."""
    late = charge_of(cast, month=None)
    late.open_until = at("2026-03-31 23:59")
    still_open = charge_of(cast, month=None)
    still_open.open_until = at("2026-04-01 09:01")
    store([late, still_open])
    assert statement_services.statements_draw(month=MARCH, now=APRIL).statements == 1
    late.refresh_from_db()
    assert (late.state, late.month) == ("final", MARCH)
    assert list(StatementLine.objects.values_list("charge", flat=True)) == [late.pk]


@pytest.mark.parametrize("covered", [("0.00",), ("50.00", "-50.00")])
def test_no_settlement_where_nothing_is_owed(cast, covered):
    """Use without vouchers, and vouchers that a correction took back, leave nothing to confirm."""
    store([charge_of(cast, cast.fudan, covered=amount) for amount in covered])
    statement_services.statements_draw(month=MARCH, now=APRIL)
    settlements_catch_up(now=APRIL)
    assert not Settlement.objects.exists()
    assert not OutboxMessage.objects.filter(kind="settlement.drawn").exists()
    assert not TrailEntry.objects.filter(action="settlement.draw").exists()


@pytest.mark.parametrize("how", ["moved", "merged"])
def test_a_settlement_waits_for_a_host_whose_bookings_keep_a_region_it_left(cast, how):
    elsewhere = abroad(cast).organisation
    late, soon = charge_of(cast, covered="50.00"), charge_of(cast, covered="20.00")
    soon.host = soon.reservation.host = cast.optics
    if how == "moved":
        OrganisationMove.objects.create(
            organisation=cast.ustc, from_region=cast.anhui, region=elsewhere.region,
            starts_on=date(2026, 3, 20), decided_by=cast.admin, decided_at=NOW,
            carried_out_at=at("2026-03-20 00:00"),
        )  # fmt: skip
        Organisation.objects.filter(pk=cast.ustc.pk).update(region=elsewhere.region)
    else:  # its bookings ahead went over
        Organisation.objects.filter(pk=elsewhere.pk).update(absorbed=[cast.ustc.pk])
        late.host = late.reservation.host = elsewhere
    store([late, soon])
    statement_services.statements_draw(month=MARCH, host=cast.optics, now=APRIL)
    assert not Settlement.objects.exists()
    statement_services.statements_draw(month=MARCH, now=APRIL)
    row = Settlement.objects.get()
    assert {row.first, row.second} == {cast.anhui, cast.shanghai}
    assert row.first_owes + row.second_owes == 70


def test_a_settlement_lists_use_by_the_region_the_payer_had(cast):
    store([charge_of(cast, covered="20.00")])
    statement_services.statements_draw(month=MARCH, now=APRIL)
    row = Settlement.objects.get()
    before = load_settlement_paper(row)
    (line,) = [*before.by_first, *before.by_second]
    assert line.covered == 20
    # Its payer moves to the region of the host afterwards.
    Organisation.objects.filter(pk=cast.fudan.pk).update(region=cast.anhui)
    after = load_settlement_paper(row)
    assert (after.by_first, after.by_second) == (before.by_first, before.by_second)


def test_empty_settlements_of_before_are_confirmed_by_the_job_and_not_listed(cast):
    made = Settlement.objects.create(
        first=cast.anhui, second=cast.shanghai, month=MARCH, currency="CNY", first_owes=0, second_owes=0,
        drawn_up_at=APRIL, due_date=date(2026, 5, 1),
    )  # fmt: skip
    settlements_catch_up(now=APRIL)
    row = Settlement.objects.get()
    assert (row.state, row.first_confirmed_at, row.version) == ("confirmed", APRIL, 2)
    entry = TrailEntry.objects.get(action="settlement.confirm")
    assert (entry.actor_id, entry.after) == (None, {"state": "confirmed"})
    settlements_catch_up(now=APRIL)
    row.refresh_from_db()
    assert row.version == 2
    xu = cast.actor("xu")
    assert not settlements_to_confirm(xu, APRIL).exists()
    assert not SETTLEMENTS.rows(xu).exists()
    assert settlement_by_id(xu, made.pk) == made  # its address still opens it


def test_a_reminder_by_the_button_is_sent_once_a_day(drawn):
    cast, row = drawn
    remind, gao = statement_services.statement_remind, cast.actor("gao")

    def reminders():
        return OutboxMessage.objects.filter(kind="statement.overdue").count()

    for who, now, code in (
        ("lin", "2026-05-03 09:00", "not-permitted"),
        ("gao", "2026-05-01 23:00", "not-overdue"),
    ):
        with pytest.raises((NotPermitted, WrongState)) as refused:
            remind(By(cast.actor(who), at(now)), statement_id=row.pk)
        assert (refused.value.code, reminders()) == (code, 0)
    statement_services.statements_remind(now=at("2026-05-02 09:00"))
    assert Statement.objects.get(pk=row.pk).reminded_at == at("2026-05-02 09:00")
    for hour, so_many in (("2026-05-02 20:00", 1), ("2026-05-03 09:00", 2), ("2026-05-03 20:00", 2)):
        if reminders() == so_many:
            with pytest.raises(WrongState) as refused:
                remind(By(gao, at(hour)), statement_id=row.pk)
            assert refused.value.code == "reminded-today"
        else:
            remind(By(gao, at(hour)), statement_id=row.pk)
        assert reminders() == so_many
    # The timetable goes on by itself: nothing on the next day, again thirty days after the first.
    for day, so_many in (("2026-05-04", 2), ("2026-06-01", 3)):
        statement_services.statements_remind(now=at(f"{day} 09:00"))
        assert reminders() == so_many
    assert Statement.objects.get(pk=row.pk).reminded_at == at("2026-06-01 09:00")
    statement_pay(By(gao, APRIL), statement_id=row.pk, paid=Paid(row.payable, APRIL.date()))
    with pytest.raises(WrongState):
        remind(By(gao, at("2026-06-05 09:00")), statement_id=row.pk)


def test_a_reminder_by_the_button_stands_for_that_of_the_timetable_of_the_day(drawn):
    cast, row = drawn
    first = at("2026-05-02 09:00")
    statement_services.statement_remind(By(cast.actor("gao"), first), statement_id=row.pk)
    statement_services.statements_remind(now=first + timedelta(hours=1))
    assert OutboxMessage.objects.filter(kind="statement.overdue").count() == 1
    assert Statement.objects.get(pk=row.pk).reminded_at == first


def test_a_reminder_that_went_out_before_has_no_other_day(drawn):
    """Earlier releases stored no day."""
    _, row = drawn
    statement_services.statements_remind(now=at("2026-05-02 09:00"))
    Statement.objects.filter(pk=row.pk).update(reminded_at=None)
    statement_services.statements_remind(now=at("2026-05-10 09:00"))
    assert Statement.objects.get(pk=row.pk).reminded_at is None
    statement_services.statements_remind(now=at("2026-06-01 09:00"))
    assert Statement.objects.get(pk=row.pk).reminded_at == at("2026-06-01 09:00")
    assert OutboxMessage.objects.filter(kind="statement.overdue").count() == 2


def test_numbers_are_set_by_who_knows_them_and_go_with_the_replacement(drawn):
    cast, row = drawn
    order, invoice = (
        statement_services.statement_set_order_number,
        statement_services.statement_set_invoice_number,
    )
    for who, act, values in (
        ("chen", order, {"order_number": "1"}),
        ("lin", invoice, {"invoice_number": "1"}),
    ):
        with pytest.raises((NotPermitted, NotFound)):
            act(By(cast.actor(who), APRIL), statement_id=row.pk, **values)
    with pytest.raises(Invalid) as refused:
        order(By(cast.actor("lin"), APRIL), statement_id=row.pk, order_number="x" * 61)
    assert refused.value.problems[0].code == "too-long"
    version = row.version
    for who, number in (("lin", "PO 1"), ("lin", "PO 1"), ("gao", " PO  2 ")):
        row = order(By(cast.actor(who), APRIL), statement_id=row.pk, order_number=number)
    assert (row.order_number, row.version) == ("PO 2", version + 2)
    row = invoice(By(cast.actor("gao"), APRIL), statement_id=row.pk, invoice_number="F 1")
    gao = By(cast.actor("gao"), APRIL)
    new = statement_services.statement_void(gao, statement_id=row.pk, reason="Name")
    assert (new.order_number, new.invoice_number) == ("PO 2", "")
    with pytest.raises(WrongState):
        order(gao, statement_id=row.pk, order_number="PO 3")
    Statement.objects.filter(pk=new.pk).update(payer=cast.ustc)
    with pytest.raises(WrongState) as refused:
        invoice(gao, statement_id=new.pk, invoice_number="F 2")
    assert refused.value.code == "no-invoice"
    with pytest.raises(WrongState) as refused:
        order(gao, statement_id=new.pk, order_number="PO 4")
    assert refused.value.code == "no-order"


class TestRemindMany:
    """Payers of several overdue statements are reminded at once, and not again for some days."""

    def remind(self, cast, who, when, *rows):
        ids = [row.pk for row in rows]
        return statement_services.statements_remind_chosen(By(cast.actor(who), when), statement_ids=ids)

    def test_those_that_are_overdue_and_not_again_within_the_week(self, drawn):
        cast, row = drawn
        store([charge_of(cast, cast.optics)])
        sent = lambda: OutboxMessage.objects.filter(kind="statement.overdue").count()  # noqa: E731
        early, late = at("2026-04-20 09:00"), at("2026-05-10 09:00")
        assert self.remind(cast, "gao", early, row) == (0, 1) and sent() == 0
        assert self.remind(cast, "gao", late, row, row) == (1, 0) and sent() == 1
        version = Statement.objects.get(pk=row.pk).version
        for days in (0, 1, 6):
            assert self.remind(cast, "gao", late + timedelta(days=days), row) == (0, 1)
        assert sent() == 1 and Statement.objects.get(pk=row.pk).version == version
        assert self.remind(cast, "gao", late + timedelta(days=7), row) == (1, 0) and sent() == 2
        assert TrailEntry.objects.filter(action="statement.remind").count() == 2

    def test_one_message_lists_all_that_a_payer_owes(self, drawn, monkeypatch):
        cast, row = drawn
        store([charge_of(cast, month=date(2026, 4, 1), total="53.00")])
        statement_services.statements_draw(month=date(2026, 4, 1), now=at("2026-05-01 09:00"))
        other = Statement.objects.exclude(pk=row.pk).get()
        late = at("2026-06-20 09:00")
        effects_carry_out(now=late)
        mail.outbox.clear()
        assert self.remind(cast, "gao", late, row, other) == (2, 0)
        monkeypatch.setattr("django.utils.timezone.now", lambda: late)
        effects_carry_out(now=late)
        (letter,) = [each for each in mail.outbox if each.to == ["lin@fudan.example"]]
        assert letter.subject.startswith("Overdue statements of USTC: 2")
        assert "CNY 268.00" in letter.body and "CNY 53.00" in letter.body
        # Webhooks are told of each.
        told = list(OutboxMessage.objects.filter(kind="statement.overdue"))
        assert len(told) == 2
        for event in (each for row in told for each in all_events()[row.kind].load(row.kind, row)):
            hold_event_against_description(event.event, event.data)

    def test_for_the_hosts_finance_only_and_all_or_none(self, drawn):
        cast, row = drawn
        late = at("2026-05-10 09:00")
        for who, refused in (("lin", NotPermitted), ("zhao", NotPermitted), ("hu", NotFound)):
            with pytest.raises(refused):
                self.remind(cast, who, late, row)
        with pytest.raises(NotFound):
            ids = [row.pk, cast.fudan.pk]
            statement_services.statements_remind_chosen(By(cast.actor("gao"), late), statement_ids=ids)
        with pytest.raises(Invalid):
            self.remind(cast, "gao", late)
        assert not OutboxMessage.objects.filter(kind="statement.overdue").exists()

    def test_from_the_list(self, drawn, client, monkeypatch):
        cast, row = drawn
        late = at("2026-05-10 09:00")
        monkeypatch.setattr("django.utils.timezone.now", lambda: late)
        client.force_login(cast.people["gao"])
        html = client.get("/money/statements/?state=overdue").content.decode()
        assert f'value="{row.pk}"' in html and 'data-tick-all="remind"' in html
        assert not re.search(r"<input[^>]*[\s]checked", html)  # nobody is reminded by one press
        assert "Remind the payers of the ticked statements" in html
        answer = client.post("/money/statements/remind/?state=overdue", {"chosen": [row.pk]}, follow=True)
        html = answer.content.decode()
        assert "The payer of 1 statement is reminded." in html and "reminded Sun 10 May 2026" in html
        assert "Remind the payers of the ticked statements" not in html
        html = client.post("/money/statements/remind/", {"chosen": [row.pk]}, follow=True).content.decode()
        assert "1 statement was left out" in html
        html = client.post("/money/statements/remind/", {"chosen": ["x"]}, follow=True).content.decode()
        assert "Choose at least one statement." in html
        client.force_login(cast.people["lin"])
        assert "Remind the payers" not in client.get("/money/statements/").content.decode()
