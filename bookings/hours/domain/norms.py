"""Norm hours: how many effective hours a year are expected of an instrument.

Parameters are dated, per scheme and kind of instrument: those of a new year leave the figures of the old one
as they were. An instrument's own norm replaces that of its kind.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from accounts.domain.errors import invalid

USUAL_SCHEME = "nrii"
KINDS = ("general", "dedicated")
# The norms in force until somebody enters others: the management rules of the national network, and the
# expectation of the national survey.
FIRST: Mapping[str, Mapping[str, int]] = {
    "nrii": {"general": 1400, "dedicated": 800},
    "survey": {"general": 1600, "dedicated": 1600},
}
MOST_HOURS = 8784  # hours of a leap year


@dataclass(frozen=True, order=True)
class Norm:
    """A norm of `hours` a year from the day `valid_from` on."""

    valid_from: date
    hours: int


type Norms = Mapping[str, Sequence[Norm]]  # by kind, in the order of their days


def norms_of(scheme: str, entered: Iterable[tuple[str, date, int]]) -> Norms:
    """Return the norms of a scheme by kind: the initial ones, and those entered (kind, valid from, hours)."""
    by_kind = {kind: [Norm(date.min, hours)] for kind, hours in FIRST[scheme].items()}
    for kind, valid_from, hours in entered:
        by_kind[kind].append(Norm(valid_from, hours))
    return {kind: sorted(norms) for kind, norms in by_kind.items()}


def check_norm(*, scheme: str, kind: str, hours: int, valid_from: date, today: date) -> None:
    """Raise `Invalid` unless a norm may be entered. It cannot begin in a year that is over, so that reported
    figures stay."""
    if scheme not in FIRST:
        raise invalid("scheme", "unknown-choice", allowed=", ".join(FIRST))
    if kind not in KINDS:
        raise invalid("kind", "unknown-choice", allowed=", ".join(KINDS))
    if not 1 <= hours <= MOST_HOURS:
        raise invalid("hours", "out-of-range", least=1, most=MOST_HOURS)
    if valid_from < date(today.year, 1, 1):
        raise invalid("valid_from", "norm-of-a-past-year", year=today.year)


@dataclass(frozen=True)
class Offered:
    """The number of units on offer on each of the local days [since, until), all of which are over. `norm`
    says which norm applies: a kind, or the instrument's own hours a year as digits."""

    norm: str
    units: int
    since: date
    until: date


def norm_minutes(
    offered: Iterable[Offered], norms: Norms, since: date = date.min, until: date = date.max
) -> int:
    """Return the norm of what was on offer on the local days [since, until) in minutes, rounded half up: the
    norm hours a year times days on offer / days of the year. Days before an instrument was in service, after
    it was retired, and days that are not over do not count (docs/statistics.md)."""
    total = Fraction(0)
    for span in offered:
        steps = [Norm(date.min, int(span.norm))] if span.norm.isdigit() else norms[span.norm]
        for step in norm_steps(steps, max(since, span.since), min(until, span.until)):
            number = span.units * (step.until - step.since).days
            total += Fraction(number * step.hours * 60, step.days)
    return int(total + Fraction(1, 2))


def norm_share(effective: int, norm: int) -> Fraction | None:
    """Return effective minutes / norm minutes, which may exceed 1; None without a norm."""
    return Fraction(effective, norm) if norm else None


@dataclass(frozen=True)
class NormStep:
    """Days [since, until) of one year of `days` days, on all of which the norm is this many hours a year."""

    since: date
    until: date
    hours: int
    days: int


def norm_steps(norms: Sequence[Norm], since: date, until: date) -> Iterator[NormStep]:
    """Yield the steps of norms that the days [since, until) fall into, in order."""
    for norm, following in zip(norms, [*norms[1:], None], strict=True):
        began = max(since, norm.valid_from)
        ended = min(until, following.valid_from) if following else until
        while began < ended:
            following_year = date(began.year + 1, 1, 1)
            last = min(ended, following_year)
            days = (following_year - date(began.year, 1, 1)).days
            yield NormStep(began, last, norm.hours, days)
            began = last
