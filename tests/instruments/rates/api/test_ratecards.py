"""Rate cards through the API."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import TrailEntry
from instruments.rates.models import RateCard
from tests.factories.api import Program
from tests.factories.cast import CARD, Cast, reserve

type Programs = Callable[..., Program]


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
            {"code": "holiday", "holidays": True, "opens": "00:00", "closes": "24:00", "multiplier": "1.5"},
        ],
        "tiers": [{"after_minutes": 0, "multiplier": "1"}, {"after_minutes": 480, "multiplier": "0.8"}],
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
        f"instruments/{cast.microscope.pk}/rate-cards/", CARD | {"valid_from": "2025-06-01", "publish": True}
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
        f"instruments/{cast.microscope.pk}/rate-cards/", CARD | {"valid_from": "2026-01-01", "publish": True}
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
    assert zhao.put(one, CARD | {"rates": {"internal": "-1"}}).problems == [("rates.internal", "too-small")]
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
