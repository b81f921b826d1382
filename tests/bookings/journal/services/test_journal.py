"""A worked month of a host and its payers: its entries to the cent, closing it, and what comes afterwards."""

import csv
import io
import json
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from zipfile import ZipFile

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import By
from accounts.models import TrailEntry
from bookings.bank.models import BankCredit, BankFile, BankTransaction
from bookings.charging.services.corrections import reversal_row
from bookings.funding.models import Earmark, FundingSource
from bookings.journal.domain.journal import HOST, PAYER
from bookings.journal.models import AccountRule, ChartAccount, JournalLine, JournalMonth
from bookings.journal.selectors.journal import differences, load_journal, load_ledger
from bookings.journal.selectors.kept import kept_digest
from bookings.journal.selectors.years import load_year
from bookings.journal.services.charts import (
    AccountTerms,
    RuleTerms,
    account_add,
    account_change,
    account_retire,
    chart_begin,
    rule_set,
)
from bookings.journal.services.journal import journal_close
from bookings.models import Charge, Statement
from bookings.settlement.services.payments import Paid, statement_pay
from bookings.settlement.services.statements import statements_draw
from tests.factories.cast import NOW, at
from tests.factories.money import APRIL, MARCH, charge_of, store

FEBRUARY, MAY = date(2026, 2, 1), date(2026, 5, 1)
CARD = {"card": {"tax_percent": "6", "options": [{"code": "grid", "unit": "each"}]}}


def result(usage: str, grids: str = "0") -> dict[str, Any]:
    lines = [{"kind": "usage", "amount": usage}, {"kind": "option", "code": "grid", "amount": grids}]
    return {"lines": lines, "subtotal": str(Decimal(usage) + Decimal(grids))}


@pytest.fixture
def month(cast):
    """March at USTC: Fudan uses 100.00 with grids of 30.00 (6 % tax, a voucher pays 20.00), paid by one
    source at 60 and one at 40 %; a fee for not using 50.00; USTC itself 80.00; Optics in dollars 212.00."""
    first = charge_of(cast, total="137.80", covered="20.00")
    first.inputs, first.result = CARD, result("100.00", "30.00")
    fee = charge_of(cast, total="53.00", start=at("2026-03-03 10:00"))
    fee.kind, fee.result, fee.inputs = "no_show", {"fee": "50.00"}, {"quote": CARD}
    own = charge_of(cast, cast.ustc, total="80.00", start=at("2026-03-04 10:00"))
    own.tax, own.result, own.inputs = Decimal(0), result("80.00"), CARD
    dollars = charge_of(cast, cast.optics, total="212.00", currency="USD", start=at("2026-03-05 10:00"))
    dollars.result, dollars.inputs = result("200.00"), CARD
    store([first, fee, own, dollars])
    sources = [
        FundingSource.objects.create(
            organisation=cast.fudan, code=code, name=code, owner=cast.wang, currency="CNY",
            valid_from=FEBRUARY, created_by=cast.lin, created_at=NOW,
        )
        for code in ("A", "B")
    ]  # fmt: skip
    for source, percent in zip(sources, (60, 40), strict=True):
        Earmark.objects.create(reservation=first.reservation, source=source, percent=percent, created_at=NOW)
    gao, lin = By(cast.actor("gao"), APRIL), By(cast.actor("lin"), APRIL)
    for by, organisation, preset in ((gao, "ustc", "eu_generic"), (lin, "fudan", "cn_public")):
        chart_begin(by, organisation=organisation, preset=preset)
    return SimpleNamespace(
        cast=cast, first=first, fee=fee, own=own, dollars=dollars, sources=sources, gao=gao, lin=lin
    )


def entries(organisation, side=HOST, first=MARCH, last=MARCH):
    journal = load_journal(organisation, side, first, last)
    return [
        [
            (
                line.account,
                f"{line.debit - line.credit:.2f}",
                *([line.cost_centre] if line.cost_centre else []),
            )
            for line in entry.lines
        ]
        for entry in journal.stream()
    ]


HOSTED = [
    [("1400", "117.80"), ("1450", "20.00"), ("8400", "-100.00"), ("8410", "-30.00"), ("1776", "-7.80")],
    [("1400", "53.00"), ("8430", "-50.00"), ("1776", "-3.00")],
    [("4950", "80.00"), ("8500", "-80.00")],
    [("1400", "212.00"), ("8400", "-200.00"), ("1776", "-12.00")],
]


