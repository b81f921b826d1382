"""What would no longer fit, through the API."""

import pytest

from accounts.models import TrailEntry
from instruments.policy.models import BookingPolicy
from tests.factories.cast import reserve

MORNINGS = {"weekly": [{"weekday": d, "opens": "08:00", "closes": "12:00"} for d in range(1, 6)]}


@pytest.fixture
def path(cast):
    return f"instruments/{cast.microscope.pk}/misfits/"


def test_listed_and_nothing_done(cast, program, path):
    made = reserve(cast, "2026-03-06 14:00", "2026-03-06 15:00")
    zhao = program("zhao")
    before = (TrailEntry.objects.count(), BookingPolicy.objects.get().version)
    answer = zhao.post(path, {"opening_hours": MORNINGS, "policy": {}})
    assert answer.status == 200
    assert answer.body["results"] == [
        {
            "id": str(made.pk),
            "start": "2026-03-06T06:00:00Z",
            "end": "2026-03-06T07:00:00Z",
            "state": "confirmed",
            "user": {"id": str(made.user_id), "name": "Wang Li"},
            "person": "Wang Li",
            "organisation": "fudan",
            "codes": ["outside-opening-hours"],
        }
    ]
    assert (TrailEntry.objects.count(), BookingPolicy.objects.get().version) == before
    assert zhao.post(path, {}).body == {"results": []}


@pytest.mark.parametrize(
    ("sent", "problems"),
    [
        ([], [("", "not-an-object")]),
        ({"hours": {}}, [("hours", "unknown-field")]),
        ({"policy": {"units": 0}}, [("policy.units", "out-of-range")]),
        ({"policy": 3}, [("policy", "not-an-object")]),
        ({"opening_hours": {"weekly": {}}}, [("opening_hours.weekly", "not-a-list")]),
    ],
)
def test_what_cannot_be_read(program, path, sent, problems):
    assert program("zhao").post(path, sent).problems == problems


def test_for_the_hosts_managers(program, path):
    assert program("wang").post(path, {}).code == "not-permitted"
    assert program("zhao", scopes=["book"]).post(path, {}).code == "scope-missing"
