"""The main line as programs do it: the same services, with tokens."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.services.tokens import token_issue
from bookings.hours.services.hours import hours_roll_up
from bookings.models import Charge, Reservation
from bookings.overview.services.effects import effects_carry_out
from tests.factories.cast import CARD, NOW, at

BASE = "/api/v1/"


class Program:
    """A program that signs in with a person's token."""

    def __init__(self, user, now):
        _, token = token_issue(user=user, label="test", lifetime=timedelta(days=9), now=now)
        self.client = Client(headers={"authorization": f"Bearer {token}"})

    def __call__(self, method, path, body=None, status=200, **headers):
        answer = getattr(self.client, method)(
            BASE + path,
            **({} if body is None else {"data": body, "content_type": "application/json"}),
            headers=headers,
        )
        assert answer.status_code == status, (path, answer.status_code, answer.content.decode())
        self.headers = answer.headers
        return answer.json() if answer.content else None


@pytest.fixture
def clock(monkeypatch):
    moment = {"now": NOW}
    monkeypatch.setattr(timezone, "now", lambda: moment["now"])
    return moment


def test_the_main_line(cast, clock):
    zhao, wang, auditor = (Program(cast.people[n], NOW) for n in ("zhao", "wang", "auditor"))

    # Publish.
    facility = zhao(
        "post",
        "facilities/",
        {"organisation": "ustc", "name": "North site", "time_zone": "Asia/Shanghai"},
        status=201,
    )
    made = zhao(
        "post",
        "instruments/",
        {
            "facility": facility["id"],
            "name": "Mass spectrometer",
            "name_zh": "质谱仪",
            "manufacturers": [{"name": "Bruker"}],
            "description": "21 tesla.",
            "service_modes": ["self"],
            "techniques": [cast.technique.code],
        },
        status=201,
    )
    one = f"instruments/{made['id']}/"
    assert made["publication"] == "draft"
    problem = zhao("post", f"{one}publish/", {}, status=422)
    assert problem["code"] == "record-incomplete"
    weekly = [{"weekday": d, "opens": "09:00", "closes": "18:00"} for d in range(1, 6)]
    hours = {"weekly": weekly, "overrides": [], "observes_holidays": False}
    assert zhao("put", f"{one}opening-hours/", hours)["weekly"] == weekly
    zhao("put", f"{one}policy/", {"slot_minutes": 60, "approval": "manual"})
    zhao("post", f"{one}rate-cards/", CARD | {"publish": True}, status=201)
    assert zhao("post", f"{one}publish/", {})["publication"] == "published"

    # Find, see when it is free, and what it costs, from another region.
    found = wang("get", "instruments/?q=质谱&region=CN-AH")["results"]
    assert [item["id"] for item in found] == [made["id"]]
    assert found[0]["price_for_me"]["rate"] == "260.00"
    free = wang("get", f"{one}availability/?from=2026-03-06T00:00:00Z&until=2026-03-07T00:00:00Z&minutes=120")
    assert free["starts"][0] == "2026-03-06T01:00:00Z"
    wish = {
        "instrument": made["id"],
        "start": "2026-03-06T02:00:00Z",
        "end": "2026-03-06T12:00:00+08:00",  # the same zone of the instrument, another notation
        "organisation": "fudan",
        "service_mode": "self",
        "options": {"operator": "1.5"},
    }
    quote = wang("post", "quotes/", wish)
    assert (quote["price_group"], quote["payable"], quote["refusals"]) == ("external", "895.70", [])

    # Reserve; sent twice with the same key it is one.
    body = wish | {"purpose": {"code": "research", "text": "蛋白质组"}}
    booked = wang("post", "reservations/", body, status=201, idempotency_key="k1")
    again = wang("post", "reservations/", body, status=201, idempotency_key="k1")
    assert again == booked
    assert Reservation.objects.count() == 1
    other = body | {"samples": "two"}
    problem = wang("post", "reservations/", other, status=422, idempotency_key="k1")
    assert problem["code"] == "idempotency-key-reused"
    assert booked["state"] == "requested"
    assert booked["quote"]["payable"] == quote["payable"]
    problem = wang("post", "reservations/", body, status=409, idempotency_key="k2")
    assert problem["code"] == "slot-taken"
    assert problem["refusals"][0]["nearest"] == {
        "start": "2026-03-06T04:00:00Z",
        "end": "2026-03-06T06:00:00Z",
    }

    # The owner agrees; not the person herself.
    it = f"reservations/{booked['id']}/"
    wang("post", f"{it}approve/", {}, status=403)
    assert zhao("post", f"{it}approve/", {})["state"] == "confirmed"
    assert zhao("post", f"{it}approve/", {}, status=409)["code"] == "wrong-state"
    costs = wang("get", f"{it}cancellation/")
    assert (costs["percent"], costs["reason"]) == ("0", "second-thoughts")
    clock["now"] += timedelta(minutes=11)
    costs = wang("get", f"{it}cancellation/")
    assert (costs["percent"], costs["reason"]) == ("100", "terms")  # 22 hours before

    # Use.
    clock["now"] = at("2026-03-06 10:00")
    assert wang("post", f"{it}check-in/", {})["state"] == "in_use"
    clock["now"] = at("2026-03-06 11:15")
    assert wang("post", f"{it}check-out/", {"samples": 12, "rating": 4})["state"] == "completed"
    effects_carry_out(now=clock["now"])
    (charge,) = wang("get", "charges/")["results"]
    assert charge["payable"]["amount"] == "895.70"
    assert Charge.objects.count() == 1

    # The next morning.
    clock["now"] = at("2026-03-07 09:00")
    hours_roll_up(since=None, until=None, now=clock["now"])
    answer = auditor("get", "statistics/hours/?from=2026-03-06&until=2026-03-07&by=instrument")
    (row,) = [r for r in answer["rows"] if r["instrument"] == made["id"]]
    assert row["productive_minutes"] == 75
    states = ("productive", "standby", "engineering", "scheduled_down", "unscheduled_down")
    assert sum(row[f"{s}_minutes"] for s in (*states, "non_scheduled")) == 1440
    entries = auditor("get", f"trail/entries/?object={booked['id']}")["results"]
    assert {entry["action"] for entry in entries} == {
        "reservation.requested",
        "reservation.confirmed",
        "reservation.in_use",
        "reservation.completed",
    }


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"start": "2026-03-06T10:00:00"}, 400, "naive-time"),
        ({"start": "tomorrow"}, 400, "not-an-instant"),
        ({"start": None}, 400, None),
        ({"end": "2026-03-06T02:00:00Z"}, 400, None),
        ({"instrument": "x"}, 400, None),
        ({"instrument": "01920000-0000-7000-8000-000000000000"}, 404, "not-found"),
        ({"service_mode": "telepathy"}, 400, None),
        ({"service_mode": "remote"}, 400, "not-offered"),
        ({"organisation": "ustc"}, 400, "not-a-member"),
        ({"purpose": {"code": "fun"}}, 400, None),
        ({"samples": "x" * 501}, 400, "too-long"),
        ({"surprise": 1}, 400, "unknown-field"),
        ({"options": {"nothing": "1"}}, 400, "unknown-option"),
        ({"options": {"operator": "-1"}}, 400, None),
        ({"end": "2026-03-06T02:10:00Z"}, 422, None),
        ({"start": "2026-03-07T02:00:00Z", "end": "2026-03-07T04:00:00Z"}, 422, None),
        ({"start": "2030-03-06T02:00:00Z", "end": "2030-03-06T04:00:00Z"}, 422, None),
    ],
)
def test_bad_input_writes_nothing(cast, clock, change, status, code):
    wang = Program(cast.wang, NOW)
    body = {
        "instrument": str(cast.microscope.pk),
        "start": "2026-03-06T02:00:00Z",
        "end": "2026-03-06T04:00:00Z",
        "service_mode": "self",
        "purpose": {"code": "research", "text": ""},
    } | change
    problem = wang("post", "reservations/", body, status=status)
    assert wang.headers["Content-Type"].startswith("application/problem+json")
    codes = {problem["code"]} | {p["code"] for p in problem.get("errors", [])}
    if code:
        assert code in codes
    if status == 422:
        assert problem["refusals"]
    assert problem["status"] == status
    assert not Reservation.objects.exists()