def test_a_month_by_hand(month):
    assert entries(month.cast.ustc) == HOSTED
    # Fudan does not deduct tax: 60 and 40 % of 137.80.
    assert entries(month.cast.fudan, PAYER) == [
        [("500101", "82.68"), ("500101", "55.12"), ("4601", "-20.00"), ("2302", "-117.80")],
        [("500101", "53.00"), ("2302", "-53.00")],
    ]
    for organisation, side in ((month.cast.ustc, HOST), (month.cast.fudan, PAYER)):
        sums = load_journal(organisation, side, MARCH, MARCH).sums()
        assert all(debit == credit for debit, credit in sums.totals().values())
        assert differences(sums, load_ledger(organisation, side, MARCH, MARCH), side) == []
    assert entries(month.cast.fudan) == entries(month.cast.ustc, PAYER) == []


def test_payments_corrections_and_credits(month):
    cast = month.cast
    statements_draw(month=MARCH, now=APRIL)
    statement = Statement.objects.get(payer=cast.fudan)
    late = By(cast.actor("gao"), APRIL + timedelta(hours=1))
    statement_pay(late, statement_id=statement.pk, paid=Paid(Decimal("100.00"), date(2026, 3, 31), "T 1"))
    statement_pay(late, statement_id=statement.pk, paid=Paid(Decimal("-30.00"), date(2026, 4, 1), "T 2"))
    back = reversal_row(month.first, APRIL + timedelta(hours=2), kind="reversal")
    Charge.objects.filter(pk=month.first.pk).update(state="reversed")
    month.first.refresh_from_db()
    from bookings.charging.services.ledger import charge_post

    back.save(force_insert=True)
    charge_post(charge=back, now=back.created_at)
    credit_of(cast, "500.00", APRIL + timedelta(hours=3))
    april = date(2026, 4, 1)
    assert entries(cast.ustc, HOST, april, april) == [
        [("1200", "100.00"), ("1400", "-100.00")],
        [("1200", "-30.00"), ("1400", "30.00")],
        [("1400", "-117.80"), ("1450", "-20.00"), ("8400", "100.00"), ("8410", "30.00"), ("1776", "7.80")],
        [("1200", "500.00"), ("1718", "-500.00")],
    ]
    assert entries(cast.fudan, PAYER, april, april)[-2:] == [
        [("500101", "-82.68"), ("500101", "-55.12"), ("4601", "20.00"), ("2302", "117.80")],
        [("1214", "500.00"), ("1002", "-500.00")],
    ]
    for organisation, side in ((cast.ustc, HOST), (cast.fudan, PAYER)):
        sums = load_journal(organisation, side, MARCH, april).sums()
        assert differences(sums, load_ledger(organisation, side, MARCH, april), side) == []


def credit_of(cast, amount, now):
    file = BankFile.objects.create(
        host=cast.ustc, name="f", format="csv", sha256="0" * 64, account="1", currency="CNY",
        transactions_read=1, known_before=0, read_by=cast.gao, read_at=now,
    )  # fmt: skip
    transaction_ = BankTransaction.objects.create(
        file=file, host=cast.ustc, account="1", position=1, key="k", booked_on=now.date(), amount=amount,
        currency="CNY", state="credit", credited=amount, bank_reference="B1",
    )  # fmt: skip
    BankCredit.objects.create(
        host=cast.ustc, payer=cast.fudan, currency="CNY", position=1, kind="kept", amount=amount,
        balance=amount, transaction=transaction_, entered_by=cast.gao, entered_at=now,
    )  # fmt: skip


def close(by, organisation="ustc", side=HOST, month=MARCH):
    return journal_close(by, organisation=organisation, side=side, month=month)


def test_a_closed_month_says_the_same_for_ever(month):
    cast = month.cast
    statements_draw(month=MARCH, now=APRIL)
    kept = close(month.gao)
    assert (kept.entries, JournalLine.objects.count()) == (4, 13)
    before = entries(cast.ustc)
    assert before == HOSTED
    account = ChartAccount.objects.get(organisation=cast.ustc, number="8400")
    account_change(month.gao, account_id=account.pk, terms=AccountTerms("8401", "Something else"))
    month.first.reservation.instrument.__class__.objects.update(name="Another name")
    Earmark.objects.update(percent=50)
    assert entries(cast.ustc) == before
    assert load_journal(cast.ustc, HOST, MARCH, MARCH).page(0, 1)[0].text.endswith("electron microscope")
    with pytest.raises(IntegrityError), transaction.atomic():
        JournalLine.objects.update(account="1")
    entry = TrailEntry.objects.get(action="journal.close")
    assert entry.after["digest"] == kept.digest


