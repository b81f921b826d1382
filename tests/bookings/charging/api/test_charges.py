"""Charges through the API: read, disputed, settled, corrected; sessions completed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest

from accounts.domain.roles import By
from bookings.charging.selectors.charges import CHARGES, sums_by
from bookings.charging.services.charges import charges_finalise
from bookings.models import Charge, Correction, Dispute, Earmark
from bookings.overview.services.effects import effects_carry_out
from bookings.pricing.selectors.charges import charges_for
from bookings.usage.services.usage import usage_settle
from tests.factories.api import Clock, Program
from tests.factories.cast import Cast, at, reserve
from tests.factories.charges import BY_USE, use
from tests.factories.funding import source
from tests.factories.money import abroad, charge_of, store

type Programs = Callable[..., Program]
DAY = timedelta(days=1)


@pytest.fixture
def charge(cast: Cast, clock: Clock) -> Charge:
    instrument = cast.instrument(name="By use", card=BY_USE)
    made = use(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=instrument)
    clock.now = made.created_at + DAY
    return made


def money(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "CNY"}


def test_what_a_charge_says(cast: Cast, program: Programs, charge: Charge) -> None:
    answer = program("wang").get(f"charges/{charge.pk}/")
    assert answer.headers["ETag"] == '"1"'
    body = answer.body
    assert (body["kind"], body["state"], body["version"]) == ("use", "open", 1)
    assert (body["total"], body["tax"]) == (money("657.20"), money("37.20"))
    assert (body["covered"], body["payable"]) == (money("0.00"), money("657.20"))
    assert (body["grant"], body["month"], body["final_at"]) == (None, None, None)
    assert body["open_until"] == "2026-03-13T04:00:00Z"
    assert (body["organisation"], body["host"]) == ("fudan", "ustc")
    assert (body["person_name"], body["sources"]) == ("Wang Li", None)
    paid_by = {"source": source(cast), "percent": 100, "created_at": charge.created_at}
    Earmark.objects.create(reservation_id=charge.reservation_id, **paid_by)
    assert program("lin").get(f"charges/{charge.pk}/").body["sources"] == "NSFC-17"
    assert program("gao").get("charges/").body["results"][0]["sources"] is None
    assert (body["disputes"], body["corrections"], body["reversed_by"]) == ([], [], [])
    assert body["inputs"]["start"] == "2026-03-06T02:00:00+00:00"


def test_the_list_is_narrowed(cast: Cast, program: Programs, charge: Charge) -> None:
    lin = program("lin")
    charges_finalise(now=charge.created_at + 8 * DAY)
    other = use(cast, "2026-03-09 10:00", "2026-03-09 12:00")
    both = {str(charge.pk), str(other.pk)}
    for query, ids in (
        ("", both),
        ("?state=final", {str(charge.pk)}),
        ("?state=open", {str(other.pk)}),
        ("?month=2026-03", {str(charge.pk)}),
        ("?month=2026-04", set()),
        ("?organisation=fudan&host=ustc", both),
        ("?host=fudan", set()),
    ):
        assert set(lin.get(f"charges/{query}").ids) == ids, query
    assert lin.get("charges/?month=2026-13").problems == [("month", "not-a-month")]
    assert lin.get("charges/?state=lost").problems == [("state", "unknown-value")]


def test_a_sum_opens_the_charges_that_it_adds_up(cast: Cast) -> None:
    """Of two currencies, of the host's own work, and of charges between others."""
    there = abroad(cast)
    rows = [charge_of(cast), charge_of(cast, total="53.00", currency="USD"), charge_of(cast, cast.ustc)]
    store([*rows, charge_of(cast, cast.fudan, instrument=there)])
    for who in ("gao", "lin", "wang"):
        by = By(cast.actor(who), at("2026-04-01 12:00"))
        for of in ("payer", "instrument"):
            seen = charges_for(by.actor)
            groups = sums_by(seen, of, by.actor)
            assert groups, (who, of)
            for group in groups:
                query = dict(parse_qsl(group.address.removeprefix("?")))
                found = CHARGES.narrowed(seen, query, by)
                assert found.count() == group.number, (who, group)
                assert sum(row.payable for row in found) == group.payable
                assert {row.currency for row in found} == {group.currency}


