"""Write iCalendar (RFC 5545) for feeds and invitations, and read it from people's own calendars.

Because strangers write those calendars, a separate process (this file as a program) reads each one; the
system ends it when it exceeds its limits of time and memory.
"""

import datetime as clock
import json
import resource
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from accounts.domain.calendars import MOST_STEPS, TooCostly, steps_of

PRODUCT = "-//Instrument Commons//Instrument Commons//EN"
MOST_EVENTS = 5000
CPU, MEMORY = 15, 1 << 30  # seconds and bytes that reading a calendar may take
READING = 60  # seconds on the clock
_FAULTS = (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError)
_NO_CALENDAR, _TOO_COSTLY = "not-a-calendar", "calendar-too-costly"


class CalendarBroken(Exception):
    """A file is no readable calendar (not-a-calendar), or reading it takes too long (calendar-too-costly)."""

    def __init__(self, code: str = _NO_CALENDAR) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Person:
    """The sender or the recipient of an invitation."""

    email: str
    name: str = ""


@dataclass(frozen=True)
class Event:
    """One event of a calendar. `sequence` grows with every change, the last of which was at `changed_at`.
    `zone` is the time zone in which its times are written. `is_busy`: the event blocks time."""

    uid: str
    sequence: int
    start: datetime
    end: datetime
    zone: str
    changed_at: datetime
    summary: str
    location: str = ""
    description: str = ""
    address: str = ""
    status: str = "CONFIRMED"
    is_busy: bool = True
    host: Person | None = None
    guest: Person | None = None


def write(events: Iterable[Event], *, method: str = "", name: str = "", zone: str = "") -> str:
    """Return a calendar that describes the time zones it uses. `method` is REQUEST or CANCEL for an
    invitation and empty for a feed, which has a `name`. The same events always give the same text."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    if method:
        calendar.add("method", method)
    if name := " ".join(name.split()):  # the library escapes no line break of the older property
        calendar.add("name", name)
        calendar.add("x-wr-calname", name)
        calendar.add("refresh-interval", timedelta(hours=1), {"VALUE": "DURATION"})
        calendar.add("x-published-ttl", "PT1H")
    if zone:
        calendar.add("x-wr-timezone", zone)
    rows = list(events)
    years = [moment.year for event in rows for moment in (event.start, event.end)]
    for key in sorted({event.zone for event in rows} | ({zone} if zone else set())):
        # The years around those needed; sorted, because the text must not vary.
        first, last = date(min(years, default=2000), 1, 1), date(max(years, default=2000) + 2, 1, 1)
        calendar.add_component(_zone(key, first, last))
    for event in rows:
        calendar.add_component(_event(event))
    return str(calendar.to_ical(), "utf-8")


@lru_cache(maxsize=256)
def _zone(key: str, first: date, last: date) -> icalendar.Timezone:
    """Return the clock changes of a time zone. RFC 5545 dates each change by the clock before it; the library
    dates a change forward by the clock after it, which is corrected here."""
    described = icalendar.Timezone.from_tzid(key, first_date=first, last_date=last)
    for part in described.subcomponents:
        forward = max(part.TZOFFSETTO - part.TZOFFSETFROM, timedelta())
        part.DTSTART -= forward
        if "RDATE" in part:
            part.add("RDATE", [each.dt - forward for each in part.pop("RDATE").dts])
    return described


def _event(event: Event) -> icalendar.Event:
    zone = ZoneInfo(event.zone)
    entry = icalendar.Event()
    entry.add("uid", event.uid)
    entry.add("sequence", event.sequence)
    entry.add("dtstamp", event.changed_at.astimezone(UTC).replace(microsecond=0))
    entry.add("dtstart", _local(event.start, zone))
    entry.add("dtend", _local(event.end, zone))
    entry.add("summary", event.summary)
    entry.add("status", event.status)
    entry.add("transp", "OPAQUE" if event.is_busy else "TRANSPARENT")
    for field, value in (
        ("location", event.location),
        ("description", event.description),
        ("url", event.address),
    ):
        if value:
            entry.add(field, value)
    if event.host:
        entry.add("organizer", _person(event.host))
    if event.guest:
        guest = _person(event.guest)
        guest.params["ROLE"] = icalendar.vText("REQ-PARTICIPANT")
        guest.params["PARTSTAT"] = icalendar.vText("ACCEPTED")
        guest.params["RSVP"] = icalendar.vText("FALSE")
        entry.add("attendee", guest, encode=False)
    return entry


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment as local time of the zone, or in UTC where the zone's clock shows that hour twice and
    a local time would be ambiguous."""
    local = moment.astimezone(zone)
    other = local.replace(fold=1 - local.fold)
    return moment.astimezone(UTC) if other.utcoffset() != local.utcoffset() else local


