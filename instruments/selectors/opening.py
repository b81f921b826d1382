"""Opening hours as values."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from instruments.adapters.holiday_calendars import public_holidays
from instruments.domain.opening import Window, local_date, parse_hours, windows
from instruments.models import Instrument, Schedule

DAY = timedelta(days=1)


def load_windows(schedule: Schedule | None, since: datetime, until: datetime) -> list[Window]:
    """The unmerged windows of a schedule that may meet [since, until). No statement."""
    if schedule is None:
        return []
    zone = ZoneInfo(schedule.time_zone)
    return resolve(schedule, local_date(zone, since) - DAY, local_date(zone, until))


def resolve(schedule: Schedule, since: date, until: date) -> list[Window]:
    """The unmerged windows that open on local days from `since` to `until` (inclusive)."""
    holidays = public_holidays(schedule.holiday_calendar, range(since.year, until.year + 1))
    return windows(
        parse_hours(schedule.hours), ZoneInfo(schedule.time_zone), holidays, since, until
    )


def load_holidays(instrument: Instrument, since: date, until: date) -> frozenset[date]:
    """Public holidays of the instrument's region in the years of two dates."""
    return public_holidays(instrument.region.holiday_calendar, range(since.year, until.year + 1))
