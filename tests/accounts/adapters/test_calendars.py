"""Calendars of other programs, read."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import icalendar
import pytest
import vobject

from accounts.adapters.calendars import CalendarBroken, Event, busy_times, write

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


def event(zone: str, start: datetime) -> Event:
    return Event("1", 0, start, start + timedelta(minutes=30), zone, START, "x")


def test_a_change_of_the_clock_is_named_by_the_clock_before_it() -> None:
    text = write([event("Europe/London", START)])
    daylight = text.partition("BEGIN:DAYLIGHT")[2]
    assert "DTSTART:20260329T010000" in daylight and "RDATE:20270328T010000" in daylight
    for zone in sorted(name for name in available_timezones() if "/" in name)[::20]:
        described = icalendar.Calendar.from_ical(write([event(zone, START)])).walk("VTIMEZONE")[0]
        for part in described.subcomponents:
            before, after = part.TZOFFSETFROM, part.TZOFFSETTO
            changed = (part.DTSTART - before).replace(tzinfo=UTC)
            if before != after:
                offsets = [
                    (changed - timedelta(seconds=ago)).astimezone(ZoneInfo(zone)).utcoffset()
                    for ago in (1, 0)
                ]
                assert offsets == [before, after], zone


@pytest.mark.parametrize(
    "zone", ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai"]
)
def test_another_reader_reads_every_hour_of_the_days_of_change(zone: str) -> None:
    days = (datetime(2026, 3, 7, tzinfo=UTC), datetime(2026, 3, 28, tzinfo=UTC))
    starts = [day + timedelta(hours=hour) for day in days for hour in range(72)]
    read = vobject.readOne(write([event(zone, start) for start in starts]))
    assert [each.dtstart.value.astimezone(UTC) for each in read.vevent_list] == starts
