"""Reservations through the API: the whole line, and each way it can go wrong."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from psycopg.errors import LockNotAvailable

from accounts.domain.roles import PLATFORM, By
from accounts.models import IdempotencyKey, OutboxMessage, RoleGrant, TrailEntry
from accounts.services.memberships import membership_start, role_grant
from bookings.charging.services.charges import charge_make
from bookings.models import Occupancy, Quote, Reservation, UnmetDemand
from bookings.record.messages import sentence
from tests.factories.api import Clock, Program
from tests.factories.cast import NOW, Cast, at, reserve
from tests.factories.funding import granted, source

type Programs = Callable[..., Program]


def wish(cast: Cast, **changes: Any) -> dict[str, Any]:
    """A body that is accepted: Friday 10 to 12 in Hefei."""
    return {
        "instrument": str(cast.microscope.pk),
        "start": "2026-03-06T10:00:00+08:00",
        "end": "2026-03-06T12:00:00+08:00",
        "organisation": "fudan",
        "service_mode": "self",
        "purpose": {"code": "research", "text": "钙钛矿的晶格缺陷"},
    } | changes


def written() -> tuple[int, ...]:
    """How much there is of what a booking writes."""
    kinds = (Reservation, Occupancy, Quote, TrailEntry, OutboxMessage)
    return tuple(kind.objects.count() for kind in kinds)  # type: ignore[attr-defined]


def test_what_it_may_cost_at_most(cast: Cast, program: Programs) -> None:
    wang = program("wang")
    body = wish(cast)
    asked = {name: body[name] for name in ("instrument", "start", "end", "service_mode")}
    quoted = wang.post("quotes/", asked | {"organisation": "fudan"})
    most = {"amount": quoted.body["payable"], "currency": quoted.body["currency"]}
    before = written()
    for less in ({"amount": "1.00"}, {"currency": "EUR"}):
        refused = wang.post("reservations/", body | {"at_most": most | less})
        assert (refused.status, refused.body["code"]) == (409, "price-changed")
        assert {name: refused.body[name] for name in most} == most
        assert written() == before
    assert wang.post("reservations/", body | {"at_most": most}).status == 201


# The main line


def test_the_main_line(cast: Cast, program: Programs, clock: Clock) -> None:
    wang, zhao = program("wang"), program("zhao")
    instrument = cast.instrument(name="Cryo-EM", policy={"approval": "cross-region"})

    asked = wang.post("reservations/", wish(cast, instrument=str(instrument.pk)))
    assert asked.status == 201
    assert asked.body["state"] == "requested"
    assert asked.body["deadline"] == "2026-03-06T02:00:00Z"
    assert asked.headers["ETag"] == '"1"'
    here = asked.headers["Location"]
    assert here == f"/api/v1/reservations/{asked.body['id']}/"

    listed = zhao.get("reservations/?state=requested")
    assert listed.ids == [asked.body["id"]]
    approved = zhao.post(f"{here}approve/", {}, If_Match='"1"')
    assert (approved.status, approved.body["state"]) == (200, "confirmed")
    assert approved.headers["ETag"] == '"2"'

    clock.now = at("2026-03-06 09:50")
    entered = wang.post(f"{here}check-in/")
    assert entered.body["state"] == "in_use"
    assert entered.body["session"]["checked_in_at"] == "2026-03-06T01:50:00Z"
    clock.now = at("2026-03-06 11:30") + timedelta(seconds=7)
    left = wang.post(f"{here}check-out/", {"samples": 3, "rating": 5, "remarks": "很好"})
    assert left.body["state"] == "completed"
    assert left.body["session"] == {
        "checked_in_at": "2026-03-06T01:50:00Z",
        "checked_out_at": "2026-03-06T03:30:07Z",
        "is_assumed": False,
        "cut_at": None,
        "service_mode": "self",
        "samples": 3,
        "rating": 5,
        "remarks": "很好",
    }

    charge_make(reservation_id=Reservation.objects.get().pk, now=clock.now)
    shown = wang.get(here)
    assert shown.body["charge"]["payable"] == {"amount": "657.20", "currency": "CNY"}
    assert wang.get("charges/").ids == [shown.body["charge"]["id"]]
    story = program("auditor").get(f"trail/entries/?object={asked.body['id']}")
    assert [entry["action"] for entry in reversed(story.body["results"])] == [
        "reservation.requested",
        "reservation.confirmed",
        "reservation.in_use",
        "reservation.completed",
    ]


def test_a_reservation_answers_with_what_was_asked_and_its_quote(cast: Cast, program: Programs) -> None:
    made = program("wang").post(
        "reservations/",
        wish(
            cast, service_mode="assisted", options={"operator": "1.5"}, samples={"count": 4, "text": "晶圆"}
        ),
    )
    body = made.body
    assert body["instrument"] == str(cast.microscope.pk)
    assert (body["start"], body["end"]) == ("2026-03-06T02:00:00Z", "2026-03-06T04:00:00Z")
    assert (body["organisation"], body["host"]) == ("fudan", "ustc")
    assert (body["payer_region"], body["host_region"]) == ("CN-SH", "CN-AH")
    assert body["purpose"] == {"code": "research", "text": "钙钛矿的晶格缺陷"}
    assert body["samples"] == {"count": 4, "text": "晶圆"}
    assert body["price_group"] == "external"
    assert body["rate_card"]["version"] == 1
    assert body["policy_version"] == 1
    quote = body["quote"]
    assert quote["total"] == quote["payable"] == "895.70"
    assert [line["amount"] for line in quote["lines"]] == ["520.00", "100.00", "225.00"]
    # Never repriced on reading.
    assert program("wang").get(made.headers["Location"]).body["quote"] == quote


@pytest.mark.parametrize(
    ("samples", "count", "text"),
    [(3, 3, ""), ("two wafers", None, "two wafers"), ({"count": 2, "text": "x"}, 2, "x"), ({}, None, "")],
)
def test_samples_are_a_number_or_a_text_or_both(
    cast: Cast, program: Programs, samples: Any, count: int | None, text: str
) -> None:
    made = program("wang").post("reservations/", wish(cast, samples=samples))
    assert made.body["samples"] == {"count": count, "text": text}


@pytest.mark.parametrize("named", ["code", "id", None])
def test_the_payer_is_named_by_code_or_id_or_is_the_only_one(
    cast: Cast, program: Programs, named: str | None
) -> None:
    organisation = {"code": "fudan", "id": str(cast.fudan.pk), None: None}[named]
    body = wish(cast)
    del body["organisation"]
    if organisation:
        body["organisation"] = organisation
    assert program("wang").post("reservations/", body).body["organisation"] == "fudan"


def test_several_memberships_need_one_named(cast: Cast, program: Programs) -> None:
    membership_start(By(PLATFORM, NOW), user=cast.wang, organisation=cast.ustc)
    body = wish(cast)
    del body["organisation"]
    answer = program("wang").post("reservations/", body)
    assert (answer.status, answer.problems) == (400, [("organisation", "organisation-needed")])


# Shape


BAD = [
    ({"start": None}, [("start", "required")]),
    ({"start": "2026-03-06T10:00:00"}, [("start", "naive-time")]),
    ({"start": "2026-03-06 10:00"}, [("start", "naive-time")]),
    ({"start": "tomorrow"}, [("start", "not-an-instant")]),
    ({"start": "2026-03-06"}, [("start", "not-an-instant")]),
    ({"start": "2026-02-30T10:00:00Z"}, [("start", "not-an-instant")]),
    ({"start": "2026-03-06T24:00:00Z"}, [("start", "not-an-instant")]),
    ({"start": "2026-03-06T10:00:00+99:00"}, [("start", "not-an-instant")]),
    ({"start": 1772762400}, [("start", "not-an-instant")]),
    ({"start": "1969-03-06T10:00:00Z"}, [("start", "out-of-range")]),
    ({"end": "9999-03-06T10:00:00Z"}, [("end", "out-of-range")]),
    ({"end": "2026-03-06T10:00:00+08:00"}, [("end", "not-after-start")]),
    ({"end": "2026-03-06T09:00:00+08:00"}, [("end", "not-after-start")]),
    ({"end": "2028-03-06T09:00:00+08:00"}, [("end", "span-too-long")]),
    ({"instrument": "x"}, [("instrument", "not-an-id")]),
    ({"service_mode": "robot"}, [("service_mode", "unknown-value")]),
    ({"service_mode": "remote"}, [("service_mode", "not-offered")]),
    ({"service_mode": ["self"]}, [("service_mode", "unknown-value")]),
    ({"purpose": "research"}, [("purpose", "not-an-object")]),
    ({"purpose": {"code": "fun"}}, [("purpose.code", "unknown-value")]),
    ({"purpose": {"text": "x"}}, [("purpose.code", "required")]),
    ({"purpose": {"code": "research", "text": "x" * 501}}, [("purpose.text", "too-long")]),
    ({"purpose": {"code": "research", "why": ""}}, [("purpose.why", "unknown-field")]),
    ({"organisation": "ustc"}, [("organisation", "not-a-member")]),
    ({"organisation": 5}, [("organisation", "not-a-text")]),
    ({"options": {"coffee": 1}}, [("options.coffee", "unknown-option")]),
    ({"options": {"operator": "a"}}, [("options.operator", "not-a-decimal")]),
    ({"options": {"operator": -1}}, [("options.operator", "out-of-range")]),
    ({"options": {"operator": "0.125"}}, [("options.operator", "too-many-decimals")]),
    ({"options": [1]}, [("options", "not-an-object")]),
    ({"samples": 0}, [("samples.count", "out-of-range")]),
    ({"samples": 1.5}, [("samples.count", "not-an-integer")]),
    ({"samples": {"n": 1}}, [("samples.n", "unknown-field")]),
    # Of later issues, or of nobody: refused, so that nobody believes they were honoured.
    ({"funding": 1}, [("funding", "not-a-list")]),
    ({"hold": "x"}, [("hold", "not-an-id")]),
    ({"override": ["slot-taken"]}, [("override[0]", "unknown-value")]),
    ({"override": "too-soon"}, [("override", "not-a-list")]),
    ({"on_behalf_of": 7}, [("on_behalf_of", "not-a-text")]),
]


def test_what_should_be_an_object_names_its_fields(cast: Cast, program: Programs) -> None:
    answer = program("wang").post("reservations/", wish(cast, purpose="research"))
    assert [error["message"] for error in answer.body["errors"]] == [
        "This must be an object with the fields code, text."
    ]


@pytest.mark.parametrize(("changes", "problems"), BAD)
def test_a_wrong_shape_is_named_and_nothing_is_written(
    cast: Cast, program: Programs, changes: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    wang = program("wang")
    before = written()
    answer = wang.post("reservations/", wish(cast, **changes))
    assert (answer.status, sorted(answer.problems)) == (400, sorted(problems))
    assert written() == before


def test_everything_that_is_missing_is_named_at_once(cast: Cast, program: Programs) -> None:
    answer = program("wang").post("reservations/", {})
    assert answer.problems == [
        (name, "required") for name in ("instrument", "start", "end", "service_mode", "purpose")
    ]


# Rules


def test_a_taken_slot_is_a_conflict_with_the_nearest_that_passes(cast: Cast, program: Programs) -> None:
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="sun")
    wang = program("wang")
    before = written()
    answer = wang.post("reservations/", wish(cast))
    assert (answer.status, answer.code) == (409, "slot-taken")
    assert answer.body["refusals"] == [
        {
            "code": "slot-taken",
            "message": sentence("slot-taken", {"units": 1}),
            "units": 1,
            "nearest": {"start": "2026-03-06T00:00:00Z", "end": "2026-03-06T02:00:00Z"},
            "equivalents": [],
        }
    ]
    assert written() == before
    assert UnmetDemand.objects.count() == 1


def test_a_closure_is_a_conflict(cast: Cast, program: Programs) -> None:
    zhao = program("zhao")
    zhao.post(
        f"instruments/{cast.microscope.pk}/closures/",
        {"start": "2026-03-06T00:00:00+08:00", "end": "2026-03-07T00:00:00+08:00", "kind": "maintenance"},
    )
    answer = program("wang").post("reservations/", wish(cast))
    assert (answer.status, answer.code) == (409, "instrument-closed")


def test_every_rule_that_refuses_is_named(cast: Cast, program: Programs) -> None:
    wang = program("wang")
    before = written()
    answer = wang.post(
        "reservations/", wish(cast, start="2026-03-07T09:10:00+08:00", end="2026-03-07T09:20:00+08:00")
    )
    assert (answer.status, answer.code) == (422, "rules-refuse")
    assert answer.refusals == ["off-grid", "too-short", "outside-opening-hours"]
    assert answer.body["refusals"][0]["slot_minutes"] == 30
    assert written() == before


def test_taken_and_something_else_is_no_conflict(cast: Cast, program: Programs) -> None:
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="sun")
    answer = program("wang").post("reservations/", wish(cast, start="2026-03-06T10:10:00+08:00"))
    assert answer.status == 422
    assert "slot-taken" in answer.refusals


def test_one_rule_that_refuses_is_the_code(cast: Cast, program: Programs) -> None:
    answer = program("wang").post(
        "reservations/", wish(cast, start="2026-03-05T11:00:00+08:00", end="2026-03-05T12:00:00+08:00")
    )
    assert (answer.status, answer.code, answer.refusals) == (422, "too-soon", ["too-soon"])


def test_a_group_without_a_rate_is_not_served(cast: Cast, program: Programs) -> None:
    other = cast.instrument(name="Own only", card={"rates": {"internal": "1.00"}})
    answer = program("wang").post("reservations/", wish(cast, instrument=str(other.pk)))
    assert (answer.status, answer.code) == (422, "audience-not-served")
    assert answer.body["refusals"][0]["price_group"] == "external"


# Who


def test_nobody_signed_in_reserves_nothing(cast: Cast, program: Programs) -> None:
    answer = program().post("reservations/", wish(cast))
    assert (answer.status, answer.code) == (401, "not-signed-in")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert program().get("reservations/").status == 401
    assert not Reservation.objects.exists()


def test_somebody_without_an_organisation_may_not_book(cast: Cast, program: Programs) -> None:
    body = wish(cast)
    del body["organisation"]
    answer = program("alice").post("reservations/", body)
    assert answer.problems == [("organisation", "organisation-needed")]


def test_an_instrument_that_is_not_to_be_seen_is_not_there(cast: Cast, program: Programs) -> None:
    assert program("wang").post("reservations/", wish(cast, instrument=str(uuid4()))).status == 404


def test_a_stranger_sees_nothing(cast: Cast, program: Programs) -> None:
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    hu = program("hu")
    before = written()
    for method, path in (
        ("GET", ""),
        ("GET", "cancellation/"),
        ("POST", "cancel/"),
        ("POST", "approve/"),
        ("POST", "reject/"),
        ("POST", "check-in/"),
        ("POST", "check-out/"),
    ):
        answer = hu.send(method, f"reservations/{made.pk}/{path}")
        assert (answer.status, answer.code) == (404, "not-found"), path
    assert hu.get("reservations/").ids == []
    assert hu.get(f"reservations/{uuid4()}/").status == 404
    assert written() == before


def test_who_sees_a_reservation(cast: Cast, program: Programs) -> None:
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    for name in ("wang", "chen", "zhao", "auditor"):
        assert program(name).get("reservations/").ids == [str(made.pk)], name
    for name in ("sun", "hu", "coordinator", "alice"):
        assert program(name).get("reservations/").ids == [], name


def test_nobody_approves_their_own_request(cast: Cast, program: Programs) -> None:
    instrument = cast.instrument(name="Cryo-EM", policy={"approval": "manual"})
    role_grant(By(PLATFORM, NOW), user=cast.zhao, role="researcher", organisation=cast.ustc)
    wang = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=instrument)
    own = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", who="zhao", instrument=instrument)

    answer = program("wang").post(f"reservations/{wang.pk}/approve/")
    assert (answer.status, answer.code) == (403, "not-permitted")
    answer = program("zhao").post(f"reservations/{own.pk}/approve/")
    assert (answer.status, answer.code) == (409, "no-second-manager")
    role_grant(By(PLATFORM, NOW), user=cast.sun, role="manager", organisation=cast.ustc)
    answer = program("zhao").post(f"reservations/{own.pk}/approve/")
    assert (answer.status, answer.code) == (409, "own-request")
    answer = program("chen").post(f"reservations/{wang.pk}/approve/")
    assert (answer.status, answer.code) == (403, "not-permitted")
    assert set(Reservation.objects.values_list("state", flat=True)) == {"requested"}


# Transitions


def test_a_request_is_rejected_with_a_reason(cast: Cast, program: Programs) -> None:
    instrument = cast.instrument(name="Cryo-EM", policy={"approval": "manual"})
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=instrument)
    zhao = program("zhao")
    path = f"reservations/{made.pk}/reject/"
    assert zhao.post(path, {}).problems == [("reason", "required")]
    done = zhao.post(path, {"reason": "检修"})
    assert (done.body["state"], done.body["reason"]) == ("rejected", "检修")
    assert not Occupancy.objects.exists()
    again = zhao.post(path, {"reason": "检修"})
    assert (again.status, again.code, again.body["state"]) == (409, "wrong-state", "rejected")


def test_past_its_deadline_a_request_is_expired(cast: Cast, program: Programs, clock: Clock) -> None:
    instrument = cast.instrument(name="Cryo-EM", policy={"approval": "manual"})
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=instrument)
    clock.now = at("2026-03-06 10:00")
    zhao = program("zhao")
    assert zhao.get(f"reservations/{made.pk}/").body["state"] == "expired"
    assert zhao.get("reservations/?state=requested").ids == []
    assert zhao.get("reservations/?state=expired").ids == [str(made.pk)]
    assert zhao.get("reservations/?state=requested, expired").ids == [str(made.pk)]
    answer = zhao.post(f"reservations/{made.pk}/approve/")
    assert (answer.status, answer.code, answer.body["state"]) == (409, "wrong-state", "expired")


def test_what_cancelling_costs_is_said_first(cast: Cast, program: Programs, clock: Clock) -> None:
    made = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")
    wang, path = program("wang"), f"reservations/{made.pk}/"
    free = {"amount": "0.00", "currency": "CNY"}
    by_terms = {"reason": "terms", "free_until": None}
    answer = wang.get(f"{path}cancellation/")
    assert answer.body == {"percent": "0", "fee": free, "tax": free} | by_terms
    clock.now = at("2026-03-08 09:00")
    late = {
        "percent": "50",
        "fee": {"amount": "310.00", "currency": "CNY"},
        "tax": {"amount": "18.60", "currency": "CNY"},
    } | by_terms
    assert wang.get(f"{path}cancellation/").body == late
    assert program("zhao").get(f"{path}cancellation/").body["fee"] == free  # the host
    cancelled = wang.post(f"{path}cancel/", {"reason": "no sample"})
    assert cancelled.body["state"] == "cancelled"
    answer = wang.get(f"{path}cancellation/")
    assert (answer.status, answer.code) == (409, "wrong-state")
    charge = charge_make(reservation_id=made.pk, now=clock.now)
    assert charge is not None
    (listed,) = wang.get("charges/").body["results"]
    assert listed["kind"] == "cancellation"
    assert listed["total"] == {"amount": "328.60", "currency": "CNY"}
    assert listed["result"]["percent"] == "50"


def test_second_thoughts_are_free_once_a_day(cast: Cast, program: Programs, clock: Clock) -> None:
    first = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    second = reserve(cast, "2026-03-06 12:00", "2026-03-06 14:00")
    wang = program("wang")
    answer = wang.get(f"reservations/{first.pk}/cancellation/").body
    assert (answer["percent"], answer["fee"]["amount"]) == ("0", "0.00")
    assert (answer["reason"], answer["free_until"]) == ("second-thoughts", "2026-03-05T04:10:00Z")
    cancelled = wang.post(f"reservations/{first.pk}/cancel/").body
    assert (cancelled["state"], cancelled["is_second_thought"]) == ("cancelled", True)
    answer = wang.get(f"reservations/{second.pk}/cancellation/").body
    assert (answer["percent"], answer["reason"], answer["free_until"]) == ("50", "terms", None)
    by_host = program("zhao").get(f"reservations/{second.pk}/cancellation/").body
    assert by_host["reason"] == "by-host"


def test_what_was_missed_is_not_cancelled(cast: Cast, program: Programs, clock: Clock) -> None:
    strict = cast.instrument(name="Cryo-EM", policy={"check_in_minutes": 15})
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=strict)
    wang, path = program("wang"), f"reservations/{made.pk}/"
    clock.now = at("2026-03-06 10:14")
    assert wang.get(f"{path}cancellation/").body["percent"] == "100"
    clock.now = at("2026-03-06 10:15")
    assert wang.get(f"{path}cancellation/").code == "wrong-state"
    assert wang.post(f"{path}cancel/").code == "wrong-state"


def test_the_host_owes_a_reason_for_cancelling(cast: Cast, program: Programs) -> None:
    made = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")
    zhao = program("zhao")
    assert zhao.post(f"reservations/{made.pk}/cancel/").problems == [("reason", "required")]
    assert Reservation.objects.get().state == "confirmed"


def test_too_early_and_too_late(cast: Cast, program: Programs, clock: Clock) -> None:
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    wang, path = program("wang"), f"reservations/{made.pk}/check-in/"
    clock.now = at("2026-03-06 09:44")
    assert (wang.post(path).status, wang.post(path).code) == (409, "too-early")
    clock.now = at("2026-03-06 12:00")
    assert (wang.post(path).status, wang.post(path).code) == (409, "too-late")
    assert wang.post(path, {"at": "now"}).problems == [("at", "unknown-field")]


def test_who_comes_early_reads_from_when_and_on_which_unit(
    cast: Cast, client: Client, clock: Clock, program: Programs
) -> None:
    """The one unit is in use until ten; of two the other is free."""
    pool = cast.instrument(name="Pool", policy={"units": 2})
    for instrument in (cast.microscope, pool):
        reserve(cast, "2026-03-06 09:00", "2026-03-06 10:00", who="sun", instrument=instrument)
    alone = reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00")
    pooled = reserve(cast, "2026-03-06 11:00", "2026-03-06 12:00", instrument=pool)
    reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00", who="hu", instrument=pool)
    assert pooled.unit == 1
    clock.now = at("2026-03-06 09:50")
    answer = program("wang").post(f"reservations/{alone.pk}/check-in/", {})
    assert (answer.status, answer.code) == (422, "still-in-use")
    assert answer.body["refusals"][0]["nearest"] == {
        "start": "2026-03-06T02:00:00Z", "end": "2026-03-06T03:00:00Z",
    }  # fmt: skip
    client.force_login(cast.wang)
    page = client.post(reverse("bookings:check-in", args=[alone.pk]))
    assert page.status_code == 422
    assert "check in from 10:00 on (Beijing time)" in page.content.decode()
    clock.now = at("2026-03-06 10:50")
    page = client.post(reverse("bookings:check-in", args=[pooled.pk]), follow=True)
    assert "You are checked in, on unit 2." in page.content.decode()


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ({"rating": 6}, [("rating", "out-of-range")]),
        ({"rating": "5"}, [("rating", "not-an-integer")]),
        ({"samples": -1}, [("samples", "out-of-range")]),
        ({"remarks": "x" * 1001}, [("remarks", "too-long")]),
        ({"remarks": 5}, [("remarks", "not-a-text")]),
        ([], [("", "not-an-object")]),
    ],
)
def test_the_shape_of_a_check_out(
    cast: Cast, program: Programs, clock: Clock, body: Any, problems: list[tuple[str, str]]
) -> None:
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    clock.now = at("2026-03-06 10:00")
    wang = program("wang")
    wang.post(f"reservations/{made.pk}/check-in/")
    answer = wang.post(f"reservations/{made.pk}/check-out/", body)
    assert (answer.status, answer.problems) == (400, problems)
    assert Reservation.objects.get().state == "in_use"


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ('"1"', 200, None),
        ("*", 200, None),
        ('"2"', 412, "wrong-version"),
        ('W/"1"', 412, "wrong-version"),
        ('"abc"', 412, "wrong-version"),
        ("1", 400, "invalid"),
        ("", 400, "invalid"),
        ('"1', 400, "invalid"),
        ('"1", "2"', 400, "invalid"),
    ],
)
def test_if_match(cast: Cast, program: Programs, given: str, status: int, code: str | None) -> None:
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    answer = program("wang").post(f"reservations/{made.pk}/cancel/", {}, If_Match=given)
    assert answer.status == status
    if code:
        assert answer.code == code
        assert Reservation.objects.get().state == "confirmed"


# Once only


def test_the_same_key_gets_the_first_answer_again(cast: Cast, program: Programs) -> None:
    wang = program("wang")
    first = wang.post("reservations/", wish(cast), Idempotency_Key="k1")
    before = written()
    # The order of fields says nothing.
    again = wang.post("reservations/", dict(reversed(wish(cast).items())), Idempotency_Key="k1")
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert written() == before


# Who books, and how the body differs from `wish`.
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("wang", {}),
    "asks first": ("wang", {"instrument": "Asks first"}),
    "assisted, with an option and samples": (
        "wang",
        {"service_mode": "assisted", "options": {"operator": "1.5"}, "samples": {"count": 4, "text": "晶圆"}},
    ),
    "by the only organisation": ("wang", {"organisation": None}),
    "paid by a source": ("wang", {"funding": [{"source": "NSFC-17", "percent": "100"}]}),
    "for a member": ("chen", {"on_behalf_of": "wang@fudan.example"}),
    "for a guest, a rule set aside": (
        "zhao",
        {
            "organisation": "ustc",
            "on_behalf_of": "wang@fudan.example",
            "start": "2026-03-06T10:15:00+08:00",
            "end": "2026-03-06T12:00:00+08:00",
            "override": ["off-grid"],
            "reason": "night shift",
        },
    ),
    "at home": ("zhao", {"organisation": "ustc"}),
    "with a voucher": ("wang", {"instrument": "Voucher"}),
}


def without_nothing(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("keyed", [False, True], ids=["no key", "with a key"])
def test_the_answer_is_what_reading_it_gives(cast: Cast, program: Programs, kind: str, keyed: bool) -> None:
    who, changes = KINDS[kind]
    asks = cast.instrument(name="Asks first", policy={"approval": "manual"})
    source(cast, "NSFC-17", users=("wang",))
    body = wish(cast, **changes)
    if body["instrument"] == "Asks first":
        body["instrument"] = str(asks.pk)
    if body["instrument"] == "Voucher":
        granted(cast)
        body["instrument"] = str(cast.microscope.pk)
    RoleGrant.objects.create(
        user=cast.people["zhao"], role="researcher", organisation=cast.ustc, granted_at=NOW
    )
    headers = {"Idempotency_Key": uuid4().hex} if keyed else {}
    made = program(who).post("reservations/", without_nothing(body), **headers)
    assert made.status == 201, made.body
    read = program(who).get(f"reservations/{made.body['id']}/")
    assert made.body == read.body
    assert made.headers["ETag"] == read.headers["ETag"]
    assert (made.body["quote"]["voucher"] is not None) == (kind == "with a voucher")


def test_the_answer_to_a_hold_that_is_completed_is_what_reading_it_gives(
    cast: Cast, program: Programs
) -> None:
    wang, slot = program("wang"), {"instrument": str(cast.microscope.pk)}
    for start, end, is_named in (("10", "11", True), ("13", "14", False)):
        slot |= {"start": f"2026-03-06T{start}:00:00+08:00", "end": f"2026-03-06T{end}:00:00+08:00"}
        hold = wang.post("holds/", slot).body["id"]
        made = wang.post("reservations/", wish(cast, **slot, **({"hold": hold} if is_named else {})))
        assert (made.status, made.body["id"]) == (201, hold)
        assert made.body == wang.get(f"reservations/{hold}/").body


def test_the_answer_to_several_is_what_reading_them_gives(cast: Cast, program: Programs) -> None:
    wang = program("wang")
    source(cast, "NSFC-17", users=("wang",))
    later = {"start": "2026-03-06T14:00:00+08:00", "end": "2026-03-06T15:00:00+08:00"}
    paid = {"start": "2026-03-06T16:00:00+08:00", "end": "2026-03-06T17:00:00+08:00"}
    paid |= {"funding": [{"source": "NSFC-17", "percent": "100"}]}
    for bodies in ([wish(cast), wish(cast, **later)], [wish(cast, **paid)]):
        made = wang.post("reservations/", {"bookings": bodies})
        assert made.status == 201
        for row in made.body["reservations"]:
            assert row == wang.get(f"reservations/{row['id']}/").body


def test_the_same_key_with_another_body_is_refused(cast: Cast, program: Programs) -> None:
    wang = program("wang")
    wang.post("reservations/", wish(cast), Idempotency_Key="k1")
    before = written()
    later = wish(cast, start="2026-03-06T14:00:00+08:00", end="2026-03-06T15:00:00+08:00")
    answer = wang.post("reservations/", later, Idempotency_Key="k1")
    assert (answer.status, answer.code) == (422, "idempotency-key-reused")
    assert written() == before


def test_a_refusal_is_not_kept_but_remembered_as_demand(cast: Cast, program: Programs) -> None:
    taken = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="sun")
    wang = program("wang")
    refused = wang.post("reservations/", wish(cast), Idempotency_Key="k1")
    assert (refused.status, refused.code) == (409, "slot-taken")
    assert UnmetDemand.objects.count() == 1
    assert not IdempotencyKey.objects.exists()
    program("sun").post(f"reservations/{taken.pk}/cancel/")
    assert wang.post("reservations/", wish(cast), Idempotency_Key="k1").status == 201


def test_keys_are_a_persons_own(cast: Cast, program: Programs) -> None:
    program("wang").post("reservations/", wish(cast), Idempotency_Key="k1")
    later = wish(
        cast, organisation="ustc", start="2026-03-06T14:00:00+08:00", end="2026-03-06T15:00:00+08:00"
    )
    assert program("sun").post("reservations/", later, Idempotency_Key="k1").status == 201


def test_a_key_lasts_a_day(cast: Cast, program: Programs, clock: Clock) -> None:
    wang = program("wang")
    wang.post("reservations/", wish(cast), Idempotency_Key="k1")
    clock += timedelta(hours=24)
    later = wish(cast, start="2026-03-09T14:00:00+08:00", end="2026-03-09T15:00:00+08:00")
    assert wang.post("reservations/", later, Idempotency_Key="k1").status == 201


def test_the_same_key_while_the_first_is_still_running(cast: Cast, program: Programs) -> None:
    wang = program("wang")
    name = f"{cast.wang.pk}:POST:/api/v1/reservations/:k1".encode()
    lock = int.from_bytes(hashlib.sha256(name).digest()[:8], "big", signed=True)
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
        answer = wang.post("reservations/", wish(cast), Idempotency_Key="k1")
    assert (answer.status, answer.code) == (409, "still-running")
    assert answer.headers["Retry-After"] == "1"
    assert not Reservation.objects.exists()
    assert wang.post("reservations/", wish(cast), Idempotency_Key="k1").status == 201


def test_a_transition_is_carried_out_once(cast: Cast, program: Programs) -> None:
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    wang, path = program("wang"), f"reservations/{made.pk}/cancel/"
    first = wang.post(path, {}, Idempotency_Key="k1")
    again = wang.post(path, {}, Idempotency_Key="k1")
    assert (again.status, again.body) == (200, first.body)


# Busy and broken


def test_a_lock_that_is_not_had_is_busy(
    cast: Cast, program: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*by: Any, **values: Any) -> None:
        raise OperationalError("canceling statement") from LockNotAvailable()

    monkeypatch.setattr("bookings.reserving.api.reservations.reservations_request", locked)
    for headers in ({}, {"Idempotency_Key": "k1"}):
        answer = program("wang").post("reservations/", wish(cast), **headers)
        assert (answer.status, answer.code) == (503, "busy")
        assert answer.headers["Retry-After"] == "1"


def test_what_goes_wrong_here_is_a_problem_too_and_is_logged(
    cast: Cast, program: Programs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*by: Any, **values: Any) -> None:
        raise ZeroDivisionError

    caplog.set_level("ERROR", logger="config.api")
    monkeypatch.setattr("bookings.reserving.api.reservations.reservations_request", broken)
    answer = program("wang").post("reservations/", wish(cast))
    assert (answer.status, answer.code) == (500, "failed")
    assert "ZeroDivisionError" not in str(answer.body)
    assert any(record.exc_info for record in caplog.records)


# Lists


def test_filters(cast: Cast, program: Programs) -> None:
    other = cast.instrument(name="Cryo-EM")
    friday = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    monday = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", instrument=other)
    wang = program("wang")
    assert wang.get("reservations/").ids == [str(monday.pk), str(friday.pk)]
    assert wang.get(f"reservations/?instrument={other.pk}").ids == [str(monday.pk)]
    assert wang.get("reservations/?from=2026-03-06T12:00:00%2B08:00").ids == [str(monday.pk)]
    assert wang.get("reservations/?until=2026-03-09T10:00:00%2B08:00").ids == [str(friday.pk)]
    assert wang.get("reservations/?state=cancelled,rejected").ids == []
    assert len(wang.get("reservations/?state=confirmed,held").ids) == 2
    assert wang.get("reservations/?organisation=ustc").ids == []
    assert wang.get("reservations/?state=lost").problems == [("state", "unknown-value")]
    assert wang.get("reservations/?from=2026-03-06").problems == [("from", "not-an-instant")]
    assert wang.get("reservations/?instrument=1").problems == [("instrument", "not-an-id")]
    # A plus that was not escaped is a space.
    assert wang.get("reservations/?until=2026-03-09T10:00:00+08:00").status == 400


def test_pages_there_and_back(cast: Cast, program: Programs) -> None:
    made = [
        str(reserve(cast, f"2026-03-{day:02} 10:00", f"2026-03-{day:02} 11:00").pk)
        for day in (6, 9, 10, 11, 12)
    ]
    wang, newest = program("wang"), made[::-1]
    pages = list(wang.pages("reservations/?limit=2&state=confirmed"))
    assert pages == [newest[:2], newest[2:4], newest[4:], newest[2:4], newest[:2]]
    first = wang.get("reservations/?limit=2").body
    assert first["previous"] is None
    # What is added or goes meanwhile moves nothing.
    Reservation.objects.filter(pk=newest[1]).update(state="cancelled")
    assert wang.get(first["next"]).ids == newest[2:4]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("limit=0", ("limit", "out-of-range")),
        ("limit=201", ("limit", "out-of-range")),
        ("limit=x", ("limit", "not-an-integer")),
        ("cursor=x", ("cursor", "unknown-cursor")),
        ("cursor=%00", ("cursor", "bad-character")),
        ("cursor=WzAsIjEiXQ", ("cursor", "unknown-cursor")),
        ("cursor=WzAsIjIwMjYtMDMtMDYiLCJhIl0", ("cursor", "unknown-cursor")),
    ],
)
def test_what_is_no_page(cast: Cast, program: Programs, query: str, problem: tuple[str, str]) -> None:
    assert program("wang").get(f"reservations/?{query}").problems == [problem]


def test_the_list_asks_as_much_of_the_database_for_three_as_for_one(cast: Cast, program: Programs) -> None:
    wang = program("wang")

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert wang.get("reservations/").status == 200
        return len(captured)

    reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00")
    statements()  # the token's use is remembered
    one = statements()
    reserve(cast, "2026-03-09 10:00", "2026-03-09 11:00")
    reserve(cast, "2026-03-10 10:00", "2026-03-10 11:00")
    assert statements() == one == 6


# Language


def test_sentences_follow_the_language_and_codes_do_not(cast: Cast, program: Programs) -> None:
    wang = program("wang")
    english = wang.post("reservations/", wish(cast, start="tomorrow"))
    asked = wang.post("reservations/?lang=zh-hans", wish(cast, start="tomorrow"))
    accepted = wang.post("reservations/", wish(cast, start="tomorrow"), Accept_Language="zh-CN,zh;q=0.9")
    assert english.problems == asked.problems == accepted.problems
    assert asked.body == accepted.body
    assert asked.headers["Content-Language"] == "zh-hans"
    assert asked.body["errors"][0]["message"] != english.body["errors"][0]["message"]
    assert any("\u4e00" <= c <= "\u9fff" for c in asked.body["errors"][0]["message"])
