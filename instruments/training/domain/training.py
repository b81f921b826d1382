"""Define certificates, and the courses that end in one."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from accounts.domain.errors import FieldProblem, Invalid
from instruments.reading.domain.clock import day_span, local_date

type Span = tuple[datetime, datetime]

# The end of a certificate without end.
OPEN_END = datetime(9000, 1, 1, tzinfo=UTC)
# The range of days that a certificate may have.
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2100, 12, 31)
# With this word a policy requires a certificate for the instrument itself, else it names a technique's code.
THIS_INSTRUMENT = "instrument"


@dataclass(frozen=True)
class Certificate:
    """A certificate that is valid on the local days from `valid_from` to `valid_until` (None: without end),
    both inclusive, or until it is revoked."""

    valid_from: date
    valid_until: date | None = None
    revoked_at: datetime | None = None

    def state(self, zone: ZoneInfo, now: datetime) -> str:
        """Return the state of the certificate at a moment: `coming`, `valid`, `expired` or `revoked`. A
        revoked certificate stays revoked."""
        if self.revoked_at is not None and self.revoked_at <= now:
            return "revoked"
        today = local_date(zone, now)
        if today < self.valid_from:
            return "coming"
        return "expired" if self.valid_until is not None and self.valid_until < today else "valid"


def is_replaced(old: Certificate, new: Certificate, today: date) -> bool:
    """Say whether another certificate for the same thing takes the place of an old one: it has begun, no
    later than the day after the old one ends, and it lasts longer. Neither may be revoked."""
    if old.valid_until is None or old.revoked_at is not None or new.revoked_at is not None:
        return False
    lasts_longer = new.valid_until is None or new.valid_until > old.valid_until
    return lasts_longer and new.valid_from <= min(today, old.valid_until + timedelta(days=1))


def within(certificate: Certificate, first: date, until: date | None) -> Certificate | None:
    """Return the certificate limited to the days [`first`, `until`); None if it is valid on none of them."""
    last = certificate.valid_until
    if until is not None:
        before = until - timedelta(days=1)
        last = before if last is None else min(last, before)
    start = max(certificate.valid_from, first)
    if last is not None and last < start:
        return None
    return replace(certificate, valid_from=start, valid_until=last)


def counts_for(needed: str, *, is_of_instrument: bool, technique: str | None) -> bool:
    """Say whether a certificate meets a policy's requirement `needed`: one for the instrument itself always
    does, one for a technique if that technique is required."""
    if not needed:
        return False
    return is_of_instrument or (technique is not None and technique == needed)


def valid_spans(certificates: Iterable[Certificate], zone: ZoneInfo) -> list[Span]:
    """Return the half-open spans in which at least one certificate is valid, in order; adjacent spans are
    joined."""
    spans: list[Span] = []
    for start, end in sorted(_span(certificate, zone) for certificate in certificates):
        if end <= start:  # revoked before it began
            continue
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return spans


def _span(certificate: Certificate, zone: ZoneInfo) -> Span:
    start = day_span(zone, certificate.valid_from)[0]
    until = certificate.valid_until
    end = OPEN_END if until is None or until > LAST_DAY else day_span(zone, until)[1]
    revoked = certificate.revoked_at
    return start, end if revoked is None else min(end, revoked)


MOST_MONTHS = 240
MOST_PLACES = 500
MOST_AT_ONCE = 50  # people certified or enrolled by one form
MOST_NAMED = 20  # most trainers of a session, or prerequisites of a course
LONGEST_NAME, LONGEST_TEXT = 200, 4000
LONGEST_SESSION = timedelta(days=31)
FARTHEST = timedelta(days=2 * 366)
RESULTS = ("passed", "failed", "absent")
INSTEAD = ("failed", "absent")  # what may take the place of `passed`
ATTENDED = frozenset({"passed", "failed"})
# How long after the end of a session a place in it is charged at the latest.
CHARGED_WITHIN = timedelta(days=60)
# How many days before the end of a certificate its holder is reminded, the shortest first.
REMIND_DAYS = (7, 30)


@dataclass(frozen=True)
class CourseTerms:
    """The terms of a course. Without `months` its certificates do not expire."""

    name: str
    places: int
    months: int | None = None
    name_zh: str = ""
    description: str = ""
    description_zh: str = ""
    prerequisites: tuple[UUID, ...] = ()

    def check(self) -> None:
        """Raise `Invalid` with every field of the course's terms that is wrong."""
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
    """The time, place, trainers and size of a session. `deadline`: the last moment to ask for a place;
    instrument: the id of the one that it occupies; trainers: ids of people."""

    start: datetime
    end: datetime
    deadline: datetime
    places: int
    location: str = ""
    instrument: UUID | None = None
    trainers: tuple[UUID, ...] = field(default=())

    def check(self, now: datetime, *, is_new: bool) -> None:
        """Raise `Invalid` with every field of the session's terms that is wrong. With `is_new` the start must
        be in the future."""
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
    """A person who waits, with what their place in line depends on."""

    id: UUID
    asked_at: datetime


def moving_up[W: InLine](waiting: Iterable[W], free: int) -> list[W]:
    """Return the people in line who get the free places: those who asked first, then by id."""
    line = sorted(waiting, key=lambda each: (each.asked_at, each.id))
    return line[: max(0, free)]


def last_day(first: date, months: int | None) -> date | None:
    """Return the last day of a certificate given on `first` for a number of months: the day before the same
    day of the month, or before the month's last day if it has no such day. None: without end."""
    if months is None:
        return None
    following: date = first + relativedelta(months=months)
    return following - timedelta(days=1)


def reminder_due(valid_until: date, today: date) -> int | None:
    """Return the step of `REMIND_DAYS` (days left) that a certificate has reached; None if it has reached
    none yet or has ended."""
    left = (valid_until - today).days
    return next((step for step in REMIND_DAYS if 0 <= left <= step), None)
