"""Opening hours, policies and rate cards through the API."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import TrailEntry
from instruments.models import BookingPolicy, PolicyVersion, RateCard
from tests.factories.api import Program
from tests.factories.cast import CARD, Cast, reserve

type Programs = Callable[..., Program]


# Opening hours


def test_hours_come_back_as_they_were_set(cast: Cast, program: Programs) -> None:
    zhao, path = program("zhao"), f"instruments/{cast.microscope.pk}/opening-hours/"
    hours = {
        "weekly": [
            {"weekday": 1, "opens": "22:00", "closes": "06:00", "valid_from": "2026-01-01"},
            {"weekday": 7, "opens": "00:00", "closes": "24:00", "valid_until": "2026-12-31"},
        ],
        "overrides": [
            {"date": "2026-05-04", "windows": []},
            {"date": "2026-05-05", "windows": [{"opens": "10:00", "closes": "12:00"}]},
        ],
        "observes_holidays": False,
    }
    before = zhao.get(path)
    assert zhao.put(path, hours, If_Match='"1"').code == "wrong-version"
    put = zhao.put(path, hours, If_Match=before.headers["ETag"])
    assert (put.status, put.body) == (200, hours)
    got = program().get(path)
    assert (got.body, got.headers["ETag"]) == (hours, put.headers["ETag"])
    assert put.headers["ETag"] != before.headers["ETag"]
    # What is read can be sent as it is.
    assert zhao.put(path, got.body).body == hours


@pytest.mark.parametrize(
    ("hours", "problems"),
    [
        ([], [("", "not-an-object")]),
        ({"weekly": {}}, [("weekly", "not-a-list")]),
        ({"hours": []}, [("hours", "unknown-field")]),
        (
            {"weekly": [{"weekday": 8, "opens": "08:00", "closes": "20:00"}]},
            [("weekly[0].weekday", "not-a-weekday")],
        ),
        (
            {"weekly": [{"weekday": 1, "opens": "8:00", "closes": "25:00"}]},
            [("weekly[0].opens", "not-a-time"), ("weekly[0].closes", "not-a-time")],
        ),
        (
            {"weekly": [{"weekday": 1, "opens": "08:00", "closes": "20:00"}] * 2},
            [("weekly[1]", "windows-overlap")],
        ),
        (
            {"overrides": [{"date": "2026-02-30", "windows": []}]},
            [("overrides[0].date", "not-a-date")],
        ),
        ({"observes_holidays": 1}, [("observes_holidays", "not-a-boolean")]),
    ],
)
def test_hours_of_a_wrong_shape(
    cast: Cast, program: Programs, hours: Any, problems: list[tuple[str, str]]
) -> None:
    zhao, path = program("zhao"), f"instruments/{cast.microscope.pk}/opening-hours/"
    before = zhao.get(path).body
    answer = zhao.put(path, hours)
    assert (answer.status, answer.problems) == (400, problems)
    assert zhao.get(path).body == before


def test_hours_before_any_are_set(cast: Cast, program: Programs) -> None:
    zhao = program("zhao")
    made = zhao.post("instruments/", {"facility": str(cast.facility.pk), "name": "Bare"})
    path = f"{made.headers['Location']}opening-hours/"
    assert zhao.get(path).body == {"weekly": [], "overrides": [], "observes_holidays": False}


# Policy


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
    }
    before = zhao.get(path)
    put = zhao.put(path, given, If_Match=before.headers["ETag"])
    expected = given | {
        "horizon_days": {
            "internal": 90,
            "regional": 60,
            "partner": 60,
            "external": 60,
            "industry": 60,
        }
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
        ({"cross_region_share": 20}, [("cross_region_share", "not-an-object")]),
        (
            {"cross_region_share": {"percent": 101}},
            [("cross_region_share.percent", "out-of-range")],
        ),
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
    assert [first["valid_from"], newest["valid_from"]] == [
        "2026-02-03T04:00:00Z",
        "2026-03-05T04:00:00Z",
    ]
    assert newest["reason"] == "Shorter turns 缩短"
    assert newest["made_by"] == {"id": str(cast.zhao.pk), "name": "Zhao Min"}
    # Who and why is for those who read the host's bookings.
    assert program("auditor").get(f"{here}versions/").body["results"] == [newest, first]
    public = program().get(f"{here}versions/?version=2").body["results"]
    assert public == [newest | {"made_by": None, "reason": ""}]
    assert program("wang").get(f"{here}versions/?version=3").body["results"] == []


@pytest.mark.parametrize(
    ("reason", "code"), [(7, "not-a-text"), ("x" * 501, "too-long"), (None, "required")]
)
def test_a_reason_of_a_wrong_shape(
    cast: Cast, program: Programs, reason: object, code: str
) -> None:
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


# Rate cards


def test_a_card_comes_back_with_every_field(cast: Cast, program: Programs) -> None:
    zhao, path = program("zhao"), f"instruments/{cast.microscope.pk}/rate-cards/"
    card = {
        **CARD,
        "rate_unit": "hour",
        "valid_from": "2027-01-01",
        "valid_until": "2028-01-01",
        "bands": [
            {
                "code": "night",
                "weekdays": [1, 2, 3, 4, 5],
                "opens": "20:00",
                "closes": "08:00",
                "multiplier": "0.5",
            },
            {
                "code": "holiday",
                "holidays": True,
                "opens": "00:00",
                "closes": "24:00",
                "multiplier": "1.5",
            },
        ],
        "tiers": [
            {"after_minutes": 0, "multiplier": "1"},
            {"after_minutes": 480, "multiplier": "0.8"},
        ],
        "daily_cap_minutes": 600,
        "charge_basis": "greater",
        "no_show_percent": "80",
    }
    made = zhao.post(path, card | {"publish": True})
    assert made.status == 201
    assert {name: made.body[name] for name in card} == card
    assert (made.body["version"], made.body["published_at"]) == (2, "2026-03-05T04:00:00Z")
    # The open-ended card before it ends where this one begins.
    first = zhao.get(path).body["results"][1]
    assert (first["version"], first["valid_until"]) == (1, "2027-01-01")


def test_drafts_are_for_those_who_may_read_money(cast: Cast, program: Programs) -> None:
    path = f"instruments/{cast.microscope.pk}/rate-cards/"
    made = program("zhao").post(path, CARD | {"valid_from": "2027-01-01"})
    assert made.body["published_at"] is None
    for name, versions in (("zhao", [2, 1]), ("auditor", [2, 1]), ("wang", [1]), (None, [1])):
        rows = program(name).get(path).body["results"]
        assert [row["version"] for row in rows] == versions, name
    pages = list(program("zhao").pages(f"{path}?limit=1"))
    assert [len(page) for page in pages] == [1, 1, 1]


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"publish": "yes"}, [("publish", "not-a-boolean")]),
        ({"currency": "BTC"}, [("currency", "unknown-currency")]),
        ({"rates": {}}, [("rates", "required")]),
        ({"rates": {"friends": "1"}}, [("rates.friends", "unknown-price-group")]),
        ({"rates": {"internal": 1.5}}, [("rates.internal", "not-a-decimal")]),
        ({"rates": {"internal": "-1"}}, [("rates.internal", "too-small")]),
        ({"valid_until": "2026-01-01"}, [("valid_until", "not-after-valid-from")]),
        ({"valid_from": "soon"}, [("valid_from", "not-a-date")]),
        ({"tax_percent": "101"}, [("tax_percent", "too-large")]),
        ({"minimum_minutes": "60"}, [("minimum_minutes", "not-an-integer")]),
        (
            {"tiers": [{"after_minutes": 5, "multiplier": "1"}]},
            [("tiers[0].after_minutes", "first-not-zero")],
        ),
        ({"discount": "5"}, [("discount", "unknown-field")]),
    ],
)
def test_a_card_of_a_wrong_shape(
    cast: Cast, program: Programs, changes: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    entries = TrailEntry.objects.count()
    answer = program("zhao").post(f"instruments/{cast.microscope.pk}/rate-cards/", CARD | changes)
    assert (answer.status, answer.problems) == (400, problems)
    assert RateCard.objects.count() == 1
    assert TrailEntry.objects.count() == entries + 1  # the token


def test_a_card_that_is_no_object(cast: Cast, program: Programs) -> None:
    answer = program("zhao").post(f"instruments/{cast.microscope.pk}/rate-cards/", [CARD])
    assert answer.problems == [("", "not-an-object")]


def test_a_card_over_another_is_refused(cast: Cast, program: Programs) -> None:
    answer = program("zhao").post(
        f"instruments/{cast.microscope.pk}/rate-cards/",
        CARD | {"valid_from": "2025-06-01", "publish": True},
    )
    assert answer.problems == [("valid_from", "overlaps-version")]
    assert RateCard.objects.count() == 1


def test_a_gap_between_versions_is_refused(cast: Cast, program: Programs) -> None:
    zhao, path = program("zhao"), f"instruments/{cast.microscope.pk}/rate-cards/"
    season = {"valid_from": "2026-05-01", "valid_until": "2026-06-01", "publish": True}
    assert zhao.post(path, CARD | season).status == 201
    answer = zhao.post(path, CARD | {"valid_from": "2026-06-02", "publish": True})
    assert answer.problems == [("valid_from", "leaves-gap")]
    assert "2026-06-01" in answer.body["errors"][0]["message"]
    assert RateCard.objects.count() == 2


def test_a_version_that_was_used_is_not_replaced(cast: Cast, program: Programs) -> None:
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    answer = program("zhao").post(
        f"instruments/{cast.microscope.pk}/rate-cards/",
        CARD | {"valid_from": "2026-01-01", "publish": True},
    )
    assert answer.problems == [("valid_from", "version-used")]
    assert "2026-03-05 at the earliest" in answer.body["errors"][0]["message"]


def test_a_draft_from_first_to_last(cast: Cast, program: Programs) -> None:
    zhao, path = program("zhao"), f"instruments/{cast.microscope.pk}/rate-cards/"
    made = zhao.post(path, CARD | {"valid_from": "2027-01-01"})
    assert made.headers["ETag"] == '"1"'
    one = f"{path}2/"
    assert zhao.get(one).body == made.body
    assert program("wang").get(one).code == "not-found"
    assert zhao.put(one, CARD | {"rates": {"internal": "-1"}}).problems == [
        ("rates.internal", "too-small")
    ]
    changed = zhao.put(one, CARD | {"valid_from": "2027-02-01"}, If_Match='"1"')
    assert (changed.body["valid_from"], changed.headers["ETag"]) == ("2027-02-01", '"2"')
    assert zhao.put(one, CARD, If_Match='"1"').code == "wrong-version"
    assert zhao.delete(one, If_Match='"1"').code == "wrong-version"
    assert program("auditor").put(one, CARD).code == "not-permitted"
    assert zhao.delete(one).status == 204
    assert zhao.get(one).code == "not-found"
    again = zhao.post(path, CARD | {"valid_from": "2027-01-01"})
    published = zhao.put(
        f"{path}{again.body['version']}/", CARD | {"valid_from": "2027-01-01", "publish": True}
    )
    assert published.body["published_at"] == "2026-03-05T04:00:00Z"
    assert zhao.put(one, CARD).code == "wrong-state"
    assert zhao.delete(one).code == "wrong-state"
    assert program("wang").get(one).body["version"] == 2
    assert zhao.get(f"{path}77/").code == "not-found"
