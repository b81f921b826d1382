"""Every balance is the sum of the postings that its link lists, to the cent."""

import csv
import re
from datetime import date
from decimal import Decimal
from html import unescape
from io import StringIO

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.domain.roles import By
from bookings.models import Posting, Settlement, Statement
from bookings.settlement.domain.ageing import BUCKETS, CREDIT, whole_of
from bookings.settlement.selectors.ageing import load_ageing
from bookings.settlement.selectors.postings import POSTINGS, postings_for, sums_of_postings
from bookings.settlement.selectors.settlements import load_balances, net_of
from bookings.settlement.services.payments import Paid, settlement_pay, statement_pay
from bookings.settlement.services.settlements import settlement_confirm
from bookings.settlement.services.statements import statement_void, statements_draw
from tests.accounts.pages import page_of
from tests.factories.cast import at
from tests.factories.money import abroad, charge_of, store

LATE = at("2026-08-20 09:00")


@pytest.fixture
def world(cast, monkeypatch, clock):
    """Fudan and Hefei Optics owe USTC of four months, Fudan with vouchers; USTC owes Edinburgh in pounds."""
    there = abroad(cast)
    for month in range(3, 7):
        first = date(2026, month, 1)
        store(
            [
                charge_of(cast, month=first, total="106.00", covered="6.00"),
                charge_of(cast, month=first, total="53.11", covered=f"{month}.07"),
                charge_of(cast, cast.optics, month=first, total="10.60"),
                charge_of(cast, cast.ustc, instrument=there, month=first, currency="GBP", covered="2.00"),
            ]
        )
        statements_draw(month=first, now=at(f"2026-{month + 1:02d}-01 09:00"))
    store([charge_of(cast, month=date(2026, 7, 1), total="-53.00")])
    store([charge_of(cast, month=None, total="999.00", covered="99.00")])  # on no statement yet
    statements_draw(month=date(2026, 7, 1), now=at("2026-08-01 09:00"))
    gao = cast.actor("gao")
    one = Statement.objects.get(payer=cast.fudan, month=date(2026, 3, 1))
    statement_pay(By(gao, LATE), statement_id=one.pk, paid=Paid(Decimal("40.05"), date(2026, 4, 2)))
    two = Statement.objects.get(payer=cast.optics, month=date(2026, 4, 1))
    statement_void(By(gao, LATE), statement_id=two.pk, reason="Name")
    settled = Settlement.objects.get(month=date(2026, 3, 1), currency="CNY")
    for who, region in (("coordinator", cast.anhui), ("xu", cast.shanghai)):
        settlement_confirm(By(cast.actor(who), LATE), settlement_id=settled.pk, region=region.code)
    paid = Paid(Decimal("5.00"), date(2026, 4, 20))
    settlement_pay(By(cast.actor("coordinator"), LATE), settlement_id=settled.pk, paid=paid)
    monkeypatch.setattr(timezone, "now", lambda: LATE)
    clock.now = LATE
    return cast


def browser(cast, who):
    client = Client()
    client.force_login(cast.people[who])
    return client


