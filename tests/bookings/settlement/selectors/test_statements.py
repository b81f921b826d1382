"""The state of a statement is the same in its row and in what finds it; numbers are found by any
part."""

import csv
from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import OutboxMessage
from accounts.selectors.waits import kinds, load_waiting
from bookings.models import ClosedMonth, Settlement, Statement
from bookings.pricing.selectors.charges import charges_for, totals_of_charges
from bookings.settlement.domain.statements import INTERNAL, OVERDUE, settlement_reference, statement_number
from bookings.settlement.selectors import statements
from bookings.settlement.selectors.ageing import load_ageing
from bookings.settlement.selectors.numbers import printed_number, printed_reference
from bookings.settlement.services.statements import statements_draw
from tests.factories.cast import at
from tests.factories.money import APRIL, MARCH, abroad, charge_of, store

STATES = (*Statement.State.values, OVERDUE, INTERNAL)


@pytest.fixture
def drawn(cast, clock):
    """Statements of two hosts, eight hours apart, drawn up on the first of April."""
    there = abroad(cast)
    store([charge_of(cast, covered="50.00"), charge_of(cast, instrument=there, currency="GBP")])
    statements_draw(month=MARCH, now=APRIL)
    return cast, list(Statement.objects.order_by("host__code"))


@pytest.fixture
def both(cast, clock):
    """USTC owes Edinburgh, Fudan owes USTC, and USTC used its own instrument."""
    there = abroad(cast, currency="CNY")
    store(
        [
            charge_of(cast),
            charge_of(cast, cast.ustc, instrument=there, total="212.00"),
            charge_of(cast, cast.ustc, total="53.00"),
            charge_of(cast, total="-10.60", currency="USD"),
        ]
    )
    statements_draw(month=MARCH, now=APRIL)
    clock.now = APRIL + timedelta(hours=1)
    return cast


@settings(max_examples=80)
@given(
    states=st.lists(st.sampled_from(Statement.State.values), min_size=2, max_size=2),
    is_internal=st.booleans(),
    payable=st.sampled_from([Decimal(-5), Decimal(0), Decimal(106)]),
    now=st.datetimes(datetime(2026, 4, 30), datetime(2026, 5, 3)),  # in UTC, as days turn
)
def test_the_row_and_the_filter_say_the_same(drawn, states, is_internal, payable, now):
    cast, rows = drawn
    moment = now.replace(tzinfo=APRIL.tzinfo)
    for row, state in zip(rows, states, strict=True):
        Statement.objects.filter(pk=row.pk).update(
            state=state,
            payable=payable,
            total=payable + row.covered,
            payer=row.host_id if is_internal else cast.fudan,
        )
    shown = {
        row.pk: statements.shown_state(row, moment)
        for row in Statement.objects.select_related(*statements.WITH)
    }
    for state in STATES:
        found = statements.in_state(Statement.objects.all(), state, moment)
        assert {row.pk for row in found} == {pk for pk, is_ in shown.items() if is_ == state}
    assert {row.pk for row in statements.load_overdue(moment)} == {
        pk for pk, is_ in shown.items() if is_ == OVERDUE
    }


def test_at_half_past_midnight_where_the_host_is(drawn, program, clock, client, monkeypatch):
    """It is the second of May in China, and the first in London: one of them is overdue."""
    cast, (scotland, china) = drawn
    clock.now = at("2026-05-02 00:30")
    lin = program("lin")

    def listed(state: str) -> set[str]:
        return {row["id"] for row in lin.get(f"statements/?state={state}").body["results"]}

    assert (listed("overdue"), listed("issued")) == ({str(china.pk)}, {str(scotland.pk)})
    client.force_login(cast.people["lin"])
    page = client.get("/money/statements/?state=overdue").content.decode()
    assert str(china.pk) in page and str(scotland.pk) not in page
    page = client.get("/money/statements/?state=issued").content.decode()
    assert str(scotland.pk) in page and str(china.pk) not in page


