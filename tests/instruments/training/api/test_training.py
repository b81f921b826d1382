"""Courses through the API."""

import pytest

from bookings.record.domain.refusals import RulesRefuse
from instruments.training.models import Enrolment
from tests.factories.cast import at, reserve
from tests.factories.training import course, enrol, session


def test_offered_taken_and_passed(cast, program, clock):
    zhao, wang, hu = program("zhao"), program("wang"), program("hu")
    body = {"instrument": str(cast.microscope.pk), "name": "Introduction", "places": 1}
    elsewhere = zhao.post("courses/", body | {"organisation": "fudan"})
    assert elsewhere.status == 403
    other = program("chen").post("courses/", body | {"organisation": "fudan"})
    assert (other.status, other.body["errors"][0]["code"]) == (400, "not-for-course")
    made = zhao.post("courses/", body | {"months": 6})
    assert (made.status, made.body["months"], made.body["organisation"]) == (201, 6, "ustc")
    planned = {
        "course": made.body["id"],
        "facility": str(cast.facility.pk),
        "start": "2026-03-10T01:00:00Z",
        "end": "2026-03-10T04:00:00Z",
        "deadline": "2026-03-09T01:00:00Z",
        "places": 1,
        "trainers": ["sun@ustc.example"],
    }
    wrong = zhao.post("course-sessions/", planned | {"end": planned["start"]})
    assert [e["code"] for e in wrong.body["errors"]] == ["not-after-start"]
    one = zhao.post("course-sessions/", planned)
    assert (one.status, one.body["free"], one.body["trainers"][0]["name"]) == (201, 1, "Sun Tao")
    # The instrument it certifies for is closed meanwhile, unless another, or none, is named.
    assert one.body["instrument"] == str(cast.microscope.pk)
    with pytest.raises(RulesRefuse):
        reserve(cast, "2026-03-10 10:00", "2026-03-10 11:00")
    booked = reserve(cast, "2026-03-10 14:00", "2026-03-10 15:00")
    later = planned | {"start": "2026-03-10T05:00:00Z", "end": "2026-03-10T08:00:00Z"}
    refused = zhao.post("course-sessions/", later)
    assert (refused.status, refused.code) == (409, "reservations-in-the-way")
    assert [each["id"] for each in refused.body["reservations"]] == [str(booked.pk)]
    room = zhao.post("course-sessions/", later | {"instrument": None})
    assert (room.status, room.body["instrument"]) == (201, None)
    assert zhao.post(f"course-sessions/{room.body['id']}/cancel/", {"reason": "ill"}).status == 200
    place = {"session": one.body["id"]}
    taken = wang.post("enrolments/", place)
    assert (taken.status, taken.body["state"]) == (201, "enrolled")
    for again, code in ((wang, "already-enrolled"), (hu, "session-full")):
        answer = again.post("enrolments/", place)
        assert (answer.status, answer.body["code"]) == (409, code)
    waits = hu.post("enrolments/", place | {"waits": True})
    assert (waits.body["state"], waits.body["place_in_line"]) == ("waiting", 1)
    assert wang.get("course-sessions/?free=true").body["results"] == []
    here = one.headers["Location"]
    assert zhao.patch(here, {"places": 2}, If_Match='"3"').status == 412
    assert zhao.patch(here, {"places": 2}).body["free"] == 0  # hu moved up
    clock.now = at("2026-03-10 11:00")
    passed = zhao.post(f"enrolments/{taken.body['id']}/result/", {"result": "passed"})
    got = wang.get(f"qualifications/{passed.body['qualification']}/").body
    assert (got["valid_from"], got["valid_until"]) == ("2026-03-10", "2026-09-09")
    own = program("wang").get("enrolments/").body["results"]
    assert [(row["id"], row["state"]) for row in own] == [(taken.body["id"], "passed")]


def test_a_refusal_says_which_course(cast, program):
    asks = cast.instrument(name="Asks", policy={"qualification": "instrument"})
    of = course(cast, asks)
    full, free = session(cast, of, places=1), session(cast, of, "2026-03-11 09:00")
    enrol(cast, full, "hu")
    body = {
        "instrument": str(asks.pk),
        "start": "2026-03-06T06:00:00Z",
        "end": "2026-03-06T07:00:00Z",
        "service_mode": "self",
        "purpose": {"code": "research", "text": ""},
    }
    answer = program("wang").post("reservations/", body)
    assert (answer.status, answer.body["code"]) == (422, "qualification-missing")
    (told,) = answer.body["refusals"][0]["courses"]
    assert (told["course"], told["link"]) == (str(of.pk), f"/api/v1/courses/{of.pk}/")
    assert [(s["session"], s["free"]) for s in told["sessions"]] == [(str(free.pk), 2)]
    # And the way of working that needs none, which then passes.
    (way,) = answer.body["refusals"][0]["ways"]
    assert way == {"service_mode": "assisted", "start": body["start"], "end": body["end"]}
    assert program("wang").post("reservations/", body | way).status == 201
    assert Enrolment.objects.count() == 1