def test_disputed_withdrawn_and_rejected(cast: Cast, program: Programs, charge: Charge, clock: Clock) -> None:
    path = f"charges/{charge.pk}/"
    wang, gao = program("wang"), program("gao")
    assert wang.post(f"{path}dispute/", {}).problems == [("reason", "required")]
    said = wang.post(f"{path}dispute/", {"reason": "Off"}, If_Match='"1"')
    assert (said.status, said.body["state"], said.headers["ETag"]) == (200, "disputed", '"2"')
    assert [d["reason"] for d in said.body["disputes"]] == ["Off"]
    assert wang.post(f"{path}dispute/", {"reason": "Off"}).code == "wrong-state"
    assert wang.post(f"{path}withdraw/", If_Match='"1"').code == "wrong-version"
    assert wang.post(f"{path}withdraw/").body["state"] == "open"
    assert wang.post(f"{path}withdraw/").code == "wrong-state"

    wang.post(f"{path}dispute/", {"reason": "Off again"})
    assert wang.post(f"{path}settle/", {"verdict": "reject", "answer": "x"}).status == 403
    settled = gao.post(f"{path}settle/", {"verdict": "reject", "answer": "It was on."})
    assert (settled.body["state"], settled.body["month"]) == ("final", "2026-03-01")
    assert settled.body["disputes"][1]["answer"] == "It was on."
    assert wang.post(f"{path}dispute/", {"reason": "No"}).code == "wrong-state"


def test_upheld_by_two(cast: Cast, program: Programs, charge: Charge) -> None:
    path = f"charges/{charge.pk}/"
    wang, gao, zhao = program("wang"), program("gao"), program("zhao")
    wang.post(f"{path}dispute/", {"reason": "Vented"})
    uphold = {"verdict": "uphold", "answer": "True."}
    assert gao.post(f"{path}settle/", uphold).problems == [("", "nothing-changes")]
    half: dict[str, Any] = {"check_in": "2026-03-06T10:00:00+08:00"}
    assert gao.post(f"{path}settle/", uphold | half).problems == [("check_out", "both-times")]
    same = half | {"check_out": "2026-03-06T12:00:00+08:00"}
    problem = gao.post(f"{path}settle/", uphold | same).body["errors"][0]
    assert problem["code"] == "nothing-changes"
    assert problem["message"].endswith("it was computed from these times already.")
    half["check_out"] = "2026-03-06T11:00:00+08:00"
    body = gao.post(f"{path}settle/", uphold | half).body
    assert body["state"] == "disputed"
    (proposed,) = body["corrections"]
    assert (proposed["payable"], proposed["state"]) == (money("381.60"), "proposed")
    agree = f"corrections/{proposed['id']}/agree/"
    assert gao.post(agree).code == "own-correction"
    agreed = zhao.post(agree, If_Match='"1"')
    assert (agreed.status, agreed.body["state"]) == (200, "agreed")
    assert zhao.post(agree).code == "wrong-state"
    new = wang.get(f"charges/{agreed.body['replacement']}/").body
    assert (new["state"], new["total"]) == ("open", money("381.60"))
    old = wang.get(path).body
    assert (old["state"], old["disputes"][0]["state"]) == ("reversed", "upheld")
    (back,) = old["reversed_by"]
    reversal = wang.get(f"charges/{back}/").body
    assert (reversal["kind"], reversal["total"]) == ("reversal", money("-657.20"))
    assert reversal["reverses"] == str(charge.pk)
    shown = wang.get(f"reservations/{charge.reservation_id}/").body["charge"]
    assert shown["id"] == agreed.body["replacement"]