def summed(cast, who, **values):
    """The sum of the postings that a reader's list has, and that of its file."""
    by = By(cast.actor(who), LATE)
    rows = POSTINGS.narrowed(postings_for(by.actor), values, by)
    total = sum((one.amount for one in sums_of_postings(rows, by.actor)), Decimal(0))
    answer = browser(cast, who).get(reverse("bookings:money-postings"), values | {"format": "csv"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig").partition("\r\n\r\n")[0]
    assert sum((Decimal(row["amount"]) for row in csv.DictReader(StringIO(text))), Decimal(0)) == total
    return total


@pytest.mark.parametrize("who", ["gao", "lin", "auditor"])
def test_figures_of_statements_are_their_postings(world, who):
    found = Statement.objects.filter(host=world.ustc).exclude(state="voided")
    if who == "lin":
        found = found.filter(payer=world.fudan)
    assert len(found) > 4
    for row in found:
        of = {"statement": str(row.pk)}
        assert summed(world, who, **of, account="receivable") == row.payable - row.paid
        assert summed(world, who, **of, account="receivable", kind="charge") == row.payable
        assert summed(world, who, **of, account="received") == row.paid
        assert summed(world, who, **of, account="subsidy") == row.covered
        assert summed(world, who, **of, account="earned") == -row.total
        assert summed(world, who, **of, account="tax") == -row.tax
        assert summed(world, who, **of) == 0


@pytest.mark.parametrize(("who", "side"), [("gao", "owed"), ("lin", "owing"), ("gao", "owing")])
def test_the_table_of_ages_is_its_postings(world, who, side):
    aged = load_ageing(world.actor(who), side, LATE)
    assert aged.rows
    party = "payer" if side == "owed" else "host"
    for counterparty, row in aged.rows:
        of = {party: counterparty.code, "currency": row.currency}
        assert summed(world, who, **of, aged=side) == whole_of(row.buckets)
        for bucket in BUCKETS:
            assert summed(world, who, **of, aged=f"{side}.{bucket}") == row.buckets[bucket]
    if (who, side) == ("gao", "owed"):
        assert summed(world, who, aged=f"owed.{CREDIT}", currency="CNY") < 0


def test_settlements_and_the_balance_of_a_year_are_their_postings(world):
    for row in Settlement.objects.all():
        who = "coordinator"
        of = {"settlement": str(row.pk)}
        first = summed(world, who, **of, payer_region=row.first.code, account="subsidy", kind="charge")
        second = summed(world, who, **of, payer_region=row.second.code, account="subsidy", kind="charge")
        assert (first, second) == (row.first_owes, row.second_owes)
        assert summed(world, who, **of, account="received") == row.paid
        assert net_of(row) == abs(first - second)
    (row,) = [one for one in load_balances(world.actor("coordinator"), 2026) if one.sums.currency == "CNY"]
    for region, other, owes, netted, paid, still in row.sides:
        assert owes == netted + paid + still
        of = {"settled": "2026", "currency": "CNY"}
        one_way = of | {"payer_region": region.code, "host_region": other.code}
        assert summed(world, "coordinator", **one_way, account="subsidy", kind="charge") == owes
        assert summed(world, "coordinator", **one_way, account="received") == paid
        both = of | {"between": row.pair, "debtor": region.code, "account": "subsidy"}
        page = browser(world, "coordinator").get(reverse("bookings:money-postings"), both)
        assert sum(net.amount for net in page.context["nets"]) == still
    assert row.sums.open_by_first + row.sums.open_by_second > 0


def test_who_sees_which(world):
    every = Posting.objects.count()
    seen = {who: postings_for(world.actor(who)).count() for who in world.people}
    assert seen["wang"] == seen["alice"] == seen["admin"] == 0
    assert 0 < seen["lin"] < seen["gao"] <= every
    assert set(postings_for(world.actor("coordinator")).values_list("account", flat=True)) == {
        "subsidy",
        "received",
    }
    # A coordinator sees what it comes to, and opens neither charges nor statements.
    page = page_of(browser(world, "coordinator").get(reverse("bookings:money-postings")))
    assert "/money/charges/" not in re.sub(r'href="/money/charges/"', "", page)
    answer = browser(world, "coordinator").get(reverse("api-postings")).json()["results"]
    assert answer and {row["charge"] for row in answer} == {None} == {row["statement"] for row in answer}
    assert all(row["charge"] for row in browser(world, "gao").get(
        reverse("api-postings"), {"kind": "charge"}).json()["results"])  # fmt: skip


LINKS = re.compile(r'href="(/money/postings/\?[^"]*)"')


@pytest.mark.parametrize(
    ("who", "page"),
    [
        ("gao", "/money/ageing/"),
        ("gao", "/money/ageing/?side=owed&party=fudan"),
        ("gao", "/money/statements/"),
        ("gao", "/money/payments/"),
        ("coordinator", "/money/settlements/balance/?year=2026"),
    ],
)
def test_pages_with_balances_lead_to_postings(world, who, page):
    client = browser(world, who)
    links = {unescape(link) for link in LINKS.findall(client.get(page).content.decode())}
    assert links
    for link in links:
        assert client.get(link).status_code == 200


def test_pages_of_one_lead_to_postings_and_auditors_to_the_trail(world):
    statement = Statement.objects.filter(host=world.ustc, paid__gt=0).get()
    settlement = Settlement.objects.get(month=date(2026, 3, 1), currency="CNY")
    of_statement = reverse("bookings:money-statements-one", args=[statement.pk])
    of_settlement = reverse("bookings:money-settlements-one", args=[settlement.pk])
    for who, address, pk in (
        ("gao", of_statement, statement.pk),
        ("coordinator", of_settlement, settlement.pk),
    ):
        story = reverse("bookings:story", args=[pk])
        own = browser(world, who).get(address).content.decode()
        audited = browser(world, "auditor").get(address).content.decode()
        assert LINKS.search(own) and LINKS.search(audited), address
        assert f'href="{story}"' in audited and f'href="{story}"' not in own
        assert browser(world, "auditor").get(story).status_code == 200


def test_nonsense_lists_nothing(world):
    client = browser(world, "gao")
    for wrong in ("settled=20x6", "between=,", "debtor=nowhere", "statement=x", "aged=late", "host=zzz"):
        answer = client.get(f"/money/postings/?{wrong}")
        assert answer.status_code == 200 and not answer.context["page"].object_list, wrong


def test_the_file_of_the_years_balance_has_the_difference_that_the_page_shows(world):
    client = browser(world, "coordinator")
    page = client.get("/money/settlements/balance/?year=2026")
    answer = client.get("/money/settlements/balance/?year=2026&format=csv")
    content = b"".join(answer.streaming_content).decode("utf-8-sig")
    lines = list(csv.DictReader(StringIO(content)))
    shown = page.context["rows"]
    assert [line["line"] for line in lines] == ["direction", "direction", "difference"] * len(shown)
    for row, first, second, line in zip(shown, lines[::3], lines[1::3], lines[2::3], strict=True):
        for one in (first, second):
            parts = [Decimal(one[name]) for name in ("netted", "paid", "open")]
            assert Decimal(one["owed"]) == sum(parts) and one["netted"] == first["netted"]
        assert Decimal(line["owed"]) == row.net == abs(Decimal(first["owed"]) - Decimal(second["owed"]))
        assert line["region"] == (row.debtor or row.first).code and not line["paid"] and not line["open"]
