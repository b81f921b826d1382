"""How moments, lengths of time and rooms are written."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from config.templatetags.display import due_day, duration, ending, room

START = datetime(2026, 3, 6, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(("hours", "written"), [(0.25, "23:45"), (2, "Sat 7 Mar 2026, 01:30"), (None, "…")])
def test_an_end_names_its_day_when_it_is_another(hours: float | None, written: str) -> None:
    end = START + timedelta(hours=hours) if hours is not None else None
    with timezone.override("Asia/Shanghai"):
        assert ending(end, START) == written


@pytest.mark.parametrize(
    ("minutes", "written"),
    [(410_520, "6,842 h"), (410_550, "6,842 h 30 min"), (26 * 60, "26 h"), (20, "20 min"), (0, "0 min")],
)
def test_sums_are_written_in_hours(minutes: int, written: str) -> None:
    assert duration(minutes, "hours") == written
    assert duration(26 * 60) == "1 day 2 h"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("203", "room 203"), ("B1-203", "room B1-203"), ("A 12", "room A 12"), ("", ""),
        ("Room 203", "Room 203"), ("理化楼 203 室", "理化楼 203 室"), ("Clean room", "Clean room"),
    ],
)  # fmt: skip
def test_a_bare_number_of_a_room_is_called_so(text: str, written: str) -> None:
    assert room(text) == written


def test_what_is_due_in_another_year_has_its_year(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "localdate", lambda: date(2026, 12, 2))
    assert due_day(date(2026, 12, 6)) == "Sun 6 Dec"
    assert due_day(date(2027, 11, 29)) == "Mon 29 Nov 2027"
    with timezone.override("Asia/Shanghai"):
        assert due_day(datetime(2026, 12, 31, 20, tzinfo=UTC)) == "Fri 1 Jan 2027"
