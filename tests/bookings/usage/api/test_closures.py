"""Closures through the API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.domain.roles import PLATFORM, By
from accounts.models import TrailEntry
from accounts.services.memberships import role_grant
from bookings.models import Closure, Occupancy, Reservation
from tests.factories.api import Clock, Program
from tests.factories.cast import NOW, Cast, at, reserve

type Programs = Callable[..., Program]


def outage(**changes: Any) -> dict[str, Any]:
    return {
        "start": "2026-03-06T08:00:00+08:00",
        "end": "2026-03-06T20:00:00+08:00",
        "kind": "maintenance",
        "reason": "年度保养",
    } | changes


def test_close_end_and_take_back(cast: Cast, program: Programs, clock: Clock) -> None:
    zhao, path = program("zhao"), f"instruments/{cast.microscope.pk}/closures/"
    made = zhao.post(path, outage())
    assert made.status == 201
    here = made.headers["Location"]
    assert made.body == {
        "id": made.body["id"],
        "instrument": str(cast.microscope.pk),
        "kind": "maintenance",
        "start": "2026-03-06T00:00:00Z",
        "end": "2026-03-06T12:00:00Z",
        "units": [],
        "reason": "年度保养",
        "created_at": "2026-03-05T04:00:00Z",
        "version": 1,
    }
    assert zhao.get(path).ids == [made.body["id"]]
    assert zhao.get(here).headers["ETag"] == '"1"'

    clock.now = at("2026-03-06 12:00")
    assert zhao.delete(here).code == "wrong-state"
    assert zhao.post(f"{here}end/", {}, If_Match='"2"').code == "wrong-version"
    ended = zhao.post(f"{here}end/", {}, If_Match='"1"')
    assert (ended.body["end"], ended.body["version"]) == ("2026-03-06T04:00:00Z", 2)
    assert zhao.post(f"{here}end/").code == "wrong-state"

    later = zhao.post(path, outage(start="2026-03-09T08:00:00+08:00", end=None, kind="other"))
    assert later.body["end"] is None
    assert zhao.delete(later.headers["Location"], If_Match='"7"').code == "wrong-version"
    assert zhao.delete(later.headers["Location"], If_Match='"1"').status == 204
    assert zhao.get(later.headers["Location"]).status == 404
    assert Closure.objects.count() == 1


def test_reservations_in_the_way_are_listed_or_displaced(cast: Cast, program: Programs) -> None:
    met = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    zhao, path = program("zhao"), f"instruments/{cast.microscope.pk}/closures/"
    entries = TrailEntry.objects.count()
    refused = zhao.post(path, outage())
    assert (refused.status, refused.code) == (409, "reservations-in-the-way")
    assert refused.body["count"] == 1
    assert refused.body["reservations"] == [
        {
            "id": str(met.pk),
            "start": "2026-03-06T02:00:00Z",
            "end": "2026-03-06T04:00:00Z",
            "state": "confirmed",
            "unit": 1,
            "user": {"id": str(cast.wang.pk), "name": "Wang Li"},
            "organisation": "fudan",
            "link": f"/api/v1/reservations/{met.pk}/",
            "owed": None,
        }
    ]
    assert not Closure.objects.exists()
    assert Occupancy.objects.count() == 1
    assert TrailEntry.objects.count() == entries

    assert zhao.post(path, outage(displace=True)).status == 201
    told = program("wang").get(f"reservations/{met.pk}/")
    assert (told.body["state"], told.body["reason"]) == ("displaced", "年度保养")


def test_who_may_close_and_who_may_read_why(cast: Cast, program: Programs) -> None:
    path = f"instruments/{cast.microscope.pk}/closures/"
    for name in ("wang", "chen", "sun", "auditor"):
        answer = program(name).post(path, outage())
        assert (answer.status, answer.code) == (403, "not-permitted"), name
    assert program().post(path, outage()).status == 401
    assert not Closure.objects.exists()
    here = program("zhao").post(path, outage()).headers["Location"]
    for name, reason in (("wang", None), (None, None), ("auditor", "年度保养")):
        assert program(name).get(here).body["reason"] == reason
        assert program(name).get(path).body["results"][0]["reason"] == reason
    assert program("chen").delete(here).code == "not-permitted"
    assert program("chen").post(f"{here}end/").code == "not-permitted"


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"start": None}, [("start", "required")]),
        ({"start": "2026-03-06T08:00:00"}, [("start", "naive-time")]),
        ({"end": "2026-03-06T08:00:00+08:00"}, [("end", "not-after-start")]),
        ({"kind": "lunch"}, [("kind", "unknown-value")]),
        ({"units": [2]}, [("units", "out-of-range")]),
        ({"units": [0]}, [("units[0]", "out-of-range")]),
        ({"units": 1}, [("units", "not-a-list")]),
        ({"displace": "yes"}, [("displace", "not-a-boolean")]),
        ({"reason": "x" * 501}, [("reason", "too-long")]),
        ({"until": None}, [("until", "unknown-field")]),
    ],
)
def test_a_wrong_shape(
    cast: Cast, program: Programs, changes: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    answer = program("zhao").post(f"instruments/{cast.microscope.pk}/closures/", outage(**changes))
    assert (answer.status, answer.problems) == (400, problems)
    assert not Closure.objects.exists()


def test_closures_may_share_time(cast: Cast, program: Programs) -> None:
    zhao, path = program("zhao"), f"instruments/{cast.microscope.pk}/closures/"
    assert zhao.post(path, outage(units=[1, 1])).body["units"] == [1]
    assert zhao.post(path, outage(kind="breakdown", end=None)).status == 201
    assert Closure.objects.count() == 2


def test_a_closure_of_an_unseen_instrument_is_not_there(cast: Cast, program: Programs) -> None:
    zhao = program("zhao")
    draft = zhao.post("instruments/", {"facility": str(cast.facility.pk), "name": "Draft"})
    here = zhao.post(f"instruments/{draft.body['id']}/closures/", outage()).headers["Location"]
    for answer in (
        program("chen").get(here),
        program("chen").delete(here),
        program("chen").post(f"{here}end/"),
        program("chen").post(f"instruments/{draft.body['id']}/closures/", outage()),
    ):
        assert (answer.status, answer.code) == (404, "not-found")


def test_pages_there_and_back(cast: Cast, program: Programs) -> None:
    zhao, path = program("zhao"), f"instruments/{cast.microscope.pk}/closures/"
    made = [
        zhao.post(
            path, outage(start=f"2026-03-{d:02}T08:00:00+08:00", end=f"2026-03-{d:02}T09:00:00+08:00")
        ).body["id"]
        for d in (9, 10, 11)
    ]
    assert list(zhao.pages(f"{path}?limit=2")) == [made[:0:-1], made[:1], made[:0:-1]]


def test_a_reservation_that_was_displaced_costs_nothing(cast: Cast, program: Programs) -> None:
    met = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    program("zhao").post(f"instruments/{cast.microscope.pk}/closures/", outage(displace=True))
    assert Reservation.objects.get(pk=met.pk).is_ended_by_host
    assert program("wang").get("charges/").ids == []


def test_what_displacing_ones_own_costs_is_said_before(cast: Cast, program: Programs) -> None:
    role_grant(By(PLATFORM, NOW), user=cast.zhao, role="researcher", organisation=cast.ustc)
    earlier = NOW - timedelta(minutes=11)  # second thoughts are over
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="zhao", now=earlier)
    refused = program("zhao").post(f"instruments/{cast.microscope.pk}/closures/", outage())
    (row,) = refused.body["reservations"]
    assert row["owed"] == {"amount": "340.00", "currency": "CNY"}
    assert not Closure.objects.exists()
