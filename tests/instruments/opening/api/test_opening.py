"""Opening hours through the API."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.factories.api import Program
from tests.factories.cast import Cast

type Programs = Callable[..., Program]


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
        ({"overrides": [{"date": "2026-02-30", "windows": []}]}, [("overrides[0].date", "not-a-date")]),
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
