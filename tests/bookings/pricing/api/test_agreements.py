"""Agreements, programmes and grants through the API."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.models import Agreement, VoucherGrant
from tests.factories.agreements import agree, grant, programme, propose
from tests.factories.api import Program
from tests.factories.cast import Cast, reserve

type Programs = Callable[..., Program]
D = Decimal

AGREEMENT: dict[str, Any] = {
    "code": "ah-sh",
    "name": "Anhui and Shanghai",
    "regions": ["CN-AH", "ISO 3166-2:CN-SH"],
    "valid_from": "2026-01-01",
    "discount_percent": "12.5",
    "honours_vouchers": True,
}


def test_proposed_changed_signed_and_ended(cast: Cast, program: Programs) -> None:
    anhui, shanghai = program("coordinator"), program("xu")
    made = anhui.post("agreements/", AGREEMENT)
    assert made.status == 201
    assert made.body == {
        "id": made.body["id"],
        "code": "ah-sh",
        "name": "Anhui and Shanghai",
        "name_zh": "",
        "members": [
            {"region": code, "name": name, "name_zh": name_zh, "signed_by": None, "signed_at": None}
            for code, name, name_zh in (("CN-AH", "Anhui", "安徽"), ("CN-SH", "Shanghai", "上海"))
        ],
        "valid_from": "2026-01-01",
        "valid_until": None,
        "discount_percent": "12.5",
        "honours_vouchers": True,
        "recognises_qualifications": False,
        "state": "proposed",
        "proposed_at": "2026-03-05T04:00:00Z",
        "signed_at": None,
        "version": 1,
    }
    here = made.headers["Location"]
    assert shanghai.post(f"{here}sign/", {}, If_Match='"1"').headers["ETag"] == '"2"'
    changed = anhui.patch(here, {"discount_percent": "15"}, If_Match='"2"')
    assert (changed.status, changed.body["discount_percent"]) == (200, "15")
    assert changed.body["members"][1]["signed_at"] is None
    assert anhui.post(f"{here}sign/", {}, If_Match='"2"').code == "wrong-version"
    assert anhui.post(f"{here}sign/", {}).body["state"] == "proposed"
    signed = shanghai.post(f"{here}sign/", {"region": "CN-SH"})
    assert (signed.body["state"], signed.body["signed_at"]) == ("in_force", "2026-03-05T04:00:00Z")
    assert signed.body["members"][1]["signed_by"] == {"id": str(cast.xu.pk), "name": "Xu Fang"}
    assert shanghai.post(f"{here}sign/", {}).status == 409
    assert anhui.patch(here, {"discount_percent": "90"}).code == "wrong-state"
    ended = shanghai.post(f"{here}end/", {"valid_until": "2026-04-01", "reason": "new one"})
    assert (ended.body["valid_until"], ended.body["state"]) == ("2026-04-01", "in_force")
    assert shanghai.post(f"{here}end/", {}).body["state"] == "over"


def test_wrong_shapes(cast: Cast, program: Programs) -> None:
    anhui = program("coordinator")
    for changes, wrong in (
        ({"regions": ["CN-AH", "CN-XX"]}, [("regions[1]", "unknown-region")]),
        ({"regions": ["CN-AH"]}, [("regions", "too-few")]),
        ({"regions": ["CN-AH", "CN"]}, [("regions[1]", "region-does-not-share")]),
        ({"discount_percent": "101"}, [("discount_percent", "out-of-range")]),
        ({"valid_from": "tomorrow"}, [("valid_from", "not-a-date")]),
        ({"colour": "red"}, [("colour", "unknown-field")]),
    ):
        assert anhui.post("agreements/", AGREEMENT | changes).problems == wrong
    assert not Agreement.objects.exists()


def test_the_same_key_proposes_once(cast: Cast, program: Programs) -> None:
    anhui = program("coordinator")
    first = anhui.post("agreements/", AGREEMENT, Idempotency_Key="a")
    again = anhui.post("agreements/", AGREEMENT, Idempotency_Key="a")
    assert (again.status, again.body["id"]) == (201, first.body["id"])
    assert Agreement.objects.count() == 1


def test_who_reads_agreements(cast: Cast, program: Programs) -> None:
    signed, proposal = (
        agree(cast),
        propose(cast, code="next", valid_from=date(2027, 1, 1), valid_until=None),
    )
    for who in ("coordinator", "xu", "auditor"):
        assert set(program(who).get("agreements/").ids) == {str(signed.pk), str(proposal.pk)}
    for who in ("wang", "hu", "lin", "chen"):
        assert program(who).get("agreements/").ids == [str(signed.pk)]
        assert program(who).get(f"agreements/{proposal.pk}/").status == 404
    assert program("alice").get("agreements/").ids == []
    assert program("alice").get(f"agreements/{signed.pk}/").status == 404
    assert program().get("agreements/").status == 401
    # What one may see one may not therefore sign.
    assert program("auditor").post(f"agreements/{proposal.pk}/sign/", {}).status == 403
    assert program("wang").post(f"agreements/{signed.pk}/end/", {}).status == 403


def test_filters_and_pages(cast: Cast, program: Programs) -> None:
    signed = agree(cast)
    later = {"valid_from": date(2027, 1, 1), "valid_until": None}
    others = [propose(cast, code=f"more-{n}", **later) for n in range(3)]
    xu = program("xu")
    assert xu.get("agreements/?in_force_on=2026-05-01").ids == [str(signed.pk)]
    assert xu.get("agreements/?in_force_on=2027-01-01").ids == []
    assert len(xu.get("agreements/?region=CN-SH").ids) == 4
    assert xu.get("agreements/?region=CN").ids == []
    pages = list(xu.pages("agreements/?limit=2"))
    assert [pk for page in pages[:2] for pk in page] == [str(row.pk) for row in [*reversed(others), signed]]


PROGRAMME: dict[str, Any] = {
    "region": "CN-SH",
    "code": "sh-vouchers",
    "name": "Shanghai vouchers",
    "percent": "50",
    "budget": "2000",
    "payer_kinds": ["university"],
    "host_regions": ["CN-AH"],
    "valid_from": "2026-01-01",
}


def test_a_programme_and_its_grants(cast: Cast, program: Programs) -> None:
    agree(cast)
    xu = program("xu")
    made = xu.post("programmes/", PROGRAMME)
    assert made.status == 201
    yuan = lambda text: {"amount": text, "currency": "CNY"}  # noqa: E731
    assert made.body == {
        "id": made.body["id"],
        "region": "CN-SH",
        "code": "sh-vouchers",
        "name": "Shanghai vouchers",
        "name_zh": "",
        "percent": "50",
        "cap_per_booking": None,
        "currency": "CNY",
        "budget": yuan("2000.00"),
        "granted": yuan("0.00"),
        "held": yuan("0.00"),
        "redeemed": yuan("0.00"),
        "transferred": yuan("0.00"),
        "left": yuan("0.00"),
        "grants": 0,
        "payer_kinds": ["university"],
        "is_for_small_only": False,
        "host_regions": ["CN-AH"],
        "valid_from": "2026-01-01",
        "valid_until": None,
        "state": "open",
        "suspended_at": None,
        "created_at": "2026-03-05T04:00:00Z",
        "version": 1,
    }
    here = made.headers["Location"]
    asked = {
        "programme": made.body["id"],
        "organisation": "fudan",
        "amount": "1500.00",
        "valid_from": "2026-01-01",
        "valid_until": "2027-01-01",
    }
    given = xu.post("grants/", asked)
    assert given.status == 201
    booked = reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00")
    one = program("wang").get(given.headers["Location"])
    assert one.body == {
        "id": given.body["id"],
        "code": "sh-vouchers-fudan-2026",
        "organisation": "fudan",
        "programme": {
            "id": made.body["id"],
            "code": "sh-vouchers",
            "name": "Shanghai vouchers",
            "name_zh": "",
            "region": "CN-SH",
            "percent": "50",
            "cap_per_booking": None,
            "host_regions": ["CN-AH"],
        },
        "granted": yuan("1500.00"),
        "held": yuan("140.00"),
        "redeemed": yuan("0.00"),
        "transferred": yuan("0.00"),
        "left": yuan("1360.00"),
        "valid_from": "2026-01-01",
        "valid_until": "2027-01-01",
        "state": "open",
        "suspended_at": None,
        "granted_at": "2026-03-05T04:00:00Z",
        "version": 1,
    }
    figures = xu.get(here).body
    assert [figures[name]["amount"] for name in ("granted", "held", "redeemed", "left")] == [
        "1500.00",
        "140.00",
        "0.00",
        "1360.00",
    ]
    assert figures["grants"] == 1
    uses = f"{given.headers['Location']}uses/"
    (use,) = xu.get(uses).body["results"]
    assert (use["reservation"], use["held"], use["charges"]) == (str(booked.pk), yuan("140.00"), [])
    assert program("wang").get(uses).body["results"] == [use]
    assert program("lin").get(uses).body["results"] == [use]
    short = xu.post("grants/", asked | {"amount": "500.01"})
    assert short.problems == [("amount", "programme-short")]
    assert xu.patch(here, {"budget": "1400"}).problems == [("budget", "below-granted")]
    assert xu.patch(here, {"budget": None, "percent": "30"}).body["budget"] is None
    there = given.headers["Location"]
    assert xu.patch(there, {"amount": "139.99"}).problems == [("amount", "below-used")]
    assert xu.patch(there, {"amount": "140", "reason": "cut"}, If_Match='"1"').headers["ETag"] == ('"2"')
    assert xu.get(there).body["state"] == "used_up"
    assert xu.post(f"{there}suspend/", {"reason": "x"}).body["state"] == "suspended"
    assert xu.post(f"{there}suspend/", {}).code == "wrong-state"
    assert xu.post(f"{there}resume/").body["state"] == "used_up"
    assert xu.post(f"{here}suspend/", {}, If_Match='"1"').status == 412
    assert xu.post(f"{here}suspend/", {}).body["state"] == "suspended"
    assert xu.post(f"{here}resume/").body["state"] == "open"


def test_who_reads_grants_and_programmes(cast: Cast, program: Programs) -> None:
    made = programme(cast)
    given = grant(cast, made)
    for who in ("xu", "wang", "lin", "chen"):
        assert program(who).get("grants/").ids == [str(given.pk)]
    for who in ("coordinator", "auditor", "gao", "zhao", "hu", "alice", "admin"):
        assert program(who).get("grants/").ids == []
        assert program(who).get(f"grants/{given.pk}/").status == 404
        assert program(who).get(f"grants/{given.pk}/uses/").status == 404
    assert program("xu").get("grants/?mine=1").ids == []
    assert program("lin").get("grants/?mine=1").ids == [str(given.pk)]
    assert program("xu").get("programmes/").ids == [str(made.pk)]
    for who in ("wang", "lin", "coordinator", "auditor"):
        assert program(who).get("programmes/").ids == []
        assert program(who).get(f"programmes/{made.pk}/").status == 404
    for who in ("wang", "lin", "chen"):
        assert program(who).post(f"grants/{given.pk}/suspend/", {}).status == 403
        assert program(who).patch(f"grants/{given.pk}/", {"amount": "9000"}).status == 403
    given.refresh_from_db()
    assert (given.amount, given.version) == (1000, 1)


def test_wrong_grants(cast: Cast, program: Programs) -> None:
    made = programme(cast, valid_until=date(2027, 1, 1))
    asked = {
        "programme": str(made.pk),
        "organisation": "fudan",
        "amount": "10",
        "valid_from": "2026-01-01",
        "valid_until": "2027-01-01",
    }
    xu = program("xu")
    for changes, wrong in (
        ({"organisation": "ustc"}, [("organisation", "not-of-the-region")]),
        ({"organisation": "nobody"}, [("organisation", "unknown-value")]),
        ({"programme": str(cast.wang.pk)}, [("programme", "unknown-value")]),
        ({"amount": "0"}, [("amount", "out-of-range")]),
        ({"valid_until": "2027-01-02"}, [("valid_until", "outside-programme")]),
        ({"amount": None}, [("amount", "required")]),
    ):
        assert xu.post("grants/", asked | changes).problems == wrong
    assert program("coordinator").post("grants/", asked).problems == [("programme", "unknown-value")]
    assert not VoucherGrant.objects.exists()


@pytest.mark.parametrize("path", ["agreements/", "programmes/", "grants/"])
def test_a_list_costs_the_same_whatever_its_length(cast: Cast, program: Programs, path: str) -> None:
    xu = program("xu")

    def statements() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert xu.get(path).status == 200
        return len(caught)

    agree(cast)
    grant(cast, programme(cast, host_regions=(cast.anhui.pk,)))
    statements()  # the token is marked as used
    first = statements()
    for n in range(2):
        agree(cast, code=f"a{n}", valid_from=date(2027 + n, 1, 1), valid_until=date(2028 + n, 1, 1))
        grant(cast, programme(cast, code=f"p{n}", host_regions=(cast.anhui.pk,)))
    assert statements() == first
