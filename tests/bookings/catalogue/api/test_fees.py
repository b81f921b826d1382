"""Quotes through the API."""

from collections.abc import Callable
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from accounts.domain.roles import PLATFORM, By
from accounts.services.memberships import membership_start
from bookings.models import Quote, Reservation, UnmetDemand
from instruments.house_rules.models import HouseRulesAcceptance
from instruments.house_rules.services.house_rules import house_rules_set
from tests.factories.api import Program
from tests.factories.blocks import block
from tests.factories.cast import NOW, Cast, reserve

type Programs = Callable[..., Program]


def asked(cast: Cast, **changes: Any) -> dict[str, Any]:
    return {
        "instrument": str(cast.microscope.pk),
        "start": "2026-03-06T10:00:00+08:00",
        "end": "2026-03-06T12:00:00+08:00",
    } | changes


def test_a_quote_explains_itself_and_keeps_nothing(cast: Cast, program: Programs) -> None:
    answer = program("wang").post("quotes/", asked(cast, service_mode="assisted", options={"operator": 1.5}))
    assert answer.status == 200
    card = answer.body.pop("rate_card")
    assert card == {"id": card["id"], "version": 1}
    assert answer.body == {
        "currency": "CNY",
        "price_group": "external",
        "billed_minutes": 120,
        "lines": [
            {
                "kind": "usage",
                "code": "standard",
                "minutes": 120,
                "rate": "260.00",
                "multiplier": "1",
                "amount": "520.00",
            },
            {"kind": "setup", "amount": "100.00"},
            {"kind": "option", "code": "operator", "quantity": "1.5", "price": "150.00", "amount": "225.00"},
        ],
        "subtotal": "845.00",
        "tax": "50.70",
        "total": "895.70",
        "eligible": "845.00",
        "voucher": None,
        "covered": "0.00",
        "payable": "895.70",
        "vouchers": [],
        "minimum_minutes": 60,
        "funding": [],
        "organisation": "fudan",
        "refusals": [],
    }
    assert not Quote.objects.exists()
    assert not Reservation.objects.exists()


@pytest.mark.parametrize(
    ("name", "group", "total"),
    [
        ("zhao", "internal", "340.00"),  # without tax
        ("wang", "external", "657.20"),
        ("hu", "industry", "1123.60"),
        ("alice", "external", "657.20"),
        (None, "external", "657.20"),
    ],
)
def test_the_price_depends_on_who_asks(
    cast: Cast, program: Programs, name: str | None, group: str, total: str
) -> None:
    answer = program(name).post("quotes/", asked(cast))
    assert (answer.body["price_group"], answer.body["total"]) == (group, total)


def test_a_quote_says_what_would_refuse_and_is_given_all_the_same(cast: Cast, program: Programs) -> None:
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="sun")
    answer = program("wang").post("quotes/", asked(cast))
    assert (answer.status, answer.body["total"]) == (200, "657.20")
    assert answer.refusals == ["slot-taken"]
    assert answer.body["refusals"][0]["nearest"] == {
        "start": "2026-03-06T00:00:00Z",
        "end": "2026-03-06T02:00:00Z",
    }
    assert not UnmetDemand.objects.exists()


def test_a_group_that_is_not_served_has_no_price(cast: Cast, program: Programs) -> None:
    other = cast.instrument(name="Own only", card={"rates": {"internal": "1.00"}})
    answer = program("wang").post("quotes/", asked(cast, instrument=str(other.pk)))
    assert answer.status == 200
    assert (answer.body["total"], answer.body["lines"]) == (None, [])
    assert answer.refusals == ["audience-not-served"]


def test_a_day_without_a_card_has_no_price(cast: Cast, program: Programs) -> None:
    other = cast.instrument(name="Ends", card={"valid_until": "2026-03-06"})
    answer = program("wang").post("quotes/", asked(cast, instrument=str(other.pk)))
    assert (answer.body["currency"], answer.body["rate_card"]) == (None, None)
    assert answer.refusals == ["audience-not-served"]


def test_priced_by_the_sample(cast: Cast, program: Programs) -> None:
    """Without a way of service it is the one that has a price by the sample, as on the page."""
    other = cast.instrument(
        name="Mass spectrometer",
        service_modes=["self", "entrusted"],
        card={"rate_unit": "sample", "rates": {"external": "35.00"}, "setup_fee": "0"},
    )
    wang, body = program("wang"), asked(cast, instrument=str(other.pk))
    assert wang.post("quotes/", body).problems == [("samples", "required")]
    answer = wang.post("quotes/", body | {"samples": 4})
    assert (answer.body["subtotal"], answer.body["total"]) == ("140.00", "148.40")


def test_an_instrument_that_is_not_there(cast: Cast, program: Programs) -> None:
    answer = program("wang").post("quotes/", asked(cast, instrument=str(uuid4())))
    assert (answer.status, answer.code) == (404, "not-found")


def test_a_wrong_shape(cast: Cast, program: Programs) -> None:
    wang = program("wang")
    assert wang.post("quotes/", asked(cast, service_mode="remote")).problems == [
        ("service_mode", "not-offered")
    ]
    assert wang.post("quotes/", asked(cast, purpose={"code": "research"})).problems == [
        ("purpose", "unknown-field")
    ]
    assert wang.post("quotes/", asked(cast, organisation="ustc")).problems == [
        ("organisation", "not-a-member")
    ]


