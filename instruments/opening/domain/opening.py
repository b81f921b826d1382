"""Resolve opening hours, which are wall-clock rules of a time zone, to instants.

Rules: docs/availability.md, "Opening hours" and "Time". A wall-clock time that does not exist moves forward
by the gap; one that exists twice means the first for an opening and the second for a closing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from accounts.domain.errors import FieldProblem, Invalid, unknown_fields
from instruments.reading.domain.clock import DAY, clock, instant, read_clock

type Day = date  # where a field is called so

WEEK = 7 * DAY
MAX_RULES = 100
MAX_OVERRIDES = 800
MAX_DAYS = 366  # of one exception
LONGEST_REASON = 200


@dataclass(frozen=True, order=True)
class Window:
    """One open window: a half-open span [`opens_at`, `closes_at`) of instants."""

    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True)
class WeeklyRule:
    """A window on one ISO weekday. `opens` and `closes` are minutes of the wall clock; `closes <= opens`
    means the next day. The dates are local and inclusive."""

    weekday: int
    opens: int
    closes: int
    valid_from: date | None = None
    valid_until: date | None = None

    @property
    def length(self) -> int:
        """Return the length of the window in wall-clock minutes."""
        return self.closes - self.opens + (DAY if self.closes <= self.opens else 0)

    def holds_on(self, day: date) -> bool:
        return (
            day.isoweekday() == self.weekday
            and (self.valid_from is None or self.valid_from <= day)
            and (self.valid_until is None or day <= self.valid_until)
        )


@dataclass(frozen=True)
class Override:
    """The windows that replace all others on one date, or on each until another (inclusive); none of them:
    the days are closed. `reason`: why, as people read it."""

    date: date
    windows: tuple[tuple[int, int], ...]
    until: Day | None = None
    reason: str = ""

    @property
    def last(self) -> Day:
        """Return the last day on which it holds."""
        return self.until or self.date


@dataclass(frozen=True)
class OpeningHours:
    weekly: tuple[WeeklyRule, ...] = ()
    overrides: tuple[Override, ...] = ()
    observes_holidays: bool = False


def windows(
    hours: OpeningHours, zone: ZoneInfo, holidays: frozenset[date], since: date, until: date
) -> list[Window]:
    """Return the windows that open on the local days from `since` to `until` (inclusive), in order and
    unmerged. A window that a clock change leaves without length is omitted."""
    overrides = {
        first + timedelta(days=n): override.windows
        for override in hours.overrides
        if override.date <= until and override.last >= since
        for first in [max(override.date, since)]
        for n in range((min(override.last, until) - first).days + 1)
    }
    opened = []
    for offset in range((until - since).days + 1):
        day = since + timedelta(days=offset)
        if day in overrides:
            pieces = overrides[day]
        elif hours.observes_holidays and day in holidays:
            continue
        else:
            pieces = tuple((r.opens, r.closes) for r in hours.weekly if r.holds_on(day))
        for opens, closes in pieces:
            closing_day = day + timedelta(days=1) if closes <= opens else day
            window = Window(instant(zone, day, opens), instant(zone, closing_day, closes, closing=True))
            if window.closes_at > window.opens_at:
                opened.append(window)
    return sorted(opened)


def merged(pieces: Iterable[Window]) -> list[Window]:
    """Return windows of opening hours in order, joining those that touch or overlap."""
    result: list[Window] = []
    for window in sorted(pieces):
        if result and window.opens_at <= result[-1].closes_at:
            last = result[-1]
            result[-1] = Window(last.opens_at, max(last.closes_at, window.closes_at))
        else:
            result.append(window)
    return result


def open_minutes(pieces: Sequence[Window], since: datetime, until: datetime) -> int:
    """Count the open minutes of merged windows between two instants."""
    total = timedelta()
    for window in pieces:
        total += max(timedelta(), min(window.closes_at, until) - max(window.opens_at, since))
    return int(total.total_seconds() // 60)


def hours_to_json(hours: OpeningHours) -> dict[str, object]:
    """Return opening hours in the JSON of the API; `parse_hours` reads it back to an equal value."""
    weekly: list[dict[str, object]] = []
    for rule in hours.weekly:
        item: dict[str, object] = {
            "weekday": rule.weekday,
            "opens": clock(rule.opens),
            "closes": clock(rule.closes),
        }
        if rule.valid_from:
            item["valid_from"] = rule.valid_from.isoformat()
        if rule.valid_until:
            item["valid_until"] = rule.valid_until.isoformat()
        weekly.append(item)
    return {
        "weekly": weekly,
        "overrides": [
            {
                "date": override.date.isoformat(),
                "windows": [
                    {"opens": clock(opens), "closes": clock(closes)} for opens, closes in override.windows
                ],
            }
            | ({"until": override.until.isoformat()} if override.until else {})
            | ({"reason": override.reason} if override.reason else {})
            for override in hours.overrides
        ],
        "observes_holidays": hours.observes_holidays,
    }


def parse_hours(data: object) -> OpeningHours:
    """Read `{weekly: [...], overrides: [...], observes_holidays}`. `Invalid` names each wrong field."""
    reader = _Reader()
    hours = reader.hours(data)
    if reader.problems:
        raise Invalid(reader.problems)
    return hours


class _Reader:
    """A reader of the API's JSON that collects every problem instead of raising at the first."""

    def __init__(self) -> None:
        self.problems: list[FieldProblem] = []

    def wrong(self, field: str, code: str, **numbers: str | int) -> None:
        self.problems.append(FieldProblem(field, code, numbers))

    def hours(self, data: object) -> OpeningHours:
        if not isinstance(data, Mapping):
            self.wrong("", "not-an-object")
            return OpeningHours()
        self._known(data, "", {"weekly", "overrides", "observes_holidays"})
        rules = [
            rule
            for i, item in enumerate(self._list(data, "weekly", MAX_RULES))
            if (rule := self._rule(item, f"weekly[{i}]"))
        ]
        overrides = [
            override
            for i, item in enumerate(self._list(data, "overrides", MAX_OVERRIDES))
            if (override := self._override(item, f"overrides[{i}]"))
        ]
        observes = data.get("observes_holidays", False)
        if not isinstance(observes, bool):
            self.wrong("observes_holidays", "not-a-boolean")
            observes = False
        overrides.sort(key=lambda o: (o.date, o.last))
        twice: set[date] = set()
        last = date.min
        for override in overrides:
            if override.date <= last:
                twice.add(override.date)
            last = max(last, override.last)
        for day in sorted(twice):
            self.wrong("overrides", "date-twice", date=day.isoformat())
        if not self.problems:
            self._overlaps(rules)
        rules.sort(key=lambda r: (r.weekday, r.opens, r.valid_from or date.min))
        return OpeningHours(tuple(rules), tuple(overrides), observes)

    def _known(self, data: Mapping[str, object], at: str, known: set[str]) -> None:
        self.problems += unknown_fields(sorted(map(str, data)), known, at)

    def _list(self, data: Mapping[str, object], name: str, most: int, at: str = "") -> Sequence[object]:
        value = data.get(name, [])
        path = f"{at}.{name}" if at else name
        if not isinstance(value, list):
            self.wrong(path, "not-a-list")
            return []
        if len(value) > most:
            self.wrong(path, "too-many", most=most)
            return []
        return value

    def _clock(self, data: Mapping[str, object], name: str, at: str) -> int | None:
        minute = read_clock(data.get(name), is_end=name == "closes")
        if minute is None:
            self.wrong(f"{at}.{name}", "not-a-time")
        return minute

    def _date(self, value: object, at: str) -> date | None:
        try:
            if isinstance(value, str) and len(value) == 10:
                return date.fromisoformat(value)
        except ValueError:
            pass
        self.wrong(at, "not-a-date")
        return None

    def _rule(self, item: object, at: str) -> WeeklyRule | None:
        if not isinstance(item, Mapping):
            self.wrong(at, "not-an-object")
            return None
        self._known(item, at, {"weekday", "opens", "closes", "valid_from", "valid_until"})
        weekday = item.get("weekday")
        if type(weekday) is not int or not 1 <= weekday <= 7:
            self.wrong(f"{at}.weekday", "not-a-weekday")
            weekday = None
        opens, closes = self._clock(item, "opens", at), self._clock(item, "closes", at)
        bounds: dict[str, date | None] = {}
        for name in ("valid_from", "valid_until"):
            given = item.get(name)
            bounds[name] = None if given is None else self._date(given, f"{at}.{name}")
        first, last = bounds["valid_from"], bounds["valid_until"]
        if first and last and last < first:
            self.wrong(f"{at}.valid_until", "before-valid-from")
        if weekday is None or opens is None or closes is None:
            return None
        return WeeklyRule(weekday, opens, closes, first, last)

    def _override(self, item: object, at: str) -> Override | None:
        if not isinstance(item, Mapping):
            self.wrong(at, "not-an-object")
            return None
        self._known(item, at, {"date", "until", "windows", "reason"})
        day = self._date(item.get("date"), f"{at}.date")
        until = None if item.get("until") is None else self._date(item["until"], f"{at}.until")
        if day and until and until < day:
            self.wrong(f"{at}.until", "before-valid-from")
        if day and until and (until - day).days >= MAX_DAYS:
            self.wrong(f"{at}.until", "exception-too-long", most=MAX_DAYS)
        reason = item.get("reason", "")
        if not isinstance(reason, str) or len(reason.strip()) > LONGEST_REASON:
            self.wrong(f"{at}.reason", "too-long", most=LONGEST_REASON)
            reason = ""
        pieces: list[tuple[int, int]] = []
        for i, piece in enumerate(self._list(item, "windows", MAX_RULES, at)):
            where = f"{at}.windows[{i}]"
            if not isinstance(piece, Mapping):
                self.wrong(where, "not-an-object")
                continue
            self._known(piece, where, {"opens", "closes"})
            opens, closes = self._clock(piece, "opens", where), self._clock(piece, "closes", where)
            if opens is not None and closes is not None:
                pieces.append((opens, closes))
        pieces.sort()
        ends = [(o, c + DAY if c <= o else c) for o, c in pieces]
        if any(before[1] > after[0] for before, after in pairwise(ends)):
            self.wrong(f"{at}.windows", "windows-overlap")
        if not day:
            return None
        return Override(day, tuple(pieces), until if until and until > day else None, reason.strip())

    def _overlaps(self, rules: list[WeeklyRule]) -> None:
        for i, one in enumerate(rules):
            for j in range(i + 1, len(rules)):
                if _meet(one, rules[j]):
                    self.wrong(f"weekly[{j}]", "windows-overlap", other=i)


def _meet(one: WeeklyRule, other: WeeklyRule) -> bool:
    """Say whether two weekly rules of opening hours are ever open at the same time."""
    latest_start = max(one.valid_from or date.min, other.valid_from or date.min)
    earliest_end = min(one.valid_until or date.max, other.valid_until or date.max)
    if latest_start > earliest_end:
        return False
    start = (one.weekday - 1) * DAY + one.opens
    other_start = (other.weekday - 1) * DAY + other.opens
    return (other_start - start) % WEEK < one.length or (start - other_start) % WEEK < other.length
