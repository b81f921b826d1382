"""Reviews of purchases: how much existing instruments could take over, what a purchase would cost, and what
speaks for and against it (docs/reviews.md).

Hours are exact fractions, amounts decimals; functions that round say how, the others do not round.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

from accounts.domain.errors import FieldProblem, WrongState
from bookings.record.domain.money import exact_arithmetic, round_half_up

# The usual figures, for schemes that state none.
FULL_HOURS = 1200  # hours a year from which an instrument is full
FULL_PERCENT = Decimal(85)  # percent of its open hours
UPKEEP_PERCENT = Decimal(6)  # percent of the price, a year
EXPERTS = 1  # opinions that a decision needs
DAYS = {"hosts_asked": 15, "under_review": 20}  # working days of each step
APPEAL_DAYS = 15  # working days
LEAST_BOOKINGS = 20  # with fewer bookings the wait is not known
POOLED_PERCENT = 85  # percent of one instrument's open hours, which two cases together fill
SPLIT_MONTHS = 12
FOLLOW_UPS = (12, 24)  # months after the decision, or after the instrument went into service

PROMISE, DENIAL = "promise", "denial"
FULL = "full"  # the reason that the instrument is full, which its hours confirm or contradict

# The acts, the states in which they are possible, and the state that follows. A follow-up may be the first of
# two.
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
    "appeal": (frozenset({"approved_with_conditions", "share_instead", "pooled", "refused"}), "under_review"),
    "withdraw": (frozenset({"draft", "checked", "submitted", "hosts_asked", "under_review"}), "withdrawn"),
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
# The grounds that follow from the figures, and the side each is on.
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
# Pairs of these grounds that exclude each other. A scheme says what its own grounds contradict.
CONTRADICTIONS = frozenset(
    map(
        frozenset,
        [
            ("area-full", "area-not-full"),
            ("above-break-even", "below-break-even"),
            ("spare-short", "hosts-cover"),
            ("none-fits", "area-full"),
            ("none-fits", "area-not-full"),
            ("none-fits", "usable-by-sharing"),
            ("none-fits", "hosts-cover"),
        ],
    )
)
OPEN = frozenset({"draft", "checked", "submitted", "hosts_asked", "under_review"})
OVER = frozenset({"refused", "withdrawn", "followed_up"})


@dataclass(frozen=True)
class Compared:
    """An instrument of the class. effective, opened: hours of the last twelve months, of all its units; fit:
    MEETS, UNKNOWN or FAILS; model: maker and model as one text, empty if unknown; fails: the requirements
    that it fails, by parameter; answer: PROMISE, DENIAL, or empty for no answer; promised: hours a year."""

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
    """Limits from which an instrument counts as full: hours a year, and per cent of its open hours."""

    hours: int = FULL_HOURS
    percent: Decimal = FULL_PERCENT


@dataclass(frozen=True)
class Costs:
    """The costs of a purchase. years: its life; upkeep_percent: of the price, a year; staff, space: a year;
    marginal: the cost of an hour on the purchased instrument; travel: to use another's, an hour."""

    price: Decimal
    years: int
    upkeep_percent: Decimal = UPKEEP_PERCENT
    staff: Decimal = Decimal(0)
    space: Decimal = Decimal(0)
    marginal: Decimal = Decimal(0)
    travel: Decimal = Decimal(0)


@dataclass(frozen=True)
class Figures:
    """Figures that the rules derive from a case. mean: effective hours of fitting instruments; full: whether
    the area is; coverage: by spare hours of willing hosts; promised: hours they promised; wait: hours, None
    if unknown; own_cost: a year; shared: an hour with somebody else, less the cost of an hour on the
    purchased one; break_even: hours a year; grounds: codes for and against."""

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
    """Return the state of a case after an act; raise `WrongState` (`case-not-so-far`) if the act is not
    possible in its state."""
    states, after = ACTS[name]
    if state not in states:
        raise WrongState("case-not-so-far", state=state)
    return after


def ground_problems(grounds: Sequence[str], own: Iterable[Mapping[str, Any]] = ()) -> list[FieldProblem]:
    """Return what is wrong with the grounds of a decision or an opinion: those that are neither general nor
    in the scheme's list `own` (unknown-ground), and those that contradict an earlier one
    (grounds-contradict)."""
    rows = {row["code"]: row for row in own}
    contradictions = CONTRADICTIONS | {
        frozenset({code, other}) for code, row in rows.items() for other in row.get("contradicts", ())
    }
    problems = []
    for n, code in enumerate(grounds):
        if code not in GROUNDS and code not in rows:
            problems.append(FieldProblem(f"grounds[{n}]", "unknown-ground", {"ground": code[:40]}))
        for other in grounds[:n]:
            if frozenset({code, other}) in contradictions:
                pair = {"ground": code, "other": other}
                problems.append(FieldProblem(f"grounds[{n}]", "grounds-contradict", pair))
    return problems


def mean_hours(rows: Iterable[Compared]) -> Fraction | None:
    """Return the mean of effective hours over the instruments that fit; None if there are none."""
    hours = [row.effective for row in rows if row.fit == "meets"]
    return sum(hours, Fraction(0)) / len(hours) if hours else None


