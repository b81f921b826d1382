"""The trail through the API."""

from collections.abc import Callable

import pytest

from tests.factories.api import Program
from tests.factories.cast import Cast, reserve

type Programs = Callable[..., Program]


def actions(program: Program, query: str = "") -> list[str]:
    return [row["action"] for row in program.get(f"trail/entries/?{query}").body["results"]]


def test_an_entry(cast: Cast, program: Programs) -> None:
    program("zhao").post(f"instruments/{cast.microscope.pk}/suspend/", {"reason": "漏水"})
    (entry,) = program("auditor").get("trail/entries/?action=instrument.suspend").body["results"]
    assert entry["actor"] == {"id": str(cast.zhao.pk), "name": "Zhao Min"}
    assert entry["object"] == {"type": "instrument", "id": str(cast.microscope.pk)}
    assert entry["before"] == {"publication": "published"}
    assert entry["after"] == {"publication": "suspended"}
    assert entry["reason"] == "漏水"
    assert entry["at"] == "2026-03-05T04:00:00Z"
    assert len(entry["digest"]) == 64


def test_auditors_read_their_regions_and_everybody_their_own_acts(cast: Cast, program: Programs) -> None:
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    assert "instrument.publish" in actions(program("auditor"))
    assert actions(program("wang")) == ["token.issue", "reservation.confirmed"]
    assert actions(program("alice")) == ["token.issue"]
    assert program().get("trail/entries/").status == 401


def test_filters(cast: Cast, program: Programs) -> None:
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    auditor = program("auditor")
    assert actions(auditor, f"object={made.pk}") == ["reservation.confirmed"]
    assert actions(auditor, "action=reservation.") == ["reservation.confirmed"]
    assert actions(auditor, f"actor={cast.wang.pk}") == ["reservation.confirmed"]
    assert actions(auditor, "actor=WANG@fudan.example") == ["reservation.confirmed"]
    assert actions(auditor, "actor=nobody@x.example") == []
    assert actions(auditor, "region=CN-SH&action=reservation") == ["reservation.confirmed"]
    assert actions(auditor, "region=XX") == []
    assert actions(auditor, "from=2026-03-05T04:00:01Z") == []
    assert "reservation.confirmed" not in actions(auditor, "until=2026-03-05T04:00:00Z")


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("object=x", ("object", "not-an-id")),
        ("from=yesterday", ("from", "not-an-instant")),
        ("action=%00", ("action", "bad-character")),
    ],
)
def test_a_wrong_shape(cast: Cast, program: Programs, query: str, problem: tuple[str, str]) -> None:
    assert program("auditor").get(f"trail/entries/?{query}").problems == [problem]


def test_pages_there_and_back(cast: Cast, program: Programs) -> None:
    auditor = program("auditor")
    everything = auditor.get("trail/entries/?limit=200").ids
    pages = list(auditor.pages("trail/entries/?limit=7"))
    count = -(-len(everything) // 7)
    assert [row for page in pages[:count] for row in page] == everything
    assert pages[count:] == pages[: count - 1][::-1]
