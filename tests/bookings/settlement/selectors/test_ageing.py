"""Ageing and payments: the sums of pages, files and API are those of the statements."""

import csv
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.db import connection
from django.db.models import F, Sum
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.domain.roles import PLATFORM, By
from accounts.models import Organisation
from accounts.services.memberships import role_grant
from bookings.models import Statement
from bookings.settlement.selectors.ageing import load_ageing, narrowed
from bookings.settlement.services.payments import Paid, statement_pay
from bookings.settlement.services.statements import statement_void, statements_draw
from tests.factories.cast import NOW, at
from tests.factories.money import abroad, charge_of, store

LATE = at("2026-08-20 09:00")


@pytest.fixture
def world(cast, monkeypatch, clock):
    """Fudan and Hefei Optics owe USTC of five months; USTC owes Edinburgh, in pounds."""
    there = abroad(cast)
    for month in range(3, 8):
        first = date(2026, month, 1)
        store(
            [
                charge_of(cast, month=first, total="106.00", covered="6.00"),
                charge_of(cast, cast.optics, month=first, total="10.60"),
                charge_of(cast, cast.ustc, instrument=there, month=first, currency="GBP"),
                charge_of(cast, cast.ustc, month=first, total="21.20"),
            ]
        )
        statements_draw(month=first, now=at(f"2026-{month + 1:02d}-01 09:00"))
    store([charge_of(cast, month=date(2026, 8, 1), total="-53.00")])
    statements_draw(month=date(2026, 8, 1), now=at("2026-09-01 09:00"))
    gao = cast.actor("gao")
    one = Statement.objects.get(payer=cast.fudan, month=date(2026, 3, 1))
    paid = Paid(Decimal("40.00"), date(2026, 4, 2), "=HYPERLINK(1)")
    statement_pay(By(gao, LATE), statement_id=one.pk, paid=paid)
    two = Statement.objects.get(payer=cast.optics, month=date(2026, 4, 1))
    statement_void(By(gao, LATE), statement_id=two.pk, reason="Name")
    monkeypatch.setattr(timezone, "now", lambda: LATE)
    clock.now = LATE
    return cast


def browser(cast, who):
    client = Client()
    client.force_login(cast.people[who])
    return client


def table(answer):
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text.split("\r\n\r\n")[0])))


def open_sum(**by):
    """What is open, but for credits, which are owed the other way round."""
    rows = Statement.objects.filter(payable__gt=0, **by).exclude(state="voided")
    return rows.aggregate(sum=Sum(F("payable") - F("paid")))["sum"]


def test_what_is_owed_by_counterparty_and_age(world):
    cast = world
    rows = dict(load_ageing(cast.actor("gao"), "owed", LATE).rows)
    assert set(rows) == {cast.fudan, cast.optics}  # not what USTC charges itself
    # Due 1 May, 1 and 31 May .. : 111, 81, 50, 20 days late, one not due, and a credit.
    assert rows[cast.fudan].buckets == {
        "not_due": Decimal(100),
        "days_1_30": Decimal(100),
        "days_31_60": Decimal(100),
        "days_61_90": Decimal(100),
        "over_90": Decimal(60),
        "credit": Decimal(-53),
    }
    assert rows[cast.fudan].total == open_sum(payer=cast.fudan, host=cast.ustc)
    assert rows[cast.optics].total == open_sum(payer=cast.optics, host=cast.ustc)
    owing = load_ageing(cast.actor("gao"), "owing", LATE)
    sums = {(party.code, row.currency): row.total for party, row in owing.rows}
    assert sums == {("edinburgh", "GBP"): Decimal(530)}  # nor what it charges itself
    assert load_ageing(cast.actor("wang"), "owed", LATE).rows == []


def test_a_day_is_that_of_the_host(world):
    """Just after midnight in Scotland of the day after, it has long begun in China."""
    cast = world
    row = Statement.objects.filter(host__code="edinburgh").latest("month")
    Statement.objects.filter(pk=row.pk).update(due_date=date(2026, 8, 20))
    gao = cast.actor("gao")
    for moment, bucket in ((at("2026-08-21 06:30"), "not_due"), (at("2026-08-21 07:30"), "days_1_30")):
        found = load_ageing(gao, "owing", moment)
        behind = narrowed(found, "owing", moment, code="edinburgh", currency="GBP", bucket=bucket)
        assert row.pk in {each.pk for each in behind}