def test_a_correction_is_proposed_refused_and_taken_back(
    cast: Cast, program: Programs, charge: Charge
) -> None:
    path = f"charges/{charge.pk}/corrections/"
    gao, zhao = program("gao"), program("zhao")
    body = {"reason": "Operator", "options": {"operator": "1.5"}}
    assert zhao.post(path, body | {"total": "1.00"}).problems == [("total", "unknown-field")]
    assert zhao.post(path, {"options": {}}).problems == [("reason", "required")]
    assert zhao.post(path, body | {"waive_percent": "101"}).problems == [("waive_percent", "out-of-range")]
    wrong = body | {"options": {"laser": "1"}}
    assert zhao.post(path, wrong).problems == [("options.laser", "unknown-option")]
    assert not Correction.objects.exists()
    made = zhao.post(path, body, Idempotency_Key="once")
    assert (made.status, made.body["total"]) == (201, money("895.70"))
    assert zhao.post(path, body, Idempotency_Key="once").body == made.body
    assert gao.post(path, body).code == "correction-proposed"
    here = f"corrections/{made.body['id']}/"
    assert gao.post(f"{here}refuse/", {}).problems == [("reason", "required")]
    assert gao.post(f"{here}withdraw/").code == "not-your-proposal"
    assert gao.post(f"{here}refuse/", {"reason": "No"}).body["state"] == "refused"
    again = zhao.post(path, body).body["id"]
    assert zhao.post(f"corrections/{again}/withdraw/").body["state"] == "withdrawn"
    assert Charge.objects.count() == 1
    assert not Dispute.objects.exists()


def test_sessions_to_complete(cast: Cast, program: Programs, clock: Clock) -> None:
    instrument = cast.instrument(name="By use", card=BY_USE, policy={"check_in_minutes": None})
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=instrument)
    clock.now = at("2026-03-06 13:00")
    usage_settle(now=clock.now)
    wang, zhao = program("wang"), program("zhao")
    assert zhao.get("sessions-to-complete/").ids == [str(made.pk)]
    assert program("auditor").get("sessions-to-complete/").ids == []
    path = f"reservations/{made.pk}/usage/"
    times = {"check_in": "2026-03-06T10:00:00+08:00", "check_out": "2026-03-06T11:00:00+08:00"}
    assert wang.put(path, times | {"check_out": "2026-03-06T14:00:00+08:00"}).problems == [
        ("check_out", "in-the-future")
    ]
    assert wang.put(path, {"check_in": times["check_in"]}).problems == [("check_out", "required")]
    answer = wang.put(path, times | {"samples": 4})
    assert answer.status == 200
    assert answer.body["session"]["checked_out_at"] == "2026-03-06T03:00:00Z"
    assert answer.body["session"]["samples"] == 4
    effects_carry_out(now=clock.now)
    assert wang.get(f"charges/?reservation={made.pk}").body["results"][0]["total"] == money("381.60")
    assert zhao.get("sessions-to-complete/").ids == []
    assert wang.put(path, times).code == "charged-already"


def test_a_token_for_booking_answers_no_disputes(cast: Cast, program: Programs, charge: Charge) -> None:
    program("wang").post(f"charges/{charge.pk}/dispute/", {"reason": "Off"})
    gao = program("gao", scopes=["read", "book"])
    assert (
        gao.post(f"charges/{charge.pk}/settle/", {"verdict": "reject", "answer": "x"}).code == "scope-missing"
    )


def test_a_no_show_is_removed_and_refused_with_its_code(cast: Cast, program: Programs, clock: Clock) -> None:
    instrument = cast.instrument(name="Watched", card=BY_USE, policy={"check_in_minutes": 30})
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=instrument)
    usage_settle(now=at("2026-03-06 10:30"))
    effects_carry_out(now=at("2026-03-06 10:31"))
    clock.now = at("2026-03-06 14:00")
    path = f"reservations/{made.pk}/strike-no-show/"
    zhao = program("zhao")
    half = {"cause": "was_there", "reason": "Seen.", "check_in": "2026-03-06T10:10:00+08:00"}
    refused = zhao.post(path, half)
    assert (refused.status, refused.body["errors"][0]["field"]) == (400, "check_out")
    assert program("wang").post(path, half | {"check_out": "2026-03-06T11:40:00+08:00"}).status == 403
    body = zhao.post(path, half | {"check_out": "2026-03-06T11:40:00+08:00"}).body
    assert (body["state"], body["struck"], body["charge"]["total"]) == (
        "completed", "was_there", money("519.40"),
    )  # fmt: skip
    again = zhao.post(path, {"cause": "other", "reason": "Again."})
    assert (again.status, again.code) == (409, "no-show-struck")