@pytest.mark.parametrize("number", [7, 42, 9999, 12345])
def test_numbers_in_the_database_are_as_they_are_printed(drawn, number):
    _, (_, china) = drawn
    Statement.objects.filter(pk=china.pk).update(number=number)
    (row,) = Statement.objects.filter(pk=china.pk).annotate(printed=printed_number())
    assert row.printed == statement_number(row.host.code, row.year, row.number)
    for settled in Settlement.objects.annotate(printed=printed_reference()):
        assert settled.printed == settlement_reference(
            settled.first.code, settled.second.code, settled.month, settled.currency
        )


def test_lists_find_what_is_written_on_paper(drawn, program, clock, client):
    """Statements, payments and notices by a part of the number or by a reference, settlements by
    theirs, charges by person and booking; what fits nothing is found nowhere."""
    cast, (_, china) = drawn
    clock.now = APRIL + timedelta(hours=1)
    gao, lin, coordinator = program("gao"), program("lin"), program("xu")
    paid = {"amount": "6.00", "paid_on": "2026-04-01", "reference": "Bank 4711"}
    assert gao.post(f"statements/{china.pk}/payments/", paid).status == 201
    notice = paid | {"reference": "Transfer 99"}
    assert lin.post(f"statements/{china.pk}/payment-notices/", notice).status == 201
    booking = str(china.lines.get().charge.reservation_id)

    def found(who, address: str) -> int:
        return len(who.get(address).body["results"])

    for text in ("ustc-2026-0001", "0001", "26-00", "Ustc-2"):
        assert found(gao, f"statements/?q={text}") == 1, text
        assert found(gao, f"payments/?q={text}") == 1, text
        assert found(gao, f"payment-notices/?q={text}") == 1, text
    assert (found(gao, "payments/?q=bank 47"), found(gao, "payments/?q=99")) == (1, 0)
    assert (found(gao, "payment-notices/?q=fer 99"), found(gao, "statements/?q=0002")) == (1, 0)
    assert found(coordinator, "settlements/?q=cn-sh-2026-03") == 1
    assert found(coordinator, "settlements/?q=2026-04") == 0
    Statement.objects.filter(pk=china.pk).update(payable="73383.80", total="73383.80", covered=0)
    for text, count in (("73383", 1), ("73,383", 1), ("73383.80", 1), ("73383.00", 0), ("7338", 0)):
        assert found(gao, f"statements/?q={text}") == count, text
    for text in (cast.wang.name[:4], booking[-12:], booking):
        assert found(gao, f"charges/?q={text}") == 1, text
    assert found(gao, "charges/?q=nobody") == 0
    assert found(gao, f"charges/?q={cast.wang.email[:6]}") == 0  # finance of the host sees no address
    client.force_login(cast.people["gao"])
    for address in (
        "statements/?q=2026-0001",
        "payments/?q=2026-0001",
        "payments/?q=4711",
        f"charges/?q={cast.wang.name[:4]}",
        f"charges/?q={booking[-12:]}",
    ):
        page = client.get(f"/money/{address}").content.decode()
        assert "<tbody" in page and "No such" not in page, address
    page = client.get(reverse("bookings:money-notices"), {"q": "2026-0001"}).content.decode()
    assert "Transfer 99" in page
    client.force_login(cast.people["xu"])
    page = client.get("/money/settlements/?q=CN-AH-CN-SH").content.decode()
    assert "<tbody" in page


