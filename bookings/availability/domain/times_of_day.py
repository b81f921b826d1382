"""The times of day at which somebody wants a booking, by the instrument's wall clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from accounts.domain.errors import invalid
from bookings.record.domain.periods import Period

DAY = 24 * 60  # minutes


@dataclass(frozen=True)
class TimesOfDay:
    """A booking must begin at `since` or later and end by `until`, and begin on one of the weekdays (ISO). If
    `until` is not after `since`, it is on the next day: 22:00 to 06:00."""

    since: time = time(0)
    until: time = time(0)
    weekdays: frozenset[int] = frozenset(range(1, 8))

    @property
    def minutes(self) -> int:
        """Return how long a booking within these times may be, in minutes."""
        hours, minutes = self.until.hour - self.since.hour, self.until.minute - self.since.minute
        return (60 * hours + minutes) % DAY or DAY

    def admits(self, period: Period, zone: ZoneInfo) -> bool:
        """Return whether a period lies within these times of a local day."""
        start, end = (moment.astimezone(zone) for moment in (period.start, period.end))
        day = start.date()
        if self.until <= self.since and start.time() < self.since:
            day -= timedelta(days=1)  # past midnight the times of the evening before apply
        overnight = timedelta(days=self.until <= self.since)
        opens = datetime.combine(day, self.since)
        closes = datetime.combine(day + overnight, self.until)
        return (
            day.isoweekday() in self.weekdays
            and opens <= start.replace(tzinfo=None)
            and end.replace(tzinfo=None) <= closes
        )

    def among(self, starts: Iterable[datetime], minutes: int, zone: ZoneInfo) -> list[datetime]:
        """Return the starts from which a booking of `minutes` lies within these times."""
        length = timedelta(minutes=minutes)
        return [start for start in starts if self.admits(Period(start, start + length), zone)]


# What is suggested first to whoever names no times.
USUAL = TimesOfDay(time(8), time(18), frozenset(range(1, 6)))


def times_of_day(since: time | None, until: time | None, minutes: Iterable[int]) -> TimesOfDay | None:
    """Return the times that were given; None if none were. Raise `Invalid` if a booking of one of the lengths
    cannot lie within them."""
    if since is None and until is None:
        return None
    times = TimesOfDay(since or time(0), until or time(0))
    if max(minutes, default=0) > times.minutes:
        raise invalid("hours_until", "longer-than-window")
    return times


def usual_among(starts: Iterable[datetime], minutes: int, zone: ZoneInfo) -> list[datetime]:
    """Return the starts of bookings within usual working hours; for lengths over a working day, those that
    begin in them."""
    return USUAL.among(starts, minutes if minutes <= USUAL.minutes else 1, zone)


def preferred_first(
    starts: Iterable[datetime], minutes: int, zone: ZoneInfo, times: TimesOfDay | None
) -> list[datetime]:
    """Return starts in the order in which to suggest them: only those within the given times; if no times are
    given, those in usual working hours before all others."""
    if times is not None:
        return times.among(starts, minutes, zone)
    starts = list(starts)
    usual = set(usual_among(starts, minutes, zone))
    return sorted(starts, key=lambda start: (start not in usual, start))
