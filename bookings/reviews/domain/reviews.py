"""Reviews before buying: what the instruments at hand could take over, what a purchase would cost,
and what that says for and against it (docs/reviews.md).

Hours are exact fractions, amounts decimals; each function says how it rounds, the others do not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

from accounts.domain.errors import WrongState
from bookings.record.domain.money import exact_arithmetic, round_half_up

# Where a scheme states no figure of its own.
FULL_HOURS = 1200  # a year, from which on an instrument is full
FULL_PERCENT = Decimal(85)  # of its open hours
UPKEEP_PERCENT = Decimal(6)  # of the price, a year
EXPERTS = 1  # opinions that a decision needs
DAYS = {"hosts_asked": 15, "under_review": 20}  # working days of a step
APPEAL_DAYS = 15  # working days
LEAST_BOOKINGS = 20  # below so many the wait is not known
POOLED_PERCENT = 85  # of one instrument's open hours, which two cases together fill
SPLIT_MONTHS = 12
FOLLOW_UPS = (12, 24)  # months after the decision, or after it went into service

PROMISE, DENIAL = "promise", "denial"
FULL = "full"  # why a host denies: its hours say whether that is so

# What may be done, in which states, and what the case is then. A follow-up may be the first of two.
ACTS: Mapping[str, tuple[frozenset[str], str]] = {
    "change": (frozenset({"draft"}), "draft"),
    "check": (frozenset({"draft"}), "checked"),
    "reopen": (frozenset({"checked"}), "draft"),
    "submit": (frozenset({"checked"}), "submitted"),
    "ask_hosts": (frozenset({"submitted"}), "hosts_asked"),
    "review": (frozenset({"submitted", "hosts_asked"}), "under_review"),
    "approve": (frozenset({"under_review"}), "approved"),
    "approve_with_conditions": (frozenset({"under_review"}), "approved_with_conditions"),
    "share_instead": (frozenset({"under_review"}), "share_instead"),
    "pool": (frozenset({"under_review"}), "pooled"),
    "refuse": (frozenset({"under_review"}), "refused"),
    "appeal": (
        frozenset({"approved_with_conditions", "share_instead", "pooled", "refused"}),
        "under_review",
    ),
    "withdraw": (
        frozenset({"draft", "checked", "submitted", "hosts_asked", "under_review"}),
        "withdrawn",
    ),
    "order": (frozenset({"approved", "approved_with_conditions", "pooled"}), "ordered"),
    "put_in_service": (frozenset({"ordered"}), "in_service"),
    "follow_up": (frozenset({"in_service", "share_instead"}), "followed_up"),
}
DECISIONS = {
    "approved": "approve",
    "approved_with_conditions": "approve_with_conditions",
    "share_instead": "share_instead",
    "pooled": "pool",
    "refused": "refuse",
}
# What figures say by themselves, and which side it is on.
GROUNDS: Mapping[str, str] = {
    "none-fits": "for",
    "area-full": "for",
    "spare-short": "for",
    "unmet-demand": "for",
    "above-break-even": "for",
    "area-not-full": "against",
    "usable-by-sharing": "against",
    "hosts-cover": "against",
    "below-break-even": "against",
    "split": "against",
    "one-model": "against",
}
OPEN = frozenset({"draft", "checked", "submitted", "hosts_asked", "under_review"})
OVER = frozenset({"refused", "withdrawn", "followed_up"})


@dataclass(frozen=True)
class Compared:
    """An instrument of the class. effective, opened: hours of the last twelve months, of all its
    units; fit: of MEETS, UNKNOWN, FAILS; model: maker and model as one text, empty where unknown;
    fails: the requirements that it fails, by parameter; answer: PROMISE, DENIAL, or empty for no
    answer; promised: hours a year."""

    key: Any
    effective: Fraction
    opened: Fraction
    fit: str = "meets"
    model: str = ""
    fails: tuple[str, ...] = ()
    answer: str = ""
    promised: Fraction = Fraction(0)


@dataclass(frozen=True)
class Thresholds:
    """From where on an instrument is full: hours a year, and per cent of its open hours."""

    hours: int = FULL_HOURS
    percent: Decimal = FULL_PERCENT


@dataclass(frozen=True)
class Costs:
    """What a purchase costs. years: its life; upkeep_percent: of the price, a year; staff, space: a
    year; marginal: what an hour on one's own instrument costs; travel: to use another's, an
    hour."""

    price: Decimal
    years: int
    upkeep_percent: Decimal = UPKEEP_PERCENT
    staff: Decimal = Decimal(0)
    space: Decimal = Decimal(0)
    marginal: Decimal = Decimal(0)
    travel: Decimal = Decimal(0)


@dataclass(frozen=True)
class Figures:
    """What the rules say of a case. mean: effective hours of fitting instruments; full: whether the
    area is; coverage: by spare hours of willing hosts; promised: hours they promised; wait: hours,
    None where it is not known; own_cost: a year; shared: an hour with somebody else, less what an
    own hour costs; break_even: hours a year; grounds: codes for and against."""

    mean: Fraction | None
    is_full: bool | None
    usable: tuple[Any, ...]
    spare: Fraction
    coverage: Fraction
    promised: Fraction
    own_cost: Decimal
    shared: Decimal | None
    break_even: int | None
    grounds_for: tuple[str, ...]
    grounds_against: tuple[str, ...]


def act(name: str, state: str) -> str:
    """Return the state that a case has after an act; `WrongState` (`case-not-so-far`) where its
    state does not allow it."""
    states, after = ACTS[name]
    if state not in states:
        raise WrongState("case-not-so-far", state=state)
    return after


def mean_hours(rows: Iterable[Compared]) -> Fraction | None:
    """The mean of effective hours over the instruments that fit; None where there are none."""
    hours = [row.effective for row in rows if row.fit == "meets"]
    return sum(hours, Fraction(0)) / len(hours) if hours else None


def is_area_full(rows: Iterable[Compared], full: Thresholds) -> bool | None:
    """Whether the instruments that fit are full on average; None where there are none."""
    mean = mean_hours(rows)
    return None if mean is None else mean >= full.hours


def is_usable(row: Compared, full: Thresholds) -> bool:
    """Whether an instrument can be used by sharing: it is below the hours, or below the share of
    its open hours, from which on it counts as full. What is never open cannot be used."""
    if not row.opened:
        return False
    return row.effective < full.hours or row.effective / row.opened < Fraction(full.percent) / 100


def spare_hours(row: Compared, full: Thresholds) -> Fraction:
    """Hours a year that an instrument could give beside those it gives."""
    return max(Fraction(0), Fraction(full.percent) / 100 * row.opened - row.effective)


def coverage(rows: Iterable[Compared], needed: int, full: Thresholds) -> Fraction:
    """The share of the hours needed that the spare hours of willing hosts cover, at most 1: of
    those whose instrument fits and who promised hours of it."""
    willing = (spare_hours(r, full) for r in rows if r.fit == "meets" and r.answer == PROMISE)
    return min(Fraction(1), sum(willing, Fraction(0)) / needed)


def expected_wait(
    waits: Iterable[tuple[Any, int, int]], spare: Mapping[Any, Fraction]
) -> Fraction | None:
    """The median wait in hours, from request to start. waits: instrument, minutes, and how many
    bookings waited so long. Each booking weighs as much as its instrument has spare hours. None
    with fewer than `LEAST_BOOKINGS`, or where nothing is spare. Where half of the weight lies on
    either side it is the lower of the two waits between."""
    rows = sorted(waits, key=lambda row: row[1])
    total = sum((spare.get(key, Fraction(0)) * number for key, _, number in rows), Fraction(0))
    if sum(number for _, _, number in rows) < LEAST_BOOKINGS or not total:
        return None
    below = Fraction(0)
    for key, minutes, number in rows:
        below += spare.get(key, Fraction(0)) * number
        if below * 2 >= total:
            return Fraction(minutes, 60)
    return None


def own_cost(costs: Costs, currency: str) -> Decimal:
    """What an own instrument costs a year, rounded half-up to the currency once."""
    with exact_arithmetic():
        yearly = costs.price / costs.years + costs.price * costs.upkeep_percent / 100
        return round_half_up(yearly + costs.staff + costs.space, currency)


def shared_cost(costs: Costs, quote: Decimal) -> Decimal:
    """What an hour elsewhere costs more than one on an own instrument: quote and travel, less what
    the own hour costs beside the yearly cost."""
    with exact_arithmetic():
        return quote + costs.travel - costs.marginal


def break_even(costs: Costs, quote: Decimal | None) -> int | None:
    """The hours a year from which on an own instrument is cheaper, rounded up. None where the
    price elsewhere is not known, or sharing costs no more than an own hour: it never is."""
    if quote is None or (hourly := shared_cost(costs, quote)) <= 0:
        return None
    yearly = Fraction(costs.price) / costs.years
    yearly += Fraction(costs.price) * Fraction(costs.upkeep_percent) / 100
    return ceil((yearly + Fraction(costs.staff) + Fraction(costs.space)) / Fraction(hourly))


def excluding(rows: Sequence[Compared]) -> dict[str, int]:
    """How many instruments each requirement excludes, where only one model is left that meets all
    of them; empty where more are left, or none."""
    left = {row.model for row in rows if row.fit == "meets"}
    if len(left) != 1 or "" in left:
        return {}
    counts: dict[str, int] = {}
    for row in rows:
        for parameter in row.fails:
            counts[parameter] = counts.get(parameter, 0) + 1
    return counts


def is_contradicted(row: Compared, reason: str, full: Thresholds) -> bool:
    """Whether a host who denies because its instrument is full has hours to spare."""
    return row.answer == DENIAL and reason == FULL and is_usable(row, full)


def months_before(day: date, months: int) -> date:
    """The day so many months before, or the last of a month that is shorter."""
    return months_after(day, -months)


def months_after(day: date, months: int) -> date:
    """The day so many months later, or the last of a month that is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(year + month // 11, (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day.day, (following - timedelta(days=1)).day))


def working_day_after(day: date, days: int, holidays: frozenset[date] = frozenset()) -> date:
    """The last of so many working days after a day: Mondays to Fridays that are no holiday."""
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < 5 and day not in holidays
    return day


def is_split(
    day: date, techniques: frozenset[str], others: Iterable[tuple[date, frozenset[str]]]
) -> bool:
    """Whether the same applicant has another case of the class in the twelve months around."""
    first, last = months_before(day, SPLIT_MONTHS), months_after(day, SPLIT_MONTHS)
    return any(first < other < last and techniques & codes for other, codes in others)


def fills_one(hours: int, other_hours: int, opened: Fraction) -> bool:
    """Whether the hours of two cases fill one instrument that is open so many hours a year, and
    do not go beyond it."""
    together = hours + other_hours
    return Fraction(POOLED_PERCENT, 100) * opened <= together <= opened


def is_avoided(promised_minutes: int, used_minutes: int) -> bool:
    """Whether a purchase counts as avoided: hours were promised bindingly, and at least half of
    those of twelve months were used."""
    return promised_minutes > 0 and used_minutes * 2 >= promised_minutes


def barred(own: bool, host: bool, declared: str) -> str:
    """Why an expert may give no opinion: own-organisation, host-of-compared, declared; empty where
    nothing is in the way."""
    if own:
        return "own-organisation"
    if host:
        return "host-of-compared"
    return "declared" if declared.strip() else ""


def figures(
    rows: Sequence[Compared],
    *,
    needed: int,
    costs: Costs,
    currency: str,
    quote: Decimal | None,
    full: Thresholds,
    unmet_hours: Fraction = Fraction(0),
    split: bool = False,
) -> Figures:
    """Everything the rules say of a case. quote: an hour, of the cheapest that fits."""
    fitting = [row for row in rows if row.fit == "meets"]
    is_full = is_area_full(rows, full)
    covered = coverage(rows, needed, full)
    least = break_even(costs, quote)
    spare = sum((spare_hours(row, full) for row in fitting), Fraction(0))
    usable = tuple(row.key for row in fitting if is_usable(row, full))
    reasons_for, against = [], []
    if not fitting:
        reasons_for.append("none-fits")
    if is_full:
        reasons_for.append("area-full")
    elif is_full is False:
        against.append("area-not-full")
    if usable:
        against.append("usable-by-sharing")
    if spare < needed:
        reasons_for.append("spare-short")
    if covered == 1:
        against.append("hosts-cover")
    if unmet_hours > 0:
        reasons_for.append("unmet-demand")
    if least is not None:
        (reasons_for if needed >= least else against).append(
            "above-break-even" if needed >= least else "below-break-even"
        )
    if split:
        against.append("split")
    if excluding(rows):
        against.append("one-model")
    return Figures(
        mean=mean_hours(rows),
        is_full=is_full,
        usable=usable,
        spare=spare,
        coverage=covered,
        promised=sum((r.promised for r in rows if r.answer == PROMISE), Fraction(0)),
        own_cost=own_cost(costs, currency),
        shared=None if quote is None else shared_cost(costs, quote),
        break_even=least,
        grounds_for=tuple(reasons_for),
        grounds_against=tuple(against),
    )