def _person(person: Person) -> icalendar.vCalAddress:
    address = icalendar.vCalAddress(f"mailto:{person.email}")
    if person.name:
        address.params["CN"] = icalendar.vText(person.name)
    return address


def busy_times(content: bytes, start: datetime, end: datetime) -> Sequence[tuple[datetime, datetime]]:
    """Return the merged times, in order, at which a calendar says that its owner is busy within a span.
    Recurring events are expanded; cancelled, free (TRANSP) and all-day events are left out, since the last
    say nothing about hours. Raise `CalendarBroken`."""
    try:
        ended = subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "-m", __name__, start.isoformat(), end.isoformat()],
            input=content,
            capture_output=True,
            timeout=READING,
            cwd=Path(__file__).parents[2],
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CalendarBroken(_TOO_COSTLY) from None
    if ended.returncode < 0:
        raise CalendarBroken(_TOO_COSTLY)
    if ended.returncode:
        raise CalendarBroken
    answer = json.loads(ended.stdout)
    if isinstance(answer, str):
        raise CalendarBroken(answer)
    return [(datetime.fromisoformat(one), datetime.fromisoformat(other)) for one, other in answer]


def main() -> None:
    """Read a calendar from standard input for the span given by the arguments, and write its busy times, or
    the code of what is wrong, as JSON."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    start, end = (datetime.fromisoformat(moment) for moment in sys.argv[1:3])
    # The library searches up to this year for the next time of a rule that never matches.
    clock.MAXYEAR = min(end.year + 1, clock.MAXYEAR)  # type: ignore[misc]
    try:
        answer: object = [
            [moment.isoformat() for moment in span] for span in _times(sys.stdin.buffer.read(), start, end)
        ]
    except CalendarBroken as broken:
        answer = broken.code
    except TooCostly:
        answer = _TOO_COSTLY
    json.dump(answer, sys.stdout)


def _times(content: bytes, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    try:
        calendars = icalendar.Calendar.from_ical(content, multiple=True)
    except _FAULTS:
        raise CalendarBroken from None
    if not calendars:
        raise CalendarBroken
    times: list[tuple[datetime, datetime]] = []
    steps = 0
    for calendar in calendars:
        if not isinstance(calendar, icalendar.Calendar):
            raise CalendarBroken
        zone = _zone_of(calendar)
        calendar.subcomponents = [part for part in calendar.subcomponents if not _lasts_days(part)]
        try:
            steps += sum(_steps(event, end) for event in calendar.walk("VEVENT"))
            if steps > MOST_STEPS:
                raise TooCostly
            for event in recurring_ical_events.of(calendar).between(start, end):
                if (taken := _taken(event, zone)) is not None:
                    times.append((max(taken[0], start), min(taken[1], end)))
        except _FAULTS:
            raise CalendarBroken from None
    if len(times) > MOST_EVENTS:
        raise TooCostly
    return _merged(span for span in times if span[0] < span[1])


def _lasts_days(part: icalendar.Component) -> bool:
    """Return whether an event lasts whole days, such as a birthday that recurs since 1604; these are
    skipped."""
    start = getattr(part.get("DTSTART"), "dt", None)
    return type(start) is date and "RECURRENCE-ID" not in part


def _steps(event: icalendar.Component, end: datetime) -> int:
    rules = event.get("RRULE", [])
    start = event.decoded("DTSTART")
    first = start.date() if isinstance(start, datetime) else start
    return 1 + sum(
        steps_of(rule, first, end.date()) for rule in (rules if isinstance(rules, list) else [rules])
    )


def _zone_of(calendar: icalendar.Calendar) -> ZoneInfo:
    """Return the time zone that applies to those times of the calendar that name none."""
    try:
        return ZoneInfo(str(calendar.get("X-WR-TIMEZONE", "UTC")))
    except (ValueError, LookupError, OSError):
        return ZoneInfo("UTC")


def _taken(event: icalendar.Event, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    free = str(event.get("TRANSP", "OPAQUE")).upper() == "TRANSPARENT"
    if free or str(event.get("STATUS", "")).upper() == "CANCELLED":
        return None
    start, end = event.decoded("DTSTART"), event.decoded("DTEND")
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        return None
    ends = [m if m.tzinfo else m.replace(tzinfo=zone) for m in (start, end)]
    return ends[0].astimezone(UTC), ends[1].astimezone(UTC)


def _merged(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    merged: list[tuple[datetime, datetime]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


if __name__ == "__main__":
    main()
