"""Recurring bookings: a rule in the instrument's time zone, and the periods that follow from it.

Rules: docs/availability.md, "Recurrence". A rule is an RRULE (RFC 5545) with DAILY, WEEKLY or MONTHLY, and
COUNT or UNTIL. It is read in the wall clock of the instrument: weekly 09:00 stays 09:00 across clock changes.
A time that a change skips moves forward by the gap; one that occurs twice is the first. The dates are those
from the start on that fit the rule; a start that does not fit it is not among them.
"""

import re
from calendar import monthrange
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from dateutil import rrule

from accounts.domain.errors import Invalid, invalid
from bookings.record.domain.periods import Period

MOST = 200  # occurrences
# Beyond any horizon that a policy may have; 200 weekly occurrences fit.
MOST_DAYS = 1461

FREQUENCIES = {"DAILY": rrule.DAILY, "WEEKLY": rrule.WEEKLY, "MONTHLY": rrule.MONTHLY}
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
PARTS = ("FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "COUNT", "UNTIL")
_DAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_MONTH_DAY = re.compile(r"[+-]?(?:0?[1-9]|[12]\d|3[01])", re.ASCII)
_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z)?)?", re.ASCII)

# The scopes of an edit.
THIS, FOLLOWING, ALL = SCOPES = ("this", "following", "all")


@dataclass(frozen=True)
class Rule:
    """A rule by which a booking recurs.

    weekdays: (which one of the month, weekday from 0 for Monday); 0 for every one of them. until: inclusive;
    a date, a time of the instrument's wall clock, or an aware instant.
    """

    frequency: str
    interval: int = 1
    weekdays: tuple[tuple[int, int], ...] = ()
    month_days: tuple[int, ...] = ()
    count: int | None = None
    until: date | datetime | None = None

    @property
    def text(self) -> str:
        """Return the rule as RFC 5545 writes it; `parse_rule` reads it back to an equal value."""
        parts = [f"FREQ={self.frequency}"]
        if self.interval != 1:
            parts.append(f"INTERVAL={self.interval}")
        if self.weekdays:
            days = ",".join(f"{n or ''}{WEEKDAYS[day]}" for n, day in self.weekdays)
            parts.append(f"BYDAY={days}")
        if self.month_days:
            parts.append(f"BYMONTHDAY={','.join(str(day) for day in self.month_days)}")
        if self.count is not None:
            parts.append(f"COUNT={self.count}")
        if self.until is not None:
            parts.append(f"UNTIL={_until_text(self.until)}")
        return ";".join(parts)


def _until_text(until: date | datetime) -> str:
    if not isinstance(until, datetime):
        return f"{until:%Y%m%d}"
    return f"{until:%Y%m%dT%H%M%S}{'Z' if until.tzinfo else ''}"


def parse_rule(text: str, field: str = "rule") -> Rule:
    """Return the rule of a text such as `FREQ=WEEKLY;BYDAY=MO,WE;COUNT=10`, with or without `RRULE:` before
    it.

    Raises `Invalid` for `field`: `rule-malformed`, `rule-unsupported` (the part), `rule-without-end`,
    `rule-ends-twice`, `too-many`.
    """
    parts = _parts(text, field)
    frequency = parts["FREQ"]
    if frequency not in FREQUENCIES:
        raise invalid(field, "rule-unsupported", part=f"FREQ={frequency}"[:40])
    rule = Rule(
        frequency,
        _number(parts, "INTERVAL", 366, field) or 1,
        _weekdays(parts, frequency, field),
        _month_days(parts, frequency, field),
        _number(parts, "COUNT", None, field),
        _until(parts, field),
    )
    if rule.count is None and rule.until is None:
        raise invalid(field, "rule-without-end")
    if rule.count is not None and rule.until is not None:
        raise invalid(field, "rule-ends-twice")
    if rule.count is not None and rule.count > MOST:
        raise invalid(field, "too-many", most=MOST)
    return rule


