"""Statements, settlements and exchange rates over the API."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.domain.roles import PLATFORM, By
from accounts.models import User
from accounts.services.memberships import role_grant
from bookings.models import Earmark, Settlement, Statement
from bookings.settlement.services.statements import statements_draw
from tests.factories.funding import source
from tests.factories.money import APRIL, MARCH, charge_of, store


@pytest.fixture
def drawn(cast, clock):
    """Fudan's March at USTC: 318, of which a voucher pays 50."""
    store([charge_of(cast), charge_of(cast, total="212.00", covered="50.00")])
    statements_draw(month=MARCH, now=APRIL)
    clock.now = APRIL + timedelta(hours=1)
    return Statement.objects.get()


def test_what_a_statement_says(program, drawn):
    lin = program("lin")
    answer = lin.get(f"statements/{drawn.pk}/")
    body = answer.body
    assert (body["number"], body["month"], body["state"]) == ("USTC-2026-0001", "2026-03", "issued")
    assert body["payable"] == {"amount": "268.00", "currency": "CNY"}
    assert [line["payable"]["amount"] for line in body["lines"]] == ["106.00", "162.00"]
    assert body["taxes"][0]["percent"] == "6"
    assert body["ledger"]["agrees"] is True
    assert answer.headers["ETag"] == '"1"'
    (listed,) = lin.get("statements/?payer=fudan&month=2026-03&state=issued").body["results"]
    assert listed == {k: v for k, v in body.items() if k in listed}
    assert lin.get("statements/?code=ustc-2026-1").body["results"] == [listed]
    for other in ("USTC-2026-0002", "2026-0001", "USTC-2026-999999999", "USTC", "中科大-2026-0001"):
        assert lin.get(f"statements/?code={other}").body["results"] == []
    assert program("hu").get("statements/?code=USTC-2026-0001").body["results"] == []
    assert lin.get("statements/?state=overdue").body["results"] == []
    assert lin.get("statements/?month=2026-13").problems == [("month", "not-a-month")]


def test_paid_in_part_taken_back_whole_and_overdue(program, drawn, clock):
    gao, address = program("gao"), f"statements/{drawn.pk}/payments/"
    pay = {"amount": "100.00", "paid_on": "2026-04-01", "reference": "Bank 1"}
    answer = gao.post(address, pay, Idempotency_Key="once")
    assert (answer.status, answer.body["state"]) == (201, "part_paid")
    assert gao.post(address, pay, Idempotency_Key="once").body["paid"]["amount"] == "100.00"
    back = gao.post(address, pay | {"amount": "-100.00"})
    assert (back.body["state"], back.body["paid"]["amount"]) == ("issued", "0.00")
    assert [one["amount"]["amount"] for one in back.body["payments"]] == ["100.00", "-100.00"]
    for amount, code in (
        ("268.01", "more-than-owed"),
        ("-0.01", "more-than-paid"),
        ("0", "nothing-paid"),
        ("1.001", "too-many-decimals"),
    ):
        refused = gao.post(address, pay | {"amount": amount})
        assert refused.problems == [("amount", code)]
    late = gao.post(address, pay | {"paid_on": "2026-04-02"})
    assert late.problems == [("paid_on", "in-the-future")]
    clock.now = APRIL + timedelta(days=31)
    assert gao.get(f"statements/{drawn.pk}/").body["state"] == "overdue"
    assert gao.get("statements/?state=overdue").ids == [str(drawn.pk)]
    assert gao.post(address, pay | {"amount": "268.00"}).body["state"] == "paid"
    assert gao.get(f"statements/{drawn.pk}/").body["ledger"]["agrees"] is True
    assert gao.get("statements/?state=overdue").ids == []


