"""Calendars of other programs, read."""

import subprocess
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import icalendar
import pytest
import recurring_ical_events
import vobject

from accounts.adapters import calendars
from accounts.adapters.calendars import CalendarBroken, Event, busy_times, write
from accounts.domain.calendars import TooCostly

START = datetime(2026, 3, 2, tzinfo=UTC)
END = START + timedelta(days=28)


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
    found = busy_times(calendar(*rules), START, END)
    assert [start.day for start, _ in found] == [4, 15]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31;COUNT=3",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1",
    ],
)
def test_fifty_rules_that_never_come_true_are_read_beside_one_that_does(rule: str) -> None:
    spans = busy_times(calendar(*[rule] * 50, "FREQ=DAILY;UNTIL=20260303"), START, END)
    assert spans == [(START.replace(hour=9), START.replace(hour=10))]


@pytest.mark.parametrize(
    "rules",
    [
        ["FREQ=SECONDLY"],
        ["FREQ=HOURLY;BYSETPOS=2"] * 50,
        ["FREQ=HOURLY"] * 50,
        [f"FREQ=DAILY;BYHOUR={','.join(map(str, range(24)))};BYMINUTE=0,10,20,30,40,50"] * 6,
    ],
)
def test_rules_that_come_too_often_are_refused_before_they_are_written_out(
    rules: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recurring_ical_events, "of", None)
    with pytest.raises(TooCostly):
        calendars._times(calendar(*rules), START, END)
    with pytest.raises(CalendarBroken, match="calendar-too-costly"):
        busy_times(calendar(*rules), START, END)


def test_birthdays_since_1604_cost_nothing_and_make_nobody_busy() -> None:
    born = calendar(*["FREQ=YEARLY"] * 300).replace(b":20260101T090000Z", b";VALUE=DATE:16040305")
    born = born.replace(b"DTEND:20260101T100000Z", b"DURATION:P1D")
    assert busy_times(born, START, END) == []


@pytest.mark.parametrize("limit", ["CPU", "MEMORY", "READING"])
def test_a_calendar_that_takes_too_much_to_read_is_ended(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the rules overlook: here the limits are so low that any is too much."""
    if limit == "READING":
        monkeypatch.setattr(calendars, limit, 0.01)
    else:
        run = subprocess.run
        program = (
            "import sys, accounts.adapters.calendars as c;"
            f"c.{limit} = {1 if limit == 'CPU' else 1 << 20}; c.main()"
        )
        monkeypatch.setattr(
            subprocess, "run", lambda words, **rest: run([words[0], "-c", program, *words[3:]], **rest)
        )
    many = b"BEGIN:VCALENDAR\r\n" + b"X:\r\n" * 1_000_000 + b"END:VCALENDAR\r\n"
    code = "not-a-calendar" if limit == "MEMORY" else "calendar-too-costly"
    with pytest.raises(CalendarBroken, match=code):
        busy_times(many, START, END)


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


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_no_name_begins_a_line_of_its_own(end: str) -> None:
    name = f"Microscope{end}ATTENDEE:mailto:somebody@elsewhere.example"
    person = calendars.Person("host@ustc.example", name)
    event = Event("1", 0, START, END, "Asia/Shanghai", START, name, location=name, host=person, guest=person)
    for text in (write([event], name=name), write([event], method="REQUEST")):
        lines = text.replace("\r\n ", "").split("\r\n")
        assert not [line for line in lines if "\n" in line or "\r" in line]
        (attendee,) = [line for line in lines if line.startswith("ATTENDEE")]
        assert attendee.endswith(":mailto:host@ustc.example")
