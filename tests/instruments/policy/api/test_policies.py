"""Policies and their versions through the API."""

from collections.abc import Callable
from typing import Any

import pytest

from instruments.policy.models import BookingPolicy, PolicyVersion
from tests.factories.api import Program
from tests.factories.cast import Cast, reserve

type Programs = Callable[..., Program]


def test_a_policy_comes_back_with_every_field(cast: Cast, program: Programs) -> None:
    zhao, path = program("zhao"), f"instruments/{cast.microscope.pk}/policy/"
    given = {
        "slot_minutes": 15,
        "min_minutes": 30,
        "max_minutes": 240,
        "setup_minutes": 10,
        "teardown_minutes": 5,
        "notice_minutes": 120,
        "horizon_days": {"internal": 90},
        "approval": "first-time",
        "approval_minutes": 60,
        "check_in_minutes": 20,
        "offer_minutes": 30,
        "units": 2,
        "qualification": "PaNET01198",
        "refused_hazards": ["toxic", "magnetic"],
        "quotas": [
            {"scope": "user", "unit": "hours", "per": "week", "limit": 7.5},
            {
                "scope": "price_group",
                "unit": "bookings",
                "per": "upcoming",
                "limit": 3,
                "price_group": "industry",
            },
        ],
        "cross_region_share": {"percent": 20, "released_minutes": 1440},
        "group_hours": [
            {"days": [5, 6], "opens": "22:00", "closes": "06:00", "who": "region"},
            {
                "days": [7],
                "opens": "00:00",
                "closes": "24:00",
                "who": "certified",
                "certificate": "PaNET01198",
            },
        ],
    }
    before = zhao.get(path)
    put = zhao.put(path, given, If_Match=before.headers["ETag"])
    expected = given | {
        "horizon_days": {"internal": 90, "regional": 60, "partner": 60, "external": 60, "industry": 60}
    }
    assert (put.status, put.body) == (200, expected)
    assert put.headers["ETag"] == '"2"'
    assert zhao.put(path, given, If_Match=before.headers["ETag"]).code == "wrong-version"
    assert program().get(path).body == expected
    assert zhao.put(path, expected).body == expected


def test_an_empty_policy_is_the_usual_one(cast: Cast, program: Programs) -> None:
    zhao, path = program("zhao"), f"instruments/{cast.microscope.pk}/policy/"
    shown = zhao.put(path, {}).body
    assert (shown["slot_minutes"], shown["min_minutes"], shown["max_minutes"]) == (30, 30, 1440)
    assert (shown["approval"], shown["units"], shown["check_in_minutes"]) == ("automatic", 1, None)
    assert (shown["qualification"], shown["quotas"]) == (None, [])
    assert shown["refused_hazards"] == []
    assert (shown["offer_minutes"], shown["cross_region_share"]) == (120, None)


@pytest.mark.parametrize(
    ("policy", "problems"),
    [
        ([1], [("", "not-an-object")]),
        ({"slot_minutes": "30"}, [("slot_minutes", "out-of-range")]),
        ({"units": 0}, [("units", "out-of-range")]),
        ({"min_minutes": 45}, [("min_minutes", "not-a-multiple")]),
        ({"min_minutes": 60, "max_minutes": 30}, [("max_minutes", "less-than-min")]),
        ({"approval": "maybe"}, [("approval", "unknown-value")]),
        ({"horizon_days": {"friends": 1}}, [("horizon_days.friends", "unknown-field")]),
        ({"horizon_days": {"internal": -1}}, [("horizon_days.internal", "out-of-range")]),
        ({"offer_minutes": 0}, [("offer_minutes", "out-of-range")]),
        ({"qualification": 5}, [("qualification", "not-a-text")]),
        ({"qualification": "PaNET0"}, [("qualification", "unknown-value")]),
        ({"qualification": "x" * 61}, [("qualification", "too-long")]),
        ({"quotas": {}}, [("quotas", "not-a-list")]),
        (
            {"quotas": [{"scope": "user", "unit": "hours", "per": "year", "limit": -1}]},
            [("quotas[0].per", "unknown-choice"), ("quotas[0].limit", "out-of-range")],
        ),
        ({"refused_hazards": "toxic"}, [("refused_hazards", "not-a-list")]),
        ({"refused_hazards": ["dull", {}]}, [("refused_hazards", "unknown-choice")]),
        ({"cross_region_share": 20}, [("cross_region_share", "not-an-object")]),
        ({"cross_region_share": {"percent": 101}}, [("cross_region_share.percent", "out-of-range")]),
    ],
)
def test_a_policy_of_a_wrong_shape(
    cast: Cast, program: Programs, policy: Any, problems: list[tuple[str, str]]
) -> None:
    answer = program("zhao").put(f"instruments/{cast.microscope.pk}/policy/", policy)
    assert (answer.status, answer.problems) == (400, problems)
    assert BookingPolicy.objects.get(instrument=cast.microscope).version == 1


