"""Faults and kiosks through the API."""

from collections.abc import Callable

from bookings.models import Closure, FaultReport, Kiosk
from tests.factories.api import Clock, Program
from tests.factories.cast import Cast, reserve

type Programs = Callable[..., Program]


def test_reported_joined_and_confirmed(cast: Cast, program: Programs, clock: Clock) -> None:
    path = f"instruments/{cast.microscope.pk}/faults/"
    wang, sun, zhao = program("wang"), program("sun"), program("zhao")
    made = wang.post(path, {"severity": "usable", "text": "镜筒漏气"})
    assert made.status == 201
    (note,) = made.body["notes"]
    assert (note["text"], note["user"]["name"]) == ("镜筒漏气", "Wang Li")
    joined = sun.post(path, {"severity": "unusable"})
    assert joined.body["id"] == made.body["id"]
    assert joined.body["notes"][0]["user"] is None
    assert joined.body["severity"] == "unusable"
    here = f"faults/{made.body['id']}/"
    assert program("hu").get(here).status == 404
    assert wang.post(here + "confirm/", {}).status == 403
    confirmed = zhao.post(here + "confirm/", {"start": "2026-03-05T12:00:00+08:00"})
    assert confirmed.status == 200
    assert confirmed.body["state"] == "confirmed"
    assert confirmed.body["closure"] == str(Closure.objects.get(kind="breakdown").pk)
    assigned = zhao.post(here + "assign/", {"person": str(cast.zhao.pk)})
    assert assigned.body["assignee"]["name"] == "Zhao Min"
    assert wang.post(here + "repair/", {"repair": "no"}).status == 403
    repaired = zhao.post(here + "repair/", {"repair": "New gasket.", "cost": "860.00"})
    assert (repaired.status, repaired.body["state"], repaired.body["down_minutes"]) == (200, "repaired", 0)
    assert repaired.body["cost"] == {"amount": "860.00", "currency": "CNY"}
    seen = wang.get(here).body
    assert (seen["repair"], seen["cost"], seen["assignee"]) == ("New gasket.", None, None)
    again = zhao.post(here + "dismiss/", {"reason": "no"})
    assert (again.status, again.body["code"]) == (409, "fault-decided")
    assert FaultReport.objects.count() == 1


def test_a_kiosk_is_made_and_revoked(cast: Cast, program: Programs, clock: Clock) -> None:
    zhao = program("zhao")
    made = zhao.post("kiosks/", {"name": "Foyer", "instruments": [str(cast.microscope.pk)]})
    assert made.status == 201
    assert len(made.body["code"]) == 12
    here = f"kiosks/{made.body['id']}/"
    assert "code" not in zhao.get(here).body
    assert program("chen").get(here).status == 404
    assert zhao.post(here + "revoke/", {}).body["revoked_at"] is not None
    assert Kiosk.objects.get().revoked_at is not None


def test_a_code_for_ones_own_booking(cast: Cast, program: Programs, clock: Clock) -> None:
    booked = reserve(cast, "2026-03-05 12:00", "2026-03-05 13:00")
    path = f"reservations/{booked.pk}/check-in-code/"
    answer = program("wang").post(path, {})
    assert answer.status == 200
    assert len(answer.body["code"]) == 6
    assert answer.body["expires_at"] == "2026-03-05T04:02:00Z"
    assert program("sun").post(path, {}).status == 404