def test_what_was_written_too_late_is_in_the_next_month(month):
    statements_draw(month=MARCH, now=APRIL)
    close(month.gao)
    late = charge_of(month.cast, total="10.60", start=at("2026-03-30 10:00"))
    late.inputs, late.result = CARD, result("10.00")
    store([late])
    assert entries(month.cast.ustc) == HOSTED
    april = date(2026, 4, 1)
    found = load_journal(month.cast.ustc, HOST, april, april).page(0, 10)
    assert [(entry.day, entry.document_day, entry.amount) for entry in found] == [
        (april, date(2026, 3, 30), Decimal("10.60"))
    ]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Pacific/Auckland"])
def test_an_entry_is_counted_once_after_a_move_to_another_zone(month, zone):
    early = charge_of(month.cast, total="10.60", start=at("2026-03-31 20:00"))
    early.inputs, early.result, early.created_at = CARD, result("10.00"), at("2026-03-31 23:30")
    late = charge_of(month.cast, total="21.20", start=at("2026-03-31 21:00"))
    late.inputs, late.result, late.created_at = CARD, result("20.00"), at("2026-04-01 00:30")
    store([early, late])
    statements_draw(month=MARCH, now=APRIL)
    close(month.gao)
    kept = entries(month.cast.ustc)
    region = month.cast.ustc.region
    region.time_zone = zone
    region.save()
    april = date(2026, 4, 1)
    after = entries(type(month.cast.ustc).objects.get(pk=month.cast.ustc.pk), HOST, MARCH, april)
    assert after[: len(kept)] == kept
    assert after[len(kept) :] == [[("1400", "21.20"), ("8400", "-20.00"), ("1776", "-1.20")]]


def test_the_digest_of_a_closed_month_is_computed_again(month):
    statements_draw(month=MARCH, now=APRIL)
    kept = close(month.gao)
    assert kept_digest(JournalMonth.objects.get(pk=kept.pk)) == kept.digest
    call_command("check_journals")
    connection.cursor().execute("SET session_replication_role = replica")
    JournalLine.objects.filter(number=1, position=1).update(debit="117.81")
    with pytest.raises(CommandError, match="1 closed month"):
        call_command("check_journals")
    connection.cursor().execute("SET session_replication_role = DEFAULT")


@pytest.mark.parametrize(
    "what", ["not drawn", "not over", "unassigned", "again", "gap", "not final", "stranger"]
)
def test_months_that_stay_open(month, what):
    by, side, organisation, which, code = month.gao, HOST, "ustc", MARCH, ""
    if what != "not drawn":
        statements_draw(month=MARCH, now=APRIL)
    kind: Any = WrongState
    if what == "not drawn":
        code = "statements-not-drawn"
    elif what == "not over":
        which, kind = date(2026, 4, 1), Invalid
    elif what == "unassigned":
        rule_set(by, organisation="ustc", terms=RuleTerms("output_tax", date(2026, 3, 1)))
        code = "accounts-unassigned"
    elif what == "again":
        close(by)
        code = "month-closed"
    elif what == "gap":
        close(by)
        by, which, code = By(by.actor, at("2026-06-02 09:00")), MAY, "earlier-month-open"
    elif what == "not final":
        store([charge_of(month.cast, month=None, start=at("2026-03-09 10:00"))])
        by, side, organisation, code = month.lin, PAYER, "fudan", "month-has-open-charges"
    else:
        by, kind = month.lin, NotFound
    count = JournalMonth.objects.count()
    with pytest.raises(kind) as refused, transaction.atomic():
        close(by, organisation, side, which)
    if code:
        assert refused.value.code == code
    assert JournalMonth.objects.count() == count