def test_owed_and_owing_never_share_a_total(both, client):
    """Of statements and of charges, on pages and in files; a credit is on the other side, and what
    an organisation charges itself on none."""
    cast = both
    actor = cast.actor("gao")
    totals = statements.totals_of_statements(statements.statements_for(actor), actor)
    assert totals == [
        ("CNY", "internal", 1, Decimal(53), Decimal(53)),
        ("CNY", "owed", 1, Decimal(106), Decimal(106)),
        ("CNY", "owing", 1, Decimal(212), Decimal(212)),
        ("USD", "credit_owing", 1, Decimal("-10.60"), Decimal("-10.60")),
    ]
    charged = totals_of_charges(charges_for(actor), actor)
    assert [(one.currency, one.side, one.payable) for one in charged] == [
        ("CNY", "internal", 53),
        ("CNY", "owed", 106),
        ("CNY", "owing", 212),
        ("USD", "owed", Decimal("-10.60")),
    ]
    client.force_login(cast.people["gao"])
    page = " ".join(client.get("/money/statements/").content.decode().split())
    assert "1 statement in CNY, to be paid by you" in page
    assert "1 statement in CNY, to be paid to you" in page
    assert "1 statement in USD, credited by you" in page
    assert "CNY 371.00" not in page and "CNY 318.00" not in page
    page = " ".join(client.get("/money/charges/").content.decode().split())
    assert "1 charge in CNY, to be paid by you" in page and "CNY 318.00" not in page
    for name, sides in (
        ("statements", {"internal", "owed", "owing", "credit_owing"}),
        ("charges", {"internal", "owed", "owing"}),
    ):
        sheet = b"".join(client.get(f"/money/{name}/?format=csv")).decode("utf-8-sig")
        rows = list(csv.DictReader(StringIO(sheet)))
        assert {row["side"] for row in rows if row["currency"]} == sides
    aged = load_ageing(actor, "owed", APRIL)
    assert [(row.currency, row.total) for _, row in aged.rows] == [("CNY", 106), ("USD", 0)]


def test_what_an_organisation_charges_itself_is_a_note_and_asks_for_nothing(both, client, program):
    """It is issued, numbered and in the ledger, and in no list of what is to be paid; nothing is
    paid on it, and its finance reads one message."""
    cast = both
    gao = cast.actor("gao")
    note = Statement.objects.get(payer=cast.ustc, host=cast.ustc)
    long_after = APRIL + timedelta(days=90)
    assert statements.shown_state(note, long_after) == INTERNAL
    for rows in (statements.statements_to_pay(gao, APRIL), statements.statements_owed(gao, APRIL)):
        assert note not in rows
    assert note not in statements.load_overdue(long_after)
    for side in ("owed", "owing"):
        assert note not in load_ageing(gao, side, long_after).statements
    before = Statement.objects.values().get(pk=note.pk)
    asks = program("gao")
    paid = {"amount": "53.00", "paid_on": "2026-04-01"}
    for below in ("payments", "payment-notices"):
        answer = asks.post(f"statements/{note.pk}/{below}/", paid)
        assert (answer.status, answer.body["code"]) == (409, "nothing-to-pay")
    assert Statement.objects.values().get(pk=note.pk) == before
    body = asks.get(f"statements/{note.pk}/").body
    assert (body["state"], body["due_date"]) == ("internal", None)
    assert [r["id"] for r in asks.get("statements/?state=internal").body["results"]] == [body["id"]]
    client.force_login(cast.people["gao"])
    page = " ".join(client.get(f"/money/statements/{note.pk}/").content.decode().split())
    assert "Internal note USTC-2026-" in page and "No payment is due." in page
    assert "Nothing has been paid yet." not in page
    for asking in ("Where to pay", "Record a payment", "We have paid", "Still to pay", "<dt>Due"):
        assert asking not in page, asking
    kinds = OutboxMessage.objects.filter(payload__statement=str(note.pk)).values_list("kind")
    assert list(kinds) == [("statement.internal",)]


