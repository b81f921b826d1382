"""Convert wall-clock times and local days of a time zone to instants."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = 1440
_CLOCK = re.compile(r"(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")


def instant(zone: ZoneInfo, day: date, minute: int, *, closing: bool = False) -> datetime:
    """Return the UTC instant of a wall-clock minute (0 to 1440) of a local day. If the clock shows it twice,
    the first one counts, with `closing` the second."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    first = wall.replace(tzinfo=zone)
    if closing:
        second = wall.replace(tzinfo=zone, fold=1)
        # In a gap the offset grows: fold 0 reads the old offset, which moves the time forward.
        is_twice = (first.utcoffset() or timedelta()) > (second.utcoffset() or timedelta())
        return (second if is_twice else first).astimezone(UTC)
    return first.astimezone(UTC)


def local_date(zone: ZoneInfo, moment: datetime) -> date:
    return moment.astimezone(zone).date()


def day_span(zone: ZoneInfo, day: date) -> tuple[datetime, datetime]:
    """Return the instants [start, end) of a local day; each day begins when the one before ends."""
    return instant(zone, day, 0), instant(zone, day + timedelta(days=1), 0)


def clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def read_clock(given: object, *, is_end: bool = False) -> int | None:
    """Read `08:30` as minutes of the day; with `is_end` also `24:00`. Return None for anything else."""
    match = _CLOCK.fullmatch(given) if isinstance(given, str) else None
    if match is None or (given == "24:00" and not is_end):
        return None
    return DAY if given == "24:00" else int(match[1]) * 60 + int(match[2])