def test_rules_hold_from_their_day_and_never_in_closed_months(month):
    cast, by = month.cast, month.gao
    statements_draw(month=MARCH, now=APRIL)
    account_add(by, organisation="ustc", terms=AccountTerms("8499", "Microscopes"))
    terms = RuleTerms("revenue_usage", date(2026, 3, 3), "8499", instrument=cast.microscope.pk)
    rule_set(by, organisation="ustc", terms=terms)
    centre = RuleTerms("cost_centre", MARCH, facility=cast.facility.pk, cost_centre="K7")
    rule_set(by, organisation="ustc", terms=centre)
    found = entries(cast.ustc)
    assert found[0][2] == ("8400", "-100.00", "K7")
    assert found[3][1] == ("8499", "-200.00", "K7")
    close(by)
    with pytest.raises(Invalid) as refused:
        rule_set(by, organisation="ustc", terms=terms)
    assert refused.value.problems[0].code == "journal-closed"
    retired = account_retire(by, account_id=ChartAccount.objects.get(number="8499").pk)
    with pytest.raises(Invalid) as refused:
        rule_set(by, organisation="ustc", terms=RuleTerms("revenue_usage", MAY, retired.number))
    assert refused.value.problems[0].code == "account-retired"


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        (RuleTerms("bank", MAY, "77"), "account-unknown"),
        (RuleTerms("bank", MAY, "1200", currency="XXX"), "unknown-currency"),
        (RuleTerms("cost", MAY, "4900", source="none"), "unknown-source"),
        (RuleTerms("output_tax", MAY, "1776", tax_percent=Decimal(101)), "unknown-value"),
        (RuleTerms("cost_centre", MAY), "nothing-assigned"),
    ],
)
def test_rules_that_name_nothing(month, terms, code):
    count = AccountRule.objects.count()
    with pytest.raises(Invalid) as refused:
        rule_set(month.gao, organisation="ustc", terms=terms)
    assert refused.value.problems[0].code == code
    assert AccountRule.objects.count() == count


def test_only_finance_keeps_the_chart(month):
    zhao = By(month.cast.actor("zhao"), APRIL)
    with pytest.raises(NotFound):
        account_add(zhao, organisation="ustc", terms=AccountTerms("1", "x"))
    auditor = By(month.cast.actor("auditor"), APRIL)
    with pytest.raises(NotPermitted):
        account_add(auditor, organisation="ustc", terms=AccountTerms("1", "x"))
    with pytest.raises(WrongState):
        chart_begin(month.gao, organisation="ustc", preset="cn_public")
    with pytest.raises(Invalid):
        account_add(month.gao, organisation="ustc", terms=AccountTerms("1200", "x"))


def test_the_close_of_a_year(month):
    cast = month.cast
    statements_draw(month=MARCH, now=APRIL)
    close(month.gao)
    credit_of(cast, "500.00", APRIL + timedelta(hours=3))
    december = charge_of(cast, total="21.20", month=None, start=at("2026-12-31 23:30"))
    december.inputs, december.result = CARD, result("20.00")
    december.reservation.end_at = at("2026-12-31 23:50")
    store([december])
    now = at("2027-01-02 09:00")
    year = load_year(cast.ustc, HOST, 2026, now)
    assert year.agrees
    march = year.months[2]
    assert (march.is_drawn, march.closed is not None, march.obstacles) == (True, True, ())
    assert [(item.partner.code, item.currency, item.balance, item.unbilled) for item in year.items] == [
        ("fudan", "CNY", Decimal("170.80"), Decimal(0)),
        ("optics", "USD", Decimal("212.00"), Decimal(0)),
    ]
    assert year.items[0].buckets["over_90"] == Decimal("170.80")
    assert [(p.code, amount) for p, _, amount in year.advances] == [("fudan", Decimal("500.00"))]
    assert [row.pk for row in year.late] == [december.pk]
    assert year.late_sums == [("CNY", 1, Decimal("21.20"))]