def test_what_waits_says_apart_what_an_organisation_recharges_itself(both, client):
    """Charges to bill are added up by currency and apart where payer and host are one; the list
    and its file say whose use each charge is."""
    cast = both
    ClosedMonth.objects.all().delete()
    (bill,) = load_waiting(cast.actor("gao"), APRIL, [kinds()["bill"]])
    assert bill.number == 3
    assert bill.sums == (
        ("CNY", False, Decimal(106)),
        ("CNY", True, Decimal(53)),
        ("USD", False, Decimal("-10.60")),
    )
    client.force_login(cast.people["gao"])
    page = " ".join(client.get("/money/").content.decode().split())
    assert "CNY 53.00 (internal)" in page and "CNY 159.00" not in page
    page = " ".join(client.get("/money/charges/").content.decode().split())
    assert str(cast.people["wang"]) in page
    sheet = b"".join(client.get("/money/charges/?format=csv")).decode("utf-8-sig")
    rows = list(csv.DictReader(StringIO(sheet)))
    assert {row["person"] for row in rows if row["currency"]} == {cast.people["wang"].name}


def test_lists_find_amounts_people_references_and_statements(drawn, program, clock, client):
    """Amounts as people write them, people on the lines, payments' references; charges by the number of their
    statement. What a reader may not see is not found by it either."""
    cast, (_, china) = drawn
    clock.now = APRIL + timedelta(hours=1)
    gao, lin, wang, coordinator = program("gao"), program("lin"), program("wang"), program("xu")
    paid = {"amount": "6.00", "paid_on": "2026-04-01", "reference": "Bank 4711"}
    assert gao.post(f"statements/{china.pk}/payments/", paid).status == 201
    notice = {"amount": "30.00", "paid_on": "2026-04-01", "reference": "Transfer 99"}
    assert lin.post(f"statements/{china.pk}/payment-notices/", notice).status == 201

    def found(who, address: str) -> int:
        return len(who.get(address).body["results"])

    person = cast.wang.name[:3].lower()
    for text in ("106", "CNY 106.00", "cny56", "6.00", "50", "BANK 4711", "fer 99", person):
        assert found(gao, f"statements/?q={text}") == 1, text
    for text in ("USD 106", "105.99", "Bank 4712", "zhao", "nobody"):
        assert found(gao, f"statements/?q={text}") == 0, text
    assert [found(gao, f"payments/?q={text}") for text in ("6", "GBP 6", "106", "gao")] == [1, 0, 0, 1]
    assert found(gao, "payment-notices/?q=30,00") == 1
    assert [found(coordinator, f"settlements/?q={text}") for text in ("cny 50", "50.01")] == [1, 0]
    charge = str(china.lines.get().charge_id)
    for text in ("ustc-2026-0001", "2026-0001", "106.00", "100", charge[-12:].upper()):
        assert found(gao, f"charges/?q={text}") == 1, text
    for text in ("ustc-2026-0002", "edinburgh-2026-0001", "99"):
        assert found(gao, f"charges/?q={text}") == 0, text
    # The person sees the charge, and no statement: its number finds nothing.
    assert (found(wang, "charges/?q=106.00"), found(wang, "charges/?q=ustc-2026-0001")) == (2, 0)
    client.force_login(cast.people["gao"])
    page = client.get("/money/statements/?q=Bank+4711").content.decode()
    assert str(china.pk) in page


def test_statements_are_found_by_order_number_and_tax_invoice(both, program):
    row = Statement.objects.get(payer=both.fudan, currency="CNY")
    Statement.objects.filter(pk=row.pk).update(order_number="PO-77/a", invoice_number="25342000000012345678")
    for text in ("po-77", "25342000000012345678", "12345678"):
        assert program("lin").get(f"statements/?q={text}").ids == [str(row.pk)], text
        assert program("lin").get(f"statements/?q={text}x").ids == []


def test_nothing_is_due_on_a_void_statement(both, program):
    row = Statement.objects.get(payer=both.fudan, currency="CNY")
    gao = program("gao")
    new = gao.post(f"statements/{row.pk}/void/", {"reason": "Name"}).body
    assert gao.get(f"statements/{row.pk}/").body["due_date"] is None
    assert new["due_date"] is not None
