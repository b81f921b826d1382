"""Money that banks brought is received once: when it is kept as credit, and not again when that is used."""

import csv
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from accounts.domain.roles import By
from bookings.bank.models import BankCredit, BankFile, BankTransaction
from bookings.bank.selectors.received import BankDays, Received, load_bank_days, load_kept, load_received
from bookings.bank.services.credits import credit_use
from bookings.journal.selectors.years import load_year
from bookings.models import Statement
from bookings.settlement.selectors.payments import payment_totals, payments_for
from bookings.settlement.services.payments import Paid, statement_pay
from bookings.settlement.services.statements import statements_draw
from instruments.reading.domain.clock import day_span
from tests.accounts.pages import page_of
from tests.factories.cast import at
from tests.factories.money import APRIL, MARCH, charge_of, store

LATER = at("2026-04-10 09:00")
IN_APRIL, MAY = date(2026, 4, 1), date(2026, 5, 1)
D = Decimal


@pytest.fixture
def paid(cast):
    """Fudan owes USTC 212.00; of March's money 100.00 pays it and 500.00 are kept, which is entered in April;
    then 50.00 of what is kept are used, and 20.00 more paid."""
    store([charge_of(cast, total="212.00")])
    statements_draw(month=MARCH, now=APRIL)
    row = Statement.objects.get()
    by = By(cast.actor("gao"), LATER)
    statement_pay(by, statement_id=row.pk, paid=Paid(D(100), date(2026, 3, 31), "R"))
    file = BankFile.objects.create(
        host=cast.ustc, name="f", format="csv", sha256="0" * 64, account="1", currency="CNY",
        transactions_read=1, known_before=0, read_by=cast.gao, read_at=LATER,
    )  # fmt: skip
    brought = BankTransaction.objects.create(
        file=file, host=cast.ustc, account="1", position=1, key="k", booked_on=date(2026, 3, 30),
        amount=500, currency="CNY", state="credit", credited=500,
    )  # fmt: skip
    BankCredit.objects.create(
        host=cast.ustc, payer=cast.fudan, currency="CNY", position=1, kind="kept", amount=500, balance=500,
        transaction=brought, entered_by=cast.gao, entered_at=LATER,
    )  # fmt: skip
    credit_use(by, statement_id=row.pk, amount=D(50))
    statement_pay(by, statement_id=row.pk, paid=Paid(D(20), date(2026, 4, 9), "R"))
    return cast


def test_credit_counts_when_the_bank_brought_it(paid):
    assert load_received(paid.actor("gao"), IN_APRIL) == [Received("CNY", D(20), D(600), D(0))]
    assert load_received(paid.actor("gao"), MARCH) == [Received("CNY", D(600), D(0), D(500))]
    assert load_received(paid.actor("lin"), MARCH) == []
    totals = payment_totals(payments_for(paid.actor("gao")), paid.actor("gao"))
    assert totals == [("CNY", "credit", 1, D(50)), ("CNY", "received", 2, D(120))]
    assert load_kept([paid.ustc.pk], "host") == {(paid.fudan.pk, "CNY"): D(450)}
    assert load_kept([paid.fudan.pk], "payer") == {(paid.ustc.pk, "CNY"): D(450)}


@pytest.mark.parametrize(("who", "is_host"), [("ustc", True), ("fudan", False)])
def test_both_days_add_up(paid, who, is_host):
    zone = ZoneInfo("Asia/Shanghai")
    for days, amounts in (
        ((MARCH, IN_APRIL), (600, 600, 0, 0)),
        ((IN_APRIL, MAY), (20, 0, 600, 620)),
        ((MARCH, MAY), (620, 0, 0, 620)),
    ):
        span = (day_span(zone, days[0])[0], day_span(zone, days[1])[0])
        (found,) = load_bank_days(getattr(paid, who), is_host=is_host, days=days, span=span)
        assert found == BankDays("CNY", *map(D, amounts))
        assert found.by_day - found.later + found.earlier == found.posted


def test_ageing_and_the_journal_show_it(paid, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: LATER)
    client = Client()
    client.force_login(paid.gao)
    page = page_of(client.get("/money/ageing/?side=owed"))
    assert "Credit kept" in page and "450.00" in page and "Credit statements" in page
    sent = b"".join(client.get("/money/ageing/?side=owed&format=csv")).decode()
    assert sent.splitlines()[0].endswith("credit_kept") and sent.splitlines()[1].endswith("450.00")
    page = page_of(client.get("/money/journal/?organisation=ustc&side=host&period=2026-04"))
    assert "Money received by both days" in page and "620.00" in page
    client.force_login(paid.lin)
    assert "450.00" in page_of(client.get("/money/ageing/?side=owing"))


@pytest.mark.parametrize(("who", "org", "side"), [("gao", "ustc", "owed"), ("lin", "fudan", "owing")])
def test_credit_of_parties_with_nothing_open_is_listed(paid, program, monkeypatch, who, org, side):
    """Page, file, API and the year's page say the same credit, by party and as a whole."""
    row = Statement.objects.get()
    statement_pay(
        By(paid.actor("gao"), LATER), statement_id=row.pk, paid=Paid(row.payable - row.paid, MARCH, "R")
    )
    file = BankFile.objects.get()
    more = BankTransaction.objects.create(
        file=file, host=paid.ustc, account="1", position=2, key="l", booked_on=date(2026, 4, 2),
        amount=7, currency="CNY", state="credit", credited=7,
    )  # fmt: skip
    BankCredit.objects.create(
        host=paid.ustc, payer=paid.optics, currency="CNY", position=1, kind="kept", amount=7, balance=7,
        transaction=more, entered_by=paid.gao, entered_at=LATER,
    )  # fmt: skip
    monkeypatch.setattr("django.utils.timezone.now", lambda: LATER)
    client = Client()
    client.force_login(paid.people[who])
    body = program(who).get(f"ageing/?side={side}").body
    of_api = {one["counterparty"]: D(one["credit_kept"]["amount"]) for one in body["rows"]}
    assert of_api == ({"fudan": D(450), "optics": D(7)} if side == "owed" else {"ustc": D(450)})
    assert [D(one["credit_kept"]["amount"]) for one in body["totals"]] == [sum(of_api.values())]
    sent = b"".join(client.get(f"/money/ageing/?side={side}&format=csv")).decode("utf-8-sig")
    lines = list(csv.DictReader(sent.split("\r\n\r\n")[0].splitlines()))
    assert {one["counterparty"]: D(one["credit_kept"]) for one in lines} == of_api
    of_year = load_year(getattr(paid, org), "host" if side == "owed" else "payer", 2026, LATER).advances
    assert {party.code: amount for party, _, amount in of_year} == of_api
    page = page_of(client.get(f"/money/ageing/?side={side}"))
    assert all(f"{amount:.2f}" in page for amount in (*of_api.values(), sum(of_api.values())))
    assert "Nothing is open" not in page
