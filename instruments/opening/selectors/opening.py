"""Read schedules as values: windows of opening hours, and public holidays."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from instruments.opening.adapters.holiday_calendars import holiday_names, public_holidays
from instruments.opening.domain.opening import OpeningHours, Window, parse_hours, windows
from instruments.opening.models import Schedule
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument

DAY = timedelta(days=1)
# Resolved spans cached in this process: some hundred schedules, a few spans each.
KEPT = 2048
LONGEST_KEPT = 100 * DAY


@dataclass(frozen=True)
class _Content:
    """A schedule as a cache key: only its digest is compared, and its hours are parsed only if they are not
    cached yet."""

    digest: str
    schedule: Schedule = field(compare=False)


def load_windows(schedule: Schedule | None, since: datetime, until: datetime) -> list[Window]:
    """Return the unmerged windows of a schedule that may overlap [since, until). No statement."""
    if schedule is None:
        return []
    zone = ZoneInfo(schedule.time_zone)
    first, last = local_date(zone, since) - DAY, local_date(zone, until)
    if last - first > LONGEST_KEPT:
        return resolve(schedule, first, last)
    return list(_kept(_content(schedule), first, last))


def resolve(schedule: Schedule, since: date, until: date) -> list[Window]:
    """Return the unmerged windows of a schedule that open on local days from `since` to `until`
    (inclusive)."""
    return _resolve(_content(schedule), since, until)


def _content(schedule: Schedule) -> _Content:
    return _Content(schedule.digest, schedule)


def _resolve(content: _Content, since: date, until: date) -> list[Window]:
    schedule = content.schedule
    holidays = public_holidays(schedule.holiday_calendar, range(since.year, until.year + 1))
    return windows(_hours(content), ZoneInfo(schedule.time_zone), holidays, since, until)


@lru_cache(maxsize=KEPT)
def _kept(content: _Content, since: date, until: date) -> tuple[Window, ...]:
    return tuple(_resolve(content, since, until))


@lru_cache(maxsize=KEPT)
def _hours(content: _Content) -> OpeningHours:
    return parse_hours(content.schedule.hours)


def load_holidays(instrument: Instrument, since: date, until: date) -> frozenset[date]:
    """Return the public holidays of the instrument's region in all years from that of `since` to that of
    `until`."""
    return public_holidays(instrument.region.holiday_calendar, range(since.year, until.year + 1))


def load_holiday_names(instrument: Instrument, since: date, until: date, language: str) -> dict[date, str]:
    """Return the public holidays of the instrument's region from `since` to `until` (inclusive), with
    names."""
    years = range(since.year, until.year + 1)
    names = holiday_names(instrument.region.holiday_calendar, years, language)
    return {day: name for day, name in sorted(names.items()) if since <= day <= until}