def test_payment_notices(program, drawn):
    lin, gao = program("lin"), program("gao")
    address = f"statements/{drawn.pk}/payment-notices/"
    said = {"amount": "100.00", "paid_on": "2026-04-01", "reference": "T 1"}
    assert gao.post(address, said).code == "not-permitted"
    assert program("hu").post(address, said).code == "not-found"
    made = lin.post(address, said, Idempotency_Key="once")
    assert (made.status, made.body["state"]) == (201, "reported")
    assert (made.body["number"], made.body["amount"]["amount"]) == ("USTC-2026-0001", "100.00")
    assert lin.post(address, said, Idempotency_Key="once").body["id"] == made.body["id"]
    assert lin.post(address, said).code == "already-reported"
    over = lin.post(address, said | {"amount": "168.01"})
    assert over.problems == [("amount", "more-than-owed")]
    assert lin.post(address, said | {"amount": "x"}).problems == [("amount", "not-a-decimal")]
    one = f"payment-notices/{made.body['id']}/"
    assert gao.get(one).headers["ETag"] == '"1"'
    assert gao.get("payment-notices/?state=reported").ids == [made.body["id"]]
    assert gao.get(f"{address}?state=matched").ids == []
    assert gao.post(f"{one}refuse/", {}).problems == [("reason", "required")]
    assert gao.post(f"{one}match/", {}, If_Match='"7"').status == 412
    assert lin.post(f"{one}match/", {}).code == "not-permitted"
    matched = gao.post(f"{one}match/", {}, If_Match='"1"')
    assert (matched.status, matched.body["state"]) == (200, "matched")
    statement = gao.get(f"statements/{drawn.pk}/").body
    assert statement["paid"]["amount"] == "100.00"
    assert [p["id"] for p in statement["payments"]] == [matched.body["payment"]]
    assert lin.post(f"{one}withdraw/", {}).code == "wrong-state"
    other = lin.post(address, said | {"reference": "T 2"}).body["id"]
    refused = gao.post(f"payment-notices/{other}/refuse/", {"reason": "Not here"})
    assert (refused.body["state"], refused.body["reason"]) == ("refused", "Not here")
    third = lin.post(address, said | {"reference": "T 3"}).body["id"]
    assert lin.post(f"payment-notices/{third}/withdraw/", {}).body["state"] == "withdrawn"
    assert program("hu").get(one).code == "not-found"


def test_voided_and_replaced(program, drawn):
    gao, address = program("gao"), f"statements/{drawn.pk}/void/"
    assert gao.post(address, {}).problems == [("reason", "required")]
    assert gao.post(address, {"reason": "x"}, If_Match='"7"').status == 412
    made = gao.post(address, {"reason": "Wrong name"}, If_Match='"1"')
    assert (made.status, made.body["number"]) == (201, "USTC-2026-0002")
    old = gao.get(f"statements/{drawn.pk}/").body
    assert (old["state"], old["void_reason"]) == ("voided", "Wrong name")
    assert (old["replaced_by"], made.body["replaces"]) == (made.body["id"], old["id"])
    assert gao.post(address, {"reason": "Again"}).code == "wrong-state"
    pay = {"amount": "1.00", "paid_on": "2026-04-01"}
    assert gao.post(f"statements/{drawn.pk}/payments/", pay).code == "wrong-state"


def test_files(program, drawn):
    lin = program("lin")
    pdf = lin.get(f"statements/{drawn.pk}/pdf/", Accept="application/pdf")
    assert pdf.body.startswith(b"%PDF-")
    assert 'filename="USTC-2026-0001.pdf"' in pdf.headers["Content-Disposition"]
    table = lin.get(f"statements/{drawn.pk}/csv/", Accept="text/csv")
    assert table.body.startswith(b"\xef\xbb\xbfstatement,position")
    assert program("hu").get(f"statements/{drawn.pk}/pdf/").code == "not-found"
    xu, settlement = program("xu"), Settlement.objects.get()
    assert xu.get(f"settlements/{settlement.pk}/pdf/?lang=zh-hans").body.startswith(b"%PDF-")
    assert b"CN-SH,CN-AH,fudan" in xu.get(f"settlements/{settlement.pk}/csv/").body


def test_a_table_names_person_and_source_in_the_readers_zone(program, drawn, cast, client):
    """The payer reads the codes of its sources, the host none of them; both in their own zone, as on the
    page."""
    line = drawn.lines.order_by("position").first()
    paid_by = {"source": source(cast), "percent": 100, "redeemed": 106, "created_at": APRIL}
    Earmark.objects.create(reservation_id=line.charge.reservation_id, **paid_by)
    User.objects.filter(pk=cast.people["lin"].pk).update(time_zone="Europe/London")

    def first_line(body: bytes) -> dict[str, str]:
        return next(csv.DictReader(StringIO(body.decode("utf-8-sig"))))

    seen = {}
    for who in ("lin", "gao"):
        client.force_login(cast.people[who])
        page = client.get(f"/money/statements/{drawn.pk}/csv/")
        seen[who] = first_line(program(who).get(f"statements/{drawn.pk}/csv/").body)
        assert seen[who] == first_line(b"".join(page))
    assert [row["person"] for row in seen.values()] == [cast.wang.name] * 2
    assert (seen["lin"]["source"], seen["gao"]["source"]) == ("NSFC-17", "")
    assert seen["lin"]["start"] == "2026-03-02T02:00:00+00:00"
    assert seen["gao"]["start"] == "2026-03-02T10:00:00+08:00"


