"""Availability through the API."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from tests.factories.api import Clock, Program
from tests.factories.cast import Cast, at, reserve

type Programs = Callable[..., Program]

FRIDAY = "from=2026-03-06T00:00:00%2B08:00&until=2026-03-07T00:00:00%2B08:00"


def test_open_busy_free_and_starts(cast: Cast, program: Programs) -> None:
    other = cast.instrument(name="Cryo-EM", policy={"setup_minutes": 30, "teardown_minutes": 30})
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=other)
    answer = program("wang").get(f"instruments/{other.pk}/availability/?{FRIDAY}&minutes=240")
    assert answer.body == {
        "open": [{"start": "2026-03-06T00:00:00Z", "end": "2026-03-06T12:00:00Z"}],
        "busy": [
            {
                "start": "2026-03-06T01:30:00Z",
                "end": "2026-03-06T04:30:00Z",
                "kind": "reservation",
            }
        ],
        "free": [
            {"start": "2026-03-06T00:00:00Z", "end": "2026-03-06T01:30:00Z"},
            {"start": "2026-03-06T04:30:00Z", "end": "2026-03-06T12:00:00Z"},
        ],
        "starts": [
            f"2026-03-06T{time}:00Z" for time in ("05:00", "05:30", "06:00", "06:30", "07:00",
                                                  "07:30", "08:00")
        ],
        "minutes": 240,
        "organisation": "fudan",
        "own_busy": [],
    }  # fmt: skip


def test_a_closure_is_busy_of_its_kind(cast: Cast, program: Programs) -> None:
    path = f"instruments/{cast.microscope.pk}/"
    program("zhao").post(
        f"{path}closures/", {"start": "2026-03-06T08:00:00+08:00", "end": None, "kind": "breakdown"}
    )
    answer = program().get(f"{path}availability/?{FRIDAY}")
    assert answer.body["busy"] == [
        {"start": "2026-03-06T00:00:00Z", "end": "2026-03-06T16:00:00Z", "kind": "closure"}
    ]
    assert answer.body["free"] == answer.body["starts"] == []


def test_both_passes_of_a_repeated_hour_are_open(cast: Cast, program: Programs, clock: Clock) -> None:
    """Chicago, 1 November 2026: a local day of 1500 minutes."""
    zhao = program("zhao")
    site = zhao.post(
        "facilities/", {"organisation": "ustc", "name": "Chicago", "time_zone": "America/Chicago"}
    )
    made = zhao.post("instruments/", {"facility": site.body["id"], "name": "Beamline"})
    path = f"instruments/{made.body['id']}/"
    rule = {"weekday": 7, "opens": "00:00", "closes": "24:00"}
    zhao.put(f"{path}opening-hours/", {"weekly": [rule]})
    zhao.put(f"{path}policy/", {"horizon_days": {"internal": 365}})
    clock.now = at("2026-10-30 12:00")
    answer = zhao.get(f"{path}availability/?from=2026-10-31T00:00:00-05:00&until=2026-11-03T00:00:00-06:00")
    assert answer.body["open"] == [{"start": "2026-11-01T05:00:00Z", "end": "2026-11-02T06:00:00Z"}]


def test_a_span_unless_named_is_the_week_to_come(cast: Cast, program: Programs) -> None:
    answer = program("wang").get(f"instruments/{cast.microscope.pk}/availability/")
    assert answer.body["open"][0]["start"] == "2026-03-05T04:00:00Z"
    assert answer.body["open"][-1]["end"] == "2026-03-12T04:00:00Z"
    assert answer.body["minutes"] == 60


def test_starts_are_only_where_the_group_has_a_price(cast: Cast, program: Programs) -> None:
    other = cast.instrument(name="Own only", card={"rates": {"internal": "1.00"}})
    path = f"instruments/{other.pk}/availability/?{FRIDAY}"
    assert program("wang").get(path).body["starts"] == []
    assert len(program("zhao").get(path).body["starts"]) == 23


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("from=2026-03-06T00:00:00Z&until=2026-03-06T00:00:00Z", ("until", "not-after-start")),
        ("from=2026-03-06T00:00:00Z&until=2026-06-06T00:00:00Z", ("until", "span-too-long")),
        ("from=2026-03-06T00:00:00", ("from", "naive-time")),
        ("minutes=0", ("minutes", "out-of-range")),
        ("minutes=1h", ("minutes", "not-an-integer")),
        ("organisation=ustc", ("organisation", "not-a-member")),
    ],
)
def test_a_wrong_shape(cast: Cast, program: Programs, query: str, problem: tuple[str, str]) -> None:
    answer = program("wang").get(f"instruments/{cast.microscope.pk}/availability/?{query}")
    assert answer.problems == [problem]


def test_an_instrument_that_is_not_there(cast: Cast, program: Programs) -> None:
    assert program("wang").get(f"instruments/{uuid4()}/availability/").status == 404


def test_a_record_without_rules_offers_nothing(cast: Cast, program: Programs) -> None:
    made = program("zhao").post("instruments/", {"facility": str(cast.facility.pk), "name": "Bare"})
    answer = program("zhao").get(f"instruments/{made.body['id']}/availability/")
    none = {"open": [], "busy": [], "free": [], "starts": [], "minutes": 0, "own_busy": []}
    assert answer.body == none | {"organisation": "ustc"}
