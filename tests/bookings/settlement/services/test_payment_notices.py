"""What payers say they have paid: reporting, matching, refusing, withdrawing; who may, and what a
notice does not change."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import Message, TrailEntry
from accounts.models.keys import new_id
from accounts.selectors.waits import kinds, load_waiting
from bookings.models import LedgerEntry, Payment, PaymentNotice, Statement
from bookings.overview.services.effects import effects_carry_out
from bookings.settlement.selectors.books import check_statement
from bookings.settlement.services.payment_notices import (
    payment_notice_match,
    payment_notice_refuse,
    payment_notice_report,
    payment_notice_withdraw,
)
from bookings.settlement.services.payments import Paid, statement_pay
from bookings.settlement.services.statements import statement_void, statements_draw
from tests.factories.cast import NOW
from tests.factories.money import APRIL, MARCH, charge_of, store

DAY = date(2026, 4, 1)
EVERYBODY = ("wang", "sun", "hu", "zhao", "chen", "lin", "gao", "auditor", "coordinator", "xu")


@pytest.fixture
def drawn(cast):
    """Fudan owes USTC 268."""
    store([charge_of(cast), charge_of(cast, total="212.00", covered="50.00")])
    statements_draw(month=MARCH, now=APRIL)
    return cast, Statement.objects.get()


def report(cast, row, amount="268.00", *, who="lin", day=DAY, reference="T 1", **values):
    paid = Paid(Decimal(amount), day, reference)
    return payment_notice_report(
        By(cast.actor(who), APRIL, values.pop("expected_version", None)),
        statement_id=row.pk,
        paid=paid,
        **values,
    )


def match(cast, notice, who="gao", **values):
    return payment_notice_match(
        By(cast.actor(who), APRIL, values.pop("expected_version", None)), notice_id=notice.pk, **values
    )


def refuse(cast, notice, who="gao", reason="No such transfer"):
    return payment_notice_refuse(By(cast.actor(who), APRIL), notice_id=notice.pk, reason=reason)


def withdraw(cast, notice, who="lin"):
    return payment_notice_withdraw(By(cast.actor(who), APRIL), notice_id=notice.pk)


def code_of(refused):
    value = refused.value
    return value.problems[0].code if isinstance(value, Invalid) else value.code


def test_reporting_changes_nothing_but_is_told_to_the_host(drawn):
    cast, row = drawn
    entries = LedgerEntry.objects.count()
    notice = report(cast, row)
    before = (row.state, row.paid, row.version)
    row.refresh_from_db()
    assert (row.state, row.paid, row.version) == before
    assert (notice.state, notice.amount, notice.currency) == ("reported", Decimal(268), "CNY")
    assert not Payment.objects.exists() and LedgerEntry.objects.count() == entries
    effects_carry_out(now=APRIL)
    (told,) = Message.objects.filter(kind="statement.notice-reported")
    assert told.user == cast.gao and "T 1" in told.text
    waiting = {each.what: each for each in load_waiting(cast.actor("gao"), APRIL, kinds().values())}
    assert waiting["notices"].sums == (("CNY", False, Decimal(268)),)
    assert "notices" not in {each.what for each in load_waiting(cast.actor("lin"), APRIL, kinds().values())}


def test_matching_records_the_payment_with_it(drawn):
    cast, row = drawn
    notice = match(cast, report(cast, row, "100.00"))
    row.refresh_from_db()
    payment = Payment.objects.get()
    assert (notice.state, notice.payment) == ("matched", payment)
    assert (payment.amount, payment.paid_on, payment.reference) == (Decimal(100), DAY, "T 1")
    assert payment.entered_by == cast.gao
    assert (row.state, row.paid) == ("part_paid", Decimal(100))
    assert check_statement(row).agrees
    acts = TrailEntry.objects.filter(object_id=row.pk).order_by("id").values_list("action")
    assert [act for (act,) in acts][1:] == [
        "statement.notice-report",
        "statement.payment",
        "statement.notice-match",
    ]
    effects_carry_out(now=APRIL)
    assert Message.objects.get(kind="statement.notice-matched").user == cast.lin


def test_refusing_says_why_and_leaves_it_open(drawn):
    cast, row = drawn
    notice = report(cast, row)
    with pytest.raises(Invalid):
        refuse(cast, notice, reason="  ")
    refuse(cast, notice)
    notice.refresh_from_db()
    assert (notice.state, notice.reason, notice.payment) == ("refused", "No such transfer", None)
    assert not Payment.objects.exists()
    effects_carry_out(now=APRIL)
    assert "No such transfer" in Message.objects.get(kind="statement.notice-refused").text
    report(cast, row)  # a refused one may be said again


def test_one_withdrawn_is_not_told_of_any_more(drawn):
    cast, row = drawn
    withdraw(cast, report(cast, row))
    effects_carry_out(now=APRIL)
    assert set(Message.objects.filter(kind__contains="notice").values_list("kind", flat=True)) == {
        "statement.notice-withdrawn"
    }


@pytest.mark.parametrize(
    ("amount", "day", "code"),
    [
        ("268.01", DAY, "more-than-owed"),
        ("0", DAY, "nothing-paid"),
        ("-1", DAY, "too-small"),
        ("1.001", DAY, "too-many-decimals"),
        ("1", DAY + timedelta(days=1), "in-the-future"),
    ],
)
def test_what_cannot_have_been_paid_is_refused(drawn, amount, day, code):
    cast, row = drawn
    with pytest.raises(Invalid) as refused:
        report(cast, row, amount, day=day)
    assert code_of(refused) == code
    assert not PaymentNotice.objects.exists()


def test_said_twice_or_more_in_all_than_is_open(drawn):
    cast, row = drawn
    report(cast, row, "200.00")
    with pytest.raises(WrongState) as refused:
        report(cast, row, "200.00")
    assert code_of(refused) == "already-reported"
    with pytest.raises(Invalid) as over:
        report(cast, row, "68.01", reference="T 2")
    assert (code_of(over), over.value.problems[0].numbers["most"]) == ("more-than-owed", "68.00")
    report(cast, row, "68.00", reference="T 2")
    assert PaymentNotice.objects.count() == 2


def test_nothing_is_reported_on_what_is_voided_paid_or_a_credit(drawn):
    cast, row = drawn
    gao = cast.actor("gao")
    store([charge_of(cast, total="-10.60", month=date(2026, 4, 1))])
    statements_draw(month=date(2026, 4, 1), now=APRIL + timedelta(days=31))
    with pytest.raises(WrongState) as credit:
        report(cast, Statement.objects.get(payable__lt=0), "1")
    new = statement_void(By(gao, APRIL), statement_id=row.pk, reason="Name")
    with pytest.raises(WrongState) as voided:
        report(cast, row)
    statement_pay(By(gao, APRIL), statement_id=new.pk, paid=Paid(Decimal(268), DAY))
    with pytest.raises(WrongState) as paid:
        report(cast, new, "1")
    codes = (code_of(credit), code_of(voided), code_of(paid))
    assert codes == ("nothing-to-pay", "wrong-state", "nothing-to-pay")
    assert not PaymentNotice.objects.exists()


def test_one_on_a_statement_that_is_voided_goes_to_its_successor(drawn):
    cast, row = drawn
    notice = report(cast, row)
    new = statement_void(By(cast.actor("gao"), APRIL), statement_id=row.pk, reason="Name")
    notice.refresh_from_db()
    assert notice.statement == new
    match(cast, notice)
    new.refresh_from_db()
    assert new.state == "paid"


def test_decided_once(drawn):
    cast, row = drawn
    notice = report(cast, row)
    match(cast, notice)
    for again in (match, refuse, withdraw):
        with pytest.raises(WrongState):
            again(cast, notice)
    assert Payment.objects.count() == 1


def test_less_is_open_by_now(drawn):
    cast, row = drawn
    notice = report(cast, row)
    paid = Paid(Decimal(100), DAY)
    statement_pay(By(cast.actor("gao"), APRIL), statement_id=row.pk, paid=paid)
    with pytest.raises(WrongState) as refused:
        match(cast, notice)
    assert (code_of(refused), refused.value.numbers["most"]) == ("more-than-owed", "168.00")
    notice.refresh_from_db()
    assert notice.state == "reported" and Payment.objects.count() == 1


def test_versions_and_ids_that_are_not(drawn):
    cast, row = drawn
    with pytest.raises(WrongVersion):
        report(cast, row, expected_version=9)
    notice = report(cast, row)
    with pytest.raises(WrongVersion):
        match(cast, notice, expected_version=9)
    with pytest.raises(NotFound):
        match(cast, PaymentNotice(pk=new_id()))
    assert not Payment.objects.exists()


SEE = {"zhao", "chen", "lin", "gao", "auditor"}


@pytest.mark.parametrize(
    ("act", "may"), [(report, "lin"), (match, "gao"), (refuse, "gao"), (withdraw, "lin")]
)
def test_the_payers_finance_reports_and_withdraws_the_hosts_decides(drawn, act, may):
    cast, row = drawn
    notice = row if act is report else report(cast, row)
    for who in EVERYBODY:
        if who != may:
            with pytest.raises(NotPermitted if who in SEE else NotFound):
                act(cast, notice, who=who)
    assert not Payment.objects.exists()
    act(cast, notice, who=may)


def test_the_database_holds_that_matched_is_paid(drawn):
    cast, row = drawn
    notice = report(cast, row)
    for changes in ({"state": "matched"}, {"amount": 0}, {"decided_at": NOW}):
        with pytest.raises(IntegrityError), transaction.atomic():
            PaymentNotice.objects.filter(pk=notice.pk).update(**changes)