def test_fewer_units_than_are_in_use(cast: Cast, program: Programs) -> None:
    pool = cast.instrument(name="Incubators", policy={"units": 2})
    for who in ("wang", "sun"):
        reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who=who, instrument=pool)
    zhao, here = program("zhao"), f"instruments/{pool.pk}/"
    for answer in (zhao.put(f"{here}policy/", {"units": 1}), zhao.patch(here, {"units": 1})):
        assert (answer.status, answer.code, answer.body["units"]) == (409, "units-in-use", 2)
    assert zhao.get(here).body["units"] == 2
    assert zhao.get(here).headers["ETag"] == f'"{pool.version}"'


def test_every_version_of_a_policy_can_be_read(cast: Cast, program: Programs) -> None:
    here = f"instruments/{cast.microscope.pk}/policy/"
    zhao = program("zhao")
    changed = zhao.put(here, {"max_minutes": 240, "reason": "Shorter turns 缩短"})
    assert (changed.status, changed.headers["ETag"]) == (200, '"2"')
    assert "reason" not in changed.body
    newest, first = zhao.get(f"{here}versions/").body["results"]
    assert [newest["version"], first["version"]] == [2, 1]
    assert newest["policy"] == changed.body == zhao.get(here).body
    assert [first["policy"]["max_minutes"], newest["policy"]["max_minutes"]] == [480, 240]
    assert [first["valid_from"], newest["valid_from"]] == ["2026-02-03T04:00:00Z", "2026-03-05T04:00:00Z"]
    assert newest["reason"] == "Shorter turns 缩短"
    assert newest["made_by"] == {"id": str(cast.zhao.pk), "name": "Zhao Min"}
    # Who and why is for those who read the host's bookings.
    assert program("auditor").get(f"{here}versions/").body["results"] == [newest, first]
    public = program().get(f"{here}versions/?version=2").body["results"]
    assert public == [newest | {"made_by": None, "reason": ""}]
    assert program("wang").get(f"{here}versions/?version=3").body["results"] == []


@pytest.mark.parametrize(("reason", "code"), [(7, "not-a-text"), ("x" * 501, "too-long"), (None, "required")])
def test_a_reason_of_a_wrong_shape(cast: Cast, program: Programs, reason: object, code: str) -> None:
    here = f"instruments/{cast.microscope.pk}/policy/"
    answer = program("zhao").put(here, {"max_minutes": 240, "reason": reason})
    assert (answer.status, answer.problems) == (400, [("reason", code)])
    assert program().get(here).body["max_minutes"] == 480
    assert PolicyVersion.objects.count() == 1


def test_no_policy_yet(cast: Cast, program: Programs) -> None:
    zhao = program("zhao")
    made = zhao.post("instruments/", {"facility": str(cast.facility.pk), "name": "Bare"})
    path = f"{made.headers['Location']}policy/"
    assert (zhao.get(path).status, zhao.get(path).code) == (404, "not-found")
    assert zhao.put(path, {}, If_Match='"1"').code == "wrong-version"
    assert zhao.put(path, {}).headers["ETag"] == '"1"'