def test_the_year_says_what_keeps_a_month_from_being_closed(month, monkeypatch):
    """Only charges whose sources may still change do: as host the internal ones, as payer one's own."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: APRIL + timedelta(days=1))
    internal = charge_of(month.cast, month.cast.ustc, month=None, start=at("2026-03-09 10:00"))
    store([internal, charge_of(month.cast, month=None, start=at("2026-03-10 10:00"))])
    march = load_year(month.cast.ustc, HOST, 2026, APRIL).months[2]
    assert march.blocking == (("internal_open", 1),)
    assert dict(march.obstacles) == {"not_final": 1, "unbilled": 4}
    march = load_year(month.cast.fudan, PAYER, 2026, APRIL).months[2]
    assert march.blocking == (("not_final", 1),)
    assert dict(march.obstacles) == {"unbilled": 2, "no_source": 2}
    client = Client()
    client.force_login(month.cast.gao)
    page = client.get("/money/journal/year/?year=2026").content.decode()
    assert "Before it can be closed:" in page and "Does not keep it from being closed:" in page
    gao, lin = month.cast.people["gao"], month.cast.people["lin"]
    for who, side in ((gao, HOST), (lin, PAYER)):
        client.force_login(who)
        found = client.get(f"/money/journal/year/?year=2026&side={side}").context["months"][2]
        linked = [one for part in found[1:] for one in part if "/charges/" in one[2]]
        assert len(linked) == 3
        for _label, count, address in linked:  # the list has the rows that were counted
            rows = list(client.get(address).context["page"].object_list)
            assert len(rows) == count
            query = address.partition("?")[2]
            assert len(client.get(f"/api/v1/charges/?{query}").json()["results"]) == count
            assert len(b"".join(client.get(f"{address}&format=csv")).splitlines()) >= count + 1
    for odd in ("ustc:host:2026-13", "nobody:host:2026-03", "ustc", "ustc:x:2026-03", "ustc:host:9999-12"):
        assert not client.get(f"/money/charges/?books={odd}").context["page"].object_list


def test_a_month_that_cannot_be_closed_says_why(month, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: APRIL + timedelta(days=1))
    client = Client()
    client.force_login(month.cast.people["gao"])
    address = "/money/journal/?organisation=ustc&side=host&period=2026-03"
    page = client.get(address)
    assert not page.context["may_close"] and page.context["not_closable"][0] in page.content.decode()
    assert "statements of this month are not drawn up" in page.context["not_closable"][0]
    statements_draw(month=MARCH, now=APRIL)
    assert client.get(address).context["may_close"]
    internal = charge_of(month.cast, month.cast.ustc, month=None, start=at("2026-03-09 10:00"))
    store([internal])
    page = client.get(address)
    assert not page.context["may_close"] and "It cannot be closed yet" in page.content.decode()
    (row,) = client.get(page.context["not_closable"][1]).context["page"].object_list
    assert row.pk == internal.pk
    client.force_login(month.cast.people["lin"])
    store([charge_of(month.cast, month=None, start=at("2026-03-11 10:00"))])
    page = client.get("/money/journal/?organisation=fudan&side=payer&period=2026-03")
    assert not page.context["may_close"]
    assert len(client.get(page.context["not_closable"][1]).context["page"].object_list) == 1


def test_a_year_is_read_in_few_statements(month, django_assert_max_num_queries):
    with django_assert_max_num_queries(11):
        few = entries(month.cast.ustc, HOST, date(2026, 1, 1), date(2026, 12, 1))
    more = [charge_of(month.cast, start=at("2026-03-10 10:00") + timedelta(hours=n)) for n in range(40)]
    store(more)
    with django_assert_max_num_queries(11):
        assert len(entries(month.cast.ustc, HOST, date(2026, 1, 1), date(2026, 12, 1))) == len(few) + 40


def test_pages_and_files(month, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: APRIL + timedelta(days=1))
    statements_draw(month=MARCH, now=APRIL)
    client = Client()
    client.force_login(month.cast.gao)
    page = client.get("/money/journal/?period=2026-03").content.decode()
    assert "Provisional" in page and "8400" in page and "the journal sums up to the ledger" in page
    address = "/money/journal/?organisation=ustc&side=host&period=2026-03&format=csv"
    before = list(csv.DictReader(io.StringIO(b"".join(client.get(address)).decode("utf-8-sig"))))
    assert sum(Decimal(row["debit"] or 0) - Decimal(row["credit"] or 0) for row in before) == 0
    assert {row["state"] for row in before} == {"provisional"}
    sent = {"organisation": "ustc", "side": "host", "month": "2026-03"}
    assert client.post("/money/journal/close/", sent).status_code == 302
    assert client.post("/money/journal/close/", sent).status_code == 409
    kept = b"".join(client.get(address))
    Earmark.objects.update(percent=50)
    assert b"".join(client.get(address)) == kept
    assert b"2026-03-00001" in kept and b"provisional" not in kept
    program = client.get("/api/v1/journal/?period=2026-03&limit=3")
    answered = json.loads(program.content)
    assert [entry["number"] for entry in answered["results"]] == [1, 2, 3]
    assert answered["results"][0]["lines"][0]["debit"] == "117.80"
    assert json.loads(client.get(answered["next"]).content)["results"][0]["number"] == 4
    assert client.get("/api/v1/journal/?period=2026-13").status_code == 400
    assert client.get("/money/journal/year/?year=2026").status_code == 200
    assert client.get("/money/journal/accounts/").status_code == 200
    book = client.get("/money/journal/year/zip/?year=2026")
    with ZipFile(io.BytesIO(b"".join(book))) as files:
        assert files.namelist() == [
            "journal-ustc-host-2026.csv", "journal-ustc-payer-2026.csv", "open-items-ustc-2026.csv",
            "statements-ustc-2026.csv",
        ]  # fmt: skip
        assert b"170.80" in files.read("open-items-ustc-2026.csv")