def test_a_settlement_is_confirmed_by_both_and_paid(program, drawn):
    xu, anhui = program("xu"), program("coordinator")
    settlement = Settlement.objects.get()
    address = f"settlements/{settlement.pk}/"
    body = xu.get(address).body
    assert (body["state"], body["net"]["amount"], body["debtor"]) == ("drawn_up", "50.00", "CN-SH")
    assert (body["first"]["region"], body["first"]["owes"]["amount"]) == ("CN-AH", "0.00")
    assert body["use"][0]["payer"] == "fudan"
    assert body["ledger"]["agrees"] is True
    pay = {"amount": "50.00", "paid_on": "2026-04-01"}
    assert anhui.post(f"{address}payments/", pay).code == "wrong-state"
    assert xu.post(f"{address}confirm/", {"region": "CN-AH"}).problems == [("region", "unknown-region")]
    assert xu.post(f"{address}confirm/", {}).body["state"] == "drawn_up"
    assert xu.post(f"{address}confirm/", {}).code == "wrong-state"
    confirmed = anhui.post(f"{address}confirm/", {}).body
    assert (confirmed["state"], confirmed["second"]["confirmed_by"]) == ("confirmed", "Xu Fang")
    assert xu.post(f"{address}payments/", pay).code == "not-permitted"
    paid = anhui.post(f"{address}payments/", pay).body
    assert (paid["state"], paid["paid"]["amount"]) == ("paid", "50.00")
    assert paid["ledger"]["agrees"] is True
    again = anhui.post(f"{address}payments/", pay)
    assert again.problems == [("amount", "more-than-owed")]


def test_two_regions_need_two_people(program, drawn, cast):
    china = cast.anhui.parent
    role_grant(By(PLATFORM, APRIL), user=cast.people["xu"], role="coordinator", region=china)
    xu, address = program("xu"), f"settlements/{Settlement.objects.get().pk}/confirm/"
    assert xu.post(address, {}).problems == [("region", "required")]
    assert xu.post(address, {"region": "CN-AH"}).status == 200
    assert xu.post(address, {"region": "CN-SH"}).code == "no-second-coordinator"
    role_grant(By(PLATFORM, APRIL), user=cast.people["lin"], role="coordinator", region=cast.shanghai)
    assert xu.post(address, {"region": "CN-SH"}).code == "another-person"


def test_rates(program, drawn):
    lin = program("lin")
    said = {"base": "CNY", "quote": "EUR", "rate": "0.13", "valid_on": "2026-03-31", "source": "A bank"}
    made = lin.post("exchange-rates/", said)
    assert (made.status, made.body["organisation"], made.body["rate"]) == (201, "fudan", "0.13")
    assert lin.get("exchange-rates/").ids == [made.body["id"]]
    assert program("gao").get("exchange-rates/").ids == []
    assert program("chen").get("exchange-rates/").ids == [made.body["id"]]
    assert lin.post("exchange-rates/", said | {"organisation": "ustc"}).code == "not-permitted"
    assert lin.post("exchange-rates/", said | {"rate": "-1"}).problems == [("rate", "out-of-range")]
    address = f"statements/{drawn.pk}/exchange-rate/"
    shown = lin.post(address, {"exchange_rate": made.body["id"]}).body
    assert shown["payer_payable"] == {"amount": "34.84", "currency": "EUR"}
    assert shown["shown_at"]["source"] == "A bank"
    assert shown["payable"]["amount"] == "268.00"


@pytest.mark.parametrize("who", ["wang", "hu", "admin", "alice"])
def test_nobody_else_sees_them(program, drawn, who):
    asks = program(who)
    for kind in ("statements", "settlements", "exchange-rates"):
        assert asks.get(f"{kind}/").body["results"] == []
    assert asks.get(f"statements/{drawn.pk}/").status == 404
    assert asks.get(f"settlements/{Settlement.objects.get().pk}/").status == 404


def test_lists_are_read_in_pages_with_as_many_statements(program, cast, drawn, clock):
    lin, counts = program("lin"), []
    lin.get("statements/")  # the token is noted as used
    for so_many in (1, 2):
        with CaptureQueriesContext(connection) as caught:
            assert len(lin.get("statements/?limit=10").body["results"]) == so_many
        counts.append(len(caught))
        if so_many == 1:
            store([charge_of(cast, currency="USD", month=MARCH.replace(month=4))])
            statements_draw(month=MARCH.replace(month=4), now=APRIL + timedelta(days=30))
    assert counts[0] == counts[1]
    assert len(list(lin.pages("statements/?limit=1"))) >= 2
