"""Norm hours: how many effective hours a year are expected of an instrument.

Parameters are dated, per scheme and kind of instrument: those of a new year leave the figures of
the old one as they were. An instrument's own figure stands in place of that of its kind.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from accounts.domain.errors import invalid

USUAL_SCHEME = "nrii"
KINDS = ("general", "dedicated")
# What holds until somebody enters another: management rules of the national network, and the
# expectation of the national survey.
FIRST: Mapping[str, Mapping[str, int]] = {
    "nrii": {"general": 1400, "dedicated": 800},
    "survey": {"general": 1600, "dedicated": 1600},
}
MOST_HOURS = 8784  # of a leap year


@dataclass(frozen=True, order=True)
class Norm:
    """`hours` a year from the day `valid_from` on."""

    valid_from: date
    hours: int


type Norms = Mapping[str, Sequence[Norm]]  # by kind, in the order of their days


def norms_of(scheme: str, entered: Iterable[tuple[str, date, int]]) -> Norms:
    """The norms of a scheme by kind: the first ones, and those entered (kind, from, hours)."""
    by_kind = {kind: [Norm(date.min, hours)] for kind, hours in FIRST[scheme].items()}
    for kind, valid_from, hours in entered:
        by_kind[kind].append(Norm(valid_from, hours))
    return {kind: sorted(norms) for kind, norms in by_kind.items()}


def check_norm(*, scheme: str, kind: str, hours: int, valid_from: date, today: date) -> None:
    """`Invalid` unless a norm may be entered. It begins with a year that is not over: what was
    reported stays."""
    if scheme not in FIRST:
        raise invalid("scheme", "unknown-choice", allowed=", ".join(FIRST))
    if kind not in KINDS:
        raise invalid("kind", "unknown-choice", allowed=", ".join(KINDS))
    if not 1 <= hours <= MOST_HOURS:
        raise invalid("hours", "out-of-range", least=1, most=MOST_HOURS)
    if valid_from < date(today.year, 1, 1):
        raise invalid("valid_from", "norm-of-a-past-year", year=today.year)


def norm_minutes(
    units: Mapping[int, Mapping[str, int]], norms: Norms, since: date, until: date
) -> int:
    """The norm of the local days [since, until) in minutes, half up.

    `units`: by year and by what decides the norm (a kind, or hours a year as digits) how many
    units were offered in that year. Each year's norm counts by the share of its days.
    """
    total = Fraction(0)
    for year, by_norm in units.items():
        first, last = max(since, date(year, 1, 1)), min(until, date(year + 1, 1, 1))
        if first >= last:
            continue
        days = (date(year + 1, 1, 1) - date(year, 1, 1)).days
        for name, number in by_norm.items():
            steps = [Norm(date.min, int(name))] if name.isdigit() else norms[name]
            total += Fraction(number * 60 * _hour_days(steps, first, last), days)
    return int(total + Fraction(1, 2))


def _hour_days(steps: Sequence[Norm], first: date, last: date) -> int:
    """The sum over the days [first, last) of the hours a year in force on each."""
    total = 0
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        began = max(first, step.valid_from)
        ended = min(last, following.valid_from) if following else last
        if began < ended:
            total += step.hours * (ended - began).days
    return total