def _malformed(field: str, part: str) -> Invalid:
    return invalid(field, "rule-malformed", part=part[:40])


def _parts(text: str, field: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").rstrip(";").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value or name in parts:
            raise _malformed(field, part)
        if name not in PARTS:
            raise invalid(field, "rule-unsupported", part=name[:40])
        parts[name] = value
    if "FREQ" not in parts:
        raise _malformed(field, text)
    return parts


def _number(parts: dict[str, str], name: str, most: int | None, field: str) -> int | None:
    if name not in parts:
        return None
    value = parts[name]
    if not re.fullmatch(r"\d{1,9}", value, re.ASCII) or int(value) < 1:
        raise _malformed(field, f"{name}={value}")
    if most is not None and int(value) > most:
        raise invalid(field, "out-of-range", least=1, most=most)
    return int(value)


def _weekdays(parts: dict[str, str], frequency: str, field: str) -> tuple[tuple[int, int], ...]:
    items: list[tuple[int, int]] = []
    for item in parts["BYDAY"].split(",") if "BYDAY" in parts else ():
        match = _DAY.fullmatch(item)
        if match is None:
            raise _malformed(field, f"BYDAY={item}")
        if match[1] and frequency != "MONTHLY":
            raise invalid(field, "rule-unsupported", part=f"BYDAY={item}")
        items.append((int(match[1] or 0), WEEKDAYS.index(match[2])))
    return tuple(dict.fromkeys(items))


def _month_days(parts: dict[str, str], frequency: str, field: str) -> tuple[int, ...]:
    items: list[int] = []
    for item in parts["BYMONTHDAY"].split(",") if "BYMONTHDAY" in parts else ():
        if not _MONTH_DAY.fullmatch(item):
            raise _malformed(field, f"BYMONTHDAY={item}")
        if frequency == "WEEKLY":  # RFC 5545 has no such rule
            raise invalid(field, "rule-unsupported", part="BYMONTHDAY")
        items.append(int(item))
    return tuple(dict.fromkeys(items))


def _until(parts: dict[str, str], field: str) -> date | datetime | None:
    if "UNTIL" not in parts:
        return None
    match = _UNTIL.fullmatch(parts["UNTIL"])
    try:
        if match is None:
            raise ValueError
        if match[2] is None:
            return datetime.strptime(match[1], "%Y%m%d").replace(tzinfo=UTC).date()
        moment = datetime.strptime(match[1] + match[2], "%Y%m%d%H%M%S")  # noqa: DTZ007
    except ValueError:
        raise _malformed(field, f"UNTIL={parts['UNTIL']}") from None
    return moment.replace(tzinfo=UTC) if match[3] else moment


def wall_of(zone: ZoneInfo, moment: datetime) -> datetime:
    """Return the wall-clock time of an instant in a zone, as a naive datetime."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def instant_of(zone: ZoneInfo, wall: datetime) -> datetime:
    """Return the UTC instant of a wall-clock time: one that a clock change skips moves forward by the gap,
    one that occurs twice is the first."""
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def wall_times(rule: Rule, start: datetime, zone: ZoneInfo, field: str = "rule") -> list[datetime]:
    """Return the wall-clock times of a rule from `start` (wall clock too) on, in order.

    Raises `Invalid`: `too-many` beyond 200, `span-too-long` beyond four years, `rule-empty` if there are
    none.
    """
    items: list[datetime] = []
    last: datetime | None = None
    for wall in _candidates(rule, start):
        moment = instant_of(zone, wall)
        if _is_over(rule.until, wall, moment):
            break
        if moment == last:  # the zone skipped a whole day
            continue
        items.append(wall)
        last = moment
        if len(items) > MOST:
            raise invalid(field, "too-many", most=MOST)
        if len(items) == rule.count:
            break
    else:
        end = start + timedelta(days=MOST_DAYS)
        if rule.count is not None or not _is_over(rule.until, end, instant_of(zone, end)):
            raise invalid(field, "span-too-long", days=MOST_DAYS)
    if not items:
        raise invalid(field, "rule-empty")
    return items


def _candidates(rule: Rule, start: datetime) -> Iterator[datetime]:
    """Yield the times that fit the rule within four years. For a rule that never fits (a fifth Monday on the
    first) the library would search until the year 9999, so it only yields every day that the frequency
    reaches, and this function filters them."""
    every = [rrule.weekday(day, n or None) for n, day in rule.weekdays]
    is_daily = rule.frequency == "DAILY"
    for wall in rrule.rrule(
        FREQUENCIES[rule.frequency],
        dtstart=start,
        interval=rule.interval,
        byweekday=None if is_daily else every or None,
        bymonthday=range(1, 32) if rule.month_days and not (is_daily or every) else None,
        until=start + timedelta(days=MOST_DAYS),
    ):
        weekdays = {day for _n, day in rule.weekdays} if is_daily else ()
        if (not weekdays or wall.weekday() in weekdays) and _fits(wall, rule.month_days):
            yield wall.replace(microsecond=start.microsecond)  # which the library drops


def _fits(wall: datetime, month_days: Sequence[int]) -> bool:
    last = monthrange(wall.year, wall.month)[1]
    return not month_days or wall.day in month_days or wall.day - last - 1 in month_days


def _is_over(until: date | datetime | None, wall: datetime, moment: datetime) -> bool:
    if until is None:
        return False
    if not isinstance(until, datetime):
        return wall.date() > until
    return moment > until if until.tzinfo else wall > until


def occurrences(rule: Rule, start: datetime, zone: ZoneInfo, minutes: int) -> list[Period]:
    """Return the periods of a rule from a wall-clock start on, each `minutes` of elapsed time long. Raises
    what `wall_times` raises."""
    return [
        Period(moment, moment + timedelta(minutes=minutes))
        for moment in (instant_of(zone, wall) for wall in wall_times(rule, start, zone))
    ]


# Editing


@dataclass(frozen=True)
class Standing:
    """A booking of a series as the rules for editing see it: the time from the rule, its present time, its
    state."""

    id: Hashable
    occurrence_at: datetime
    start: datetime
    state: str

    def is_open(self, now: datetime) -> bool:
        """Say whether the booking can still be changed: those that have begun or ended are never touched."""
        return self.state in {"requested", "confirmed"} and self.start > now


def chosen(standings: Sequence[Standing], scope: str, this: Hashable, now: datetime) -> list[Standing]:
    """Return the bookings in the scope of an edit, in the order of the rule: `following` is this one and
    those after it by the rule, `all` every one that has not begun."""
    if scope == THIS:
        return [standing for standing in standings if standing.id == this]
    since = next((s.occurrence_at for s in standings if s.id == this), None)
    return sorted(
        (
            standing
            for standing in standings
            if standing.is_open(now)
            and (scope == ALL or (since is not None and standing.occurrence_at >= since))
        ),
        key=lambda s: s.occurrence_at,
    )


def shifted_rule(rule: Rule, walls: Sequence[datetime], by: timedelta, zone: ZoneInfo) -> Rule | None:
    """Return the rule that gives these times of an old rule, all of them later by `by`; None if no rule does,
    as when the 31st of each month becomes the day after."""
    moved = [wall + by for wall in walls]
    days = (moved[0].date() - walls[0].date()).days
    candidate = replace(rule, count=len(moved), until=None)
    if days:
        candidate = replace(
            candidate,
            weekdays=tuple((n, (day + days) % 7) for n, day in rule.weekdays),
            month_days=tuple(day + days for day in rule.month_days),
        )
        if any(not 1 <= abs(day) <= 31 for day in candidate.month_days):
            return None
    try:
        return candidate if wall_times(candidate, moved[0], zone) == moved else None
    except Invalid:
        return None