def is_area_full(rows: Iterable[Compared], full: Thresholds) -> bool | None:
    """Say whether the instruments that fit are full on average; None if there are none."""
    mean = mean_hours(rows)
    return None if mean is None else mean >= full.hours


def is_usable(row: Compared, full: Thresholds) -> bool:
    """Say whether an instrument can be used by sharing: it is below the hours, or below the share of its open
    hours, from which on it counts as full. One that is never open cannot be used."""
    if not row.opened:
        return False
    return row.effective < full.hours or row.effective / row.opened < Fraction(full.percent) / 100


def spare_hours(row: Compared, full: Thresholds) -> Fraction:
    """Return the hours a year that an instrument could give in addition to those it gives now."""
    return max(Fraction(0), Fraction(full.percent) / 100 * row.opened - row.effective)


def coverage(rows: Iterable[Compared], needed: int, full: Thresholds) -> Fraction:
    """Return the share, at most 1, of the needed hours that spare hours cover, counting only instruments that
    fit and whose hosts promised hours."""
    willing = (spare_hours(r, full) for r in rows if r.fit == "meets" and r.answer == PROMISE)
    return min(Fraction(1), sum(willing, Fraction(0)) / needed)


def expected_wait(waits: Iterable[tuple[Any, int, int]], spare: Mapping[Any, Fraction]) -> Fraction | None:
    """Return the weighted median of the wait in hours, from request to start. waits: instrument, minutes, and
    how many bookings waited that long. Each booking weighs as much as the spare hours of its instrument. None
    with fewer than `LEAST_BOOKINGS`, or without spare hours. If the median lies between two waits, the
    shorter counts."""
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
    """Return the yearly cost of the purchased instrument, rounded half-up to the currency once."""
    with exact_arithmetic():
        yearly = costs.price / costs.years + costs.price * costs.upkeep_percent / 100
        return round_half_up(yearly + costs.staff + costs.space, currency)


def shared_cost(costs: Costs, quote: Decimal) -> Decimal:
    """Return how much more an hour elsewhere costs than one on the purchased instrument: quote and travel,
    less the marginal cost of an hour on the purchased one."""
    with exact_arithmetic():
        return quote + costs.travel - costs.marginal


def break_even(costs: Costs, quote: Decimal | None) -> int | None:
    """Return the hours a year from which a purchased instrument is cheaper than sharing, rounded up. None if
    the price elsewhere is not known, or if sharing never costs more."""
    if quote is None or (hourly := shared_cost(costs, quote)) <= 0:
        return None
    yearly = Fraction(costs.price) / costs.years
    yearly += Fraction(costs.price) * Fraction(costs.upkeep_percent) / 100
    return ceil((yearly + Fraction(costs.staff) + Fraction(costs.space)) / Fraction(hourly))


def excluding(rows: Sequence[Compared]) -> dict[str, int]:
    """Return how many instruments each requirement excludes, if only one model is left that meets all
    requirements; empty otherwise."""
    left = {row.model for row in rows if row.fit == "meets"}
    if len(left) != 1 or "" in left:
        return {}
    counts: dict[str, int] = {}
    for row in rows:
        for parameter in row.fails:
            counts[parameter] = counts.get(parameter, 0) + 1
    return counts


def is_contradicted(row: Compared, reason: str, full: Thresholds) -> bool:
    """Say whether a host who declines because its instrument is full has hours to spare."""
    return row.answer == DENIAL and reason == FULL and is_usable(row, full)


def months_before(day: date, months: int) -> date:
    """Return the same day some months before, or the last day of that month if it is shorter."""
    return months_after(day, -months)


def months_after(day: date, months: int) -> date:
    """Return the same day some months later, or the last day of that month if it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(year + month // 11, (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day.day, (following - timedelta(days=1)).day))


def working_day_after(day: date, days: int, holidays: frozenset[date] = frozenset()) -> date:
    """Return the working day that is `days` working days after a day: Mondays to Fridays except holidays."""
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < 5 and day not in holidays
    return day


def is_split(day: date, techniques: frozenset[str], others: Iterable[tuple[date, frozenset[str]]]) -> bool:
    """Say whether the same applicant has another case of the class within twelve months before or after."""
    first, last = months_before(day, SPLIT_MONTHS), months_after(day, SPLIT_MONTHS)
    return any(first < other < last and techniques & codes for other, codes in others)


def fills_one(hours: int, other_hours: int, opened: Fraction) -> bool:
    """Say whether the hours of two cases fill one instrument that is open this many hours a year, and do not
    exceed it."""
    together = hours + other_hours
    return Fraction(POOLED_PERCENT, 100) * opened <= together <= opened


def is_avoided(promised_minutes: int, used_minutes: int) -> bool:
    """Say whether a purchase counts as avoided: hours were promised bindingly, and at least half of those of
    twelve months were used."""
    return promised_minutes > 0 and used_minutes * 2 >= promised_minutes


def barred(own: bool, host: bool, declared: str) -> str:
    """Return why an expert may not give an opinion: own-organisation, host-of-compared or declared; empty if
    they may."""
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
    """Compute all figures of a case. quote: the price of an hour on the cheapest instrument that fits."""
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
