"""Calendars of other programs, read."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.adapters.calendars import CalendarBroken, busy_times

START = datetime(2026, 3, 2, tzinfo=UTC)


def calendar(*rules: str) -> bytes:
    events = (
        f"BEGIN:VEVENT\r\nUID:{n}\r\nDTSTART:20260101T090000Z\r\nDTEND:20260101T100000Z\r\n"
        f"RRULE:{rule}\r\nEND:VEVENT\r\n"
        for n, rule in enumerate(rules)
    )
    text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n" + "".join(events) + "END:VCALENDAR\r\n"
    return text.encode()


def test_many_rules_of_days_of_the_month_are_read() -> None:
    rules = ["FREQ=MONTHLY;BYMONTHDAY=15", "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=4"] * 25
    found = busy_times(calendar(*rules), START, START + timedelta(days=28))
    assert [start.day for start, _ in found] == [4, 15]


def test_rules_that_never_come_true_keep_nobody_busy() -> None:
    never = ["FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31;COUNT=3"] * 4
    with pytest.raises(CalendarBroken):
        busy_times(calendar(*never), START, START + timedelta(days=28))
