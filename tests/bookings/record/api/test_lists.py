"""Lists of the API that are sorted, and given as files."""

from collections.abc import Callable
from io import BytesIO

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse
from openpyxl.worksheet._writer import ALL_TEMP_FILES

from accounts.api.pagination import Cursor
from bookings.funding.models import FundingSource
from bookings.record.adapters import figures
from tests.factories.api import Program
from tests.factories.cast import Cast, reserve
from tests.factories.funding import source

type Programs = Callable[..., Program]


@pytest.fixture
def booked(cast: Cast) -> list[str]:
    made = [reserve(cast, f"2026-03-{day:02} 10:00", f"2026-03-{day:02} 11:00") for day in (9, 10, 11, 12)]
    return [str(row.pk) for row in made]


@pytest.fixture
def sources(cast: Cast) -> list[str]:
    """Two with a budget and two without."""
    made = [
        source(cast, code, budget=budget)
        for code, budget in (("A", "200"), ("B", None), ("C", "100"), ("D", None))
    ]
    return [str(row.pk) for row in made]


@pytest.mark.parametrize(("order", "places"), [("budget", [2, 0, 1, 3]), ("-budget", [3, 1, 0, 2])])
def test_what_has_no_value_comes_last_and_back_to_front_first(
    program: Programs, sources: list[str], order: str, places: list[int]
) -> None:
    pages = list(program("lin").pages(f"funding-sources/?limit=1&sort={order}"))
    found = [pk for page in pages for pk in page]
    there = [sources[at] for at in places]
    assert found == there + there[2::-1]


def test_a_place_without_value_is_none_of_the_usual_order(program: Programs, sources: list[str]) -> None:
    following = program("lin").get("funding-sources/?limit=3&sort=budget").body["next"]
    cursor = following.partition("cursor=")[2].partition("&")[0]
    answer = program("lin").get(f"funding-sources/?cursor={cursor}")
    assert answer.problems == [("cursor", "unknown-cursor")]
    for value in ("1e999999", "NaN", "much"):
        cursor = Cursor((value, sources[0])).encoded()
        answer = program("lin").get(f"funding-sources/?sort=budget&cursor={cursor}")
        assert answer.problems == [("cursor", "unknown-cursor")]
    assert program("lin").get("funding-sources/?sort=owner__name").problems == [("sort", "unknown-value")]


def test_a_file_comes_whatever_the_request_accepts(program: Programs, booked: list[str]) -> None:
    for kind in ("text/csv", "application/json", "*/*"):
        answer = program("wang").get("reservations/?format=csv&limit=1", Accept=kind)
        assert answer.status == 200
        assert answer.headers["Content-Disposition"] == 'attachment; filename="bookings.csv"'
        lines = answer.body.decode("utf-8-sig").splitlines()
        assert {line[:36] for line in lines[1:5]} == set(booked)
    assert program("wang").get("reservations/", Accept="text/csv").status == 406
    assert program("wang").get("reservations/?format=pdf").problems == [("format", "unknown-value")]


def test_a_workbook_that_would_take_too_long_is_refused(
    program: Programs, booked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "MOST_IN_WORKBOOK", 3)
    answer = program("wang").get("reservations/?format=xlsx")
    assert answer.problems == [("format", "too-many-for-workbook")]
    assert not ALL_TEMP_FILES, "what was begun stays on the disk"
    monkeypatch.setattr(figures, "MOST_IN_WORKBOOK", 4)
    assert program("wang").get("reservations/?format=xlsx").status == 200


def test_a_page_says_that_its_workbook_would_take_too_long(
    cast: Cast, client: Client, booked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "MOST_IN_WORKBOOK", 3)
    client.force_login(cast.people["wang"])
    page = client.get(reverse("bookings:mine"), {"format": "xlsx"})
    assert (page.status_code, "too long for an XLSX file" in page.content.decode()) == (400, True)


def test_a_workbook_leaves_out_what_xml_cannot_hold(program: Programs, sources: list[str]) -> None:
    FundingSource.objects.filter(code="A").update(name="A\ufffe\uffff\x0b")
    answer = program("lin").get("funding-sources/?format=xlsx&q=%EF%BF%BF")
    assert answer.status == 200
    book = openpyxl.load_workbook(BytesIO(answer.body))
    assert [[cell.value for cell in row] for row in book["filters"]] == [
        ["q", None],
        ["time_zone", "Asia/Shanghai"],
    ]
    book = openpyxl.load_workbook(BytesIO(program("lin").get("funding-sources/?format=xlsx").body))
    assert book["figures"]["B2"].value == "A"
