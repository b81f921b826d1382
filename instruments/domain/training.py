"""Courses: what may be said of them, whose turn it is, how long a certificate lasts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol
from uuid import UUID

from dateutil.relativedelta import relativedelta

from accounts.domain.errors import FieldProblem, Invalid

MOST_MONTHS = 240
MOST_PLACES = 500
MOST_NAMED = 20  # trainers of a session, prerequisites of a course
LONGEST_NAME, LONGEST_TEXT = 200, 4000
LONGEST_SESSION = timedelta(days=31)
FARTHEST = timedelta(days=2 * 366)
RESULTS = ("passed", "failed", "absent")
# Days before the last day of a certificate on which its holder is reminded, the nearest first.
REMIND_DAYS = (7, 30)


@dataclass(frozen=True)
class CourseTerms:
    """What a course is. `months` None: its certificates have no end."""

    name: str
    places: int
    months: int | None = None
    name_zh: str = ""
    description: str = ""
    description_zh: str = ""
    prerequisites: tuple[UUID, ...] = ()

    def check(self) -> None:
        """`Invalid` for every field that does not fit."""
        problems = []
        if not self.name.strip():
            problems.append(FieldProblem("name", "required"))
        for name in ("name", "name_zh"):
            if len(getattr(self, name)) > LONGEST_NAME:
                problems.append(FieldProblem(name, "too-long", {"most": LONGEST_NAME}))
        for name in ("description", "description_zh"):
            if len(getattr(self, name)) > LONGEST_TEXT:
                problems.append(FieldProblem(name, "too-long", {"most": LONGEST_TEXT}))
        if self.months is not None and not 1 <= self.months <= MOST_MONTHS:
            problems.append(_range("months", MOST_MONTHS))
        if not 1 <= self.places <= MOST_PLACES:
            problems.append(_range("places", MOST_PLACES))
        if len(self.prerequisites) > MOST_NAMED:
            problems.append(FieldProblem("prerequisites", "too-many", {"most": MOST_NAMED}))
        if problems:
            raise Invalid(problems)


@dataclass(frozen=True)
class SessionTerms:
    """When and where a course is given, by whom, for how many. `deadline`: until when one may ask
    for a place; trainers: ids of people."""

    start: datetime
    end: datetime
    deadline: datetime
    places: int
    location: str = ""
    trainers: tuple[UUID, ...] = field(default=())

    def check(self, now: datetime, *, is_new: bool) -> None:
        """`Invalid` for every field that does not fit. One that is `is_new` lies ahead."""
        problems = []
        if is_new and self.start <= now:
            problems.append(FieldProblem("start", "in-the-past"))
        if self.start - now > FARTHEST:
            problems.append(FieldProblem("start", "span-too-long", {"days": FARTHEST.days}))
        if self.end <= self.start:
            problems.append(FieldProblem("end", "not-after-start"))
        elif self.end - self.start > LONGEST_SESSION:
            problems.append(FieldProblem("end", "span-too-long", {"days": LONGEST_SESSION.days}))
        if self.deadline > self.start:
            problems.append(FieldProblem("deadline", "after-start"))
        if not 1 <= self.places <= MOST_PLACES:
            problems.append(_range("places", MOST_PLACES))
        if len(self.location) > LONGEST_NAME:
            problems.append(FieldProblem("location", "too-long", {"most": LONGEST_NAME}))
        if len(self.trainers) > MOST_NAMED:
            problems.append(FieldProblem("trainers", "too-many", {"most": MOST_NAMED}))
        if problems:
            raise Invalid(problems)


def _range(name: str, most: int) -> FieldProblem:
    return FieldProblem(name, "out-of-range", {"least": 1, "most": most})


class InLine(Protocol):
    """What the order asks of somebody who waits."""

    id: UUID
    asked_at: datetime


def moving_up[W: InLine](waiting: Iterable[W], free: int) -> list[W]:
    """Who of those who wait is given the free places: whoever asked first, then by id."""
    line = sorted(waiting, key=lambda each: (each.asked_at, each.id))
    return line[: max(0, free)]


def last_day(first: date, months: int | None) -> date | None:
    """The last day of a certificate given on `first` for some months: the day before the same
    day of the month, or where that month has none, before its last. None: without end."""
    if months is None:
        return None
    following: date = first + relativedelta(months=months)
    return following - timedelta(days=1)


def reminder_due(valid_until: date, today: date) -> int | None:
    """Which step of `REMIND_DAYS` a certificate has come to; None: none yet, or it is over."""
    left = (valid_until - today).days
    return next((step for step in REMIND_DAYS if 0 <= left <= step), None)