def test_a_token_that_only_reads_may_ask_for_a_price(cast: Cast, program: Programs) -> None:
    assert program("wang", scopes=["read"]).post("quotes/", asked(cast)).status == 200


def test_a_quote_refuses_for_house_rules_what_a_booking_refuses(cast: Cast, program: Programs) -> None:
    """By the same function: until a version is accepted, here or before."""
    house_rules_set(
        By(cast.actor("zhao"), NOW), text="Wear gloves.", text_zh="", instrument_id=cast.microscope.pk
    )
    wang = program("wang")
    body = asked(cast, service_mode="self", purpose={"code": "research"})

    def both(**more: Any) -> tuple[list[str], list[str]]:
        quoted = {name: value for name, value in (body | more).items() if name != "purpose"}
        told = [r["code"] for r in wang.post("quotes/", quoted).body["refusals"]]
        booked = wang.post("reservations/", body | more).body
        return told, [r["code"] for r in booked.get("refusals", [])]

    code = ["house-rules-not-accepted"]
    assert both() == (code, code)
    assert both(house_rules=7) == (code, code)
    assert wang.post("quotes/", asked(cast)).body["refusals"][0]["version"] == 1
    assert not HouseRulesAcceptance.objects.exists(), "a quote accepts nothing"
    assert both(house_rules=1) == ([], [])
    later = asked(cast, start="2026-03-07T10:00:00+08:00", end="2026-03-07T12:00:00+08:00")
    assert code[0] not in [r["code"] for r in wang.post("quotes/", later).body["refusals"]]
    anonymous = program().post("quotes/", later).body["refusals"]
    assert code[0] not in [r["code"] for r in anonymous]


PERIODS = [
    *[("2026-03-06T10:00", "2026-03-06T12:00"), ("2026-03-06T10:10", "2026-03-06T12:00")],
    *[("2026-03-06T02:00", "2026-03-06T03:00"), ("2026-03-01T10:00", "2026-03-01T11:00")],
    *[("2026-03-08T10:00", "2026-03-08T10:20"), ("2027-03-06T10:00", "2027-03-06T12:00")],
    *[("2026-03-06T15:00", "2026-03-06T17:00"), ("2026-03-06T09:30", "2026-03-08T12:10")],
]


@pytest.mark.parametrize("is_blocked", [True, False])
@pytest.mark.parametrize("has_rules", [True, False])
@pytest.mark.parametrize("name", ["wang", "hu"])
def test_a_quote_and_a_booking_name_the_same_rules(
    cast: Cast, program: Programs, name: str, has_rules: bool, is_blocked: bool
) -> None:
    reserve(cast, "2026-03-06 14:00", "2026-03-06 16:00", who="sun")
    if is_blocked:
        block(cast, name)
    if has_rules:
        by = By(cast.actor("zhao"), NOW)
        house_rules_set(by, text="Wear gloves.", text_zh="", instrument_id=cast.microscope.pk)
    asks, met = program(name), set()
    for (start, end), mode in product(PERIODS, ["self", "assisted"]):
        body = asked(cast, start=f"{start}:00+08:00", end=f"{end}:00+08:00", service_mode=mode)
        quoted = [r["code"] for r in asks.post("quotes/", body).body["refusals"]]
        with transaction.atomic():
            booked = asks.post("reservations/", body | {"purpose": {"code": "research"}})
            transaction.set_rollback(True)
        refused = [r["code"] for r in booked.body.get("refusals", [])]
        assert (sorted(quoted), booked.status == 201) == (sorted(refused), not quoted), body
        met |= set(quoted)
    assert {"slot-taken", "too-far"} <= met and len(met) >= 5
    assert ("house-rules-not-accepted" in met) == has_rules
    assert ("blocked" in met) == is_blocked


def test_a_slot_that_one_holds_is_quoted_as_it_is_booked(cast: Cast, program: Programs) -> None:
    wang = program("wang")
    held = asked(cast, organisation="fudan", service_mode="self")
    assert wang.post("holds/", held).status == 201
    assert wang.post("quotes/", held).body["refusals"] == []
    longer = held | {"end": "2026-03-06T13:00:00+08:00"}
    assert [r["code"] for r in wang.post("quotes/", longer).body["refusals"]] == ["slot-taken"]
    assert wang.post("reservations/", longer | {"purpose": {"code": "research"}}).status == 409
    assert wang.post("reservations/", held | {"purpose": {"code": "research"}}).status == 201


def test_who_belongs_to_two_organisations_is_answered_for_the_first(cast: Cast, program: Programs) -> None:
    """As on the pages; the answer says for which. Booking still wants one named."""
    membership_start(By(PLATFORM, NOW), user=cast.wang, organisation=cast.ustc)
    first = min(cast.fudan, cast.ustc, key=lambda one: one.name).code
    wang, here = program("wang"), f"instruments/{cast.microscope.pk}/availability/"
    for answer in (
        wang.get("instruments/"),
        wang.get("instruments/?q=microscope"),
        wang.get("instruments/?sort=price"),
        wang.get(here),
        wang.post("quotes/", asked(cast)),
    ):
        assert (answer.status, answer.body["organisation"]) == (200, first)
    for code in ("fudan", "ustc"):
        assert wang.get(f"instruments/?organisation={code}").body["organisation"] == code
        assert wang.post("quotes/", asked(cast, organisation=code)).body["organisation"] == code
    assert program().get("instruments/").body["organisation"] is None
    assert wang.post("holds/", asked(cast, service_mode="self")).problems == [
        ("organisation", "organisation-needed")
    ]