def test_cells_lead_to_their_statements_and_files_say_the_same(world):
    gao = browser(world, "gao")
    page = " ".join(gao.get("/money/ageing/").content.decode().split())
    assert "Over 90 days" in page and "60.00" in page and "-53.00" in page
    rows = table(gao.get("/money/ageing/?format=csv"))
    assert [(row["counterparty"], row["over_90"], row["total"]) for row in rows][:1] == [
        ("fudan", "60.00", "460.00")
    ]
    behind = "/money/ageing/?side=owed&party=fudan&currency=CNY&bucket=over_90"
    page = " ".join(gao.get(behind).content.decode().split())
    assert "111" in page and "CNY 60.00" in page
    (row,) = table(gao.get(f"{behind}&format=csv"))
    assert (row["payable"], row["paid"]) == ("100.00", "40.00")
    for odd in ("?bucket=x", "?party=%00", "?side=y", "?page=99&party=fudan"):
        assert gao.get(f"/money/ageing/{odd}").status_code == 200
    assert "Nothing is open" in browser(world, "wang").get("/money/ageing/").content.decode()


def test_a_totals_row_is_the_sum_of_its_column(program, world):
    body = program("gao").get("ageing/?side=owed").body
    assert body["side"] == "owed"
    (total,) = body["totals"]
    names = ("not_due", "days_1_30", "days_31_60", "days_61_90", "over_90", "credit", "total")
    for name in names:
        cells = [Decimal(row[name]["amount"]) for row in body["rows"]]
        assert Decimal(total[name]["amount"]) == sum(cells)
    mine = Statement.objects.filter(host=world.ustc).exclude(payer=world.ustc)
    mine = mine.filter(payable__gt=0).exclude(state="voided")
    open_of_mine = sum(row.payable - row.paid for row in mine)
    assert Decimal(total["total"]["amount"]) == open_of_mine
    assert program("gao").get("ageing/?side=x").problems[0][0] == "side"


def test_payments_as_a_list_and_as_csv(program, world):
    cast, gao = world, browser(world, "gao")
    page = gao.get("/money/payments/?month=2026-04&payer=fudan").content.decode()
    assert "USTC-2026-0001" in page and "CNY 40.00" in page
    (row,) = table(gao.get("/money/payments/?format=csv&month=2026-04&host=ustc&payer=fudan"))
    assert row == {
        "statement": row["statement"], "host": "ustc", "host_name": "USTC", "payer": "fudan",
        "payer_name": "Fudan University", "currency": "CNY", "amount": "40.00",
        "paid_on": "2026-04-02", "reference": "'=HYPERLINK(1)", "entered_by": "Gao Lei",
        "entered_at": "2026-08-20T09:00:00+08:00",
    }  # fmt: skip
    assert table(gao.get("/money/payments/?format=csv&month=2026-05")) == []
    assert table(browser(cast, "hu").get("/money/payments/?format=csv")) == []
    api = program("gao")
    (one,) = api.get("payments/?month=2026-04&host=ustc").body["results"]
    assert (one["number"], one["amount"]["amount"]) == (row["statement"], "40.00")
    assert api.get("payments/?payer=optics").body["results"] == []
    assert api.get("payments/?month=2026-13").problems == [("month", "not-a-month")]
    text = api.get("payments/csv/?payer=fudan", Accept="text/csv").body.decode("utf-8-sig")
    assert text.splitlines()[0].startswith("statement,host,host_name")
    assert "'=HYPERLINK(1)" in text

    def reads(captured: CaptureQueriesContext) -> list[str]:
        return [query["sql"] for query in captured if "bookings_payment" in query["sql"]]

    # Sent as they are read, a few columns of each and nothing besides.
    with CaptureQueriesContext(connection) as captured:
        answer = gao.get("/api/v1/payments/csv/")
        assert answer.streaming and not reads(captured)
        answer.getvalue()
    (read,) = reads(captured)
    assert not any(word in read for word in ("parties", "legal_name", "time_zone"))


def test_an_auditor_reads_payments_but_owes_nothing(world):
    auditor = world.actor("auditor")
    assert load_ageing(auditor, "owed", LATE).rows == []
    page = browser(world, "auditor").get("/money/payments/").content.decode()
    assert "CNY 40.00" in page


def test_of_several_organisations_they_are_added_up(world):
    cast = world
    role_grant(By(PLATFORM, NOW - timedelta(1)), user=cast.gao, role="finance", organisation=cast.optics)
    rows = load_ageing(cast.actor("gao"), "owed", LATE).rows
    assert [party.code for party, _ in rows] == ["fudan"]  # optics is ours too now
    owing = {party for party, _ in load_ageing(cast.actor("gao"), "owing", LATE).rows}
    assert owing == {cast.ustc, Organisation.objects.get(code="edinburgh")}  # by optics
