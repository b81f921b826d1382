"""How much an exception matters: the weight of its rule, and how severe this one is (docs/audit.md, "Risk").

The weight of a rule is dated: an exception keeps the one that held on the day it was found.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from accounts.domain.errors import invalid
from bookings.audit.domain.audit import RULES, Numbers
from bookings.record.domain.money import minor_digits

MOST = 100
# The weights that hold until somebody enters others.
FIRST: Mapping[str, int] = {
    "books-not-trail": 100,
    "other-than-card": 90,
    "internal-rate-outsider": 80,
    "self-approval": 80,
    "related-parties": 70,
    "manual-correction": 70,
    "used-without-booking": 60,
    "voucher-near-cap": 50,
    "made-after-use": 50,
    "over-open-hours": 40,
    "overrides": 40,
    "booked-never-used": 30,
    "hours-far-from-norm": 20,
    "stale-listing": 10,
}
# From which amount on an exception is how severe. In currencies without decimals the steps are a
# hundred times as high.
STEPS = ((100_000, 100), (10_000, 75), (1_000, 50), (100, 25))
LEAST = 10
# The minutes, days and per cent at which an exception is as severe as can be.
_WHOLE = {
    "made-after-use": ("minutes", 1440),
    "used-without-booking": ("minutes", 480),
    "booked-never-used": ("minutes", 1440),
    "over-open-hours": ("minutes", 480),
    "stale-listing": ("days", 1460),
}
_PER_ONE = {"overrides": 25, "other-than-card": 25, "related-parties": 50}


@dataclass(frozen=True, order=True)
class Weight:
    """The weight of a rule from the day `valid_from` on."""

    valid_from: date
    weight: int


type Weights = Mapping[str, Sequence[Weight]]  # by rule, in the order of their days


def weights_of(entered: Iterable[tuple[str, date, int]]) -> Weights:
    """Return the weights by rule: the initial ones, and those entered (rule, valid from, weight)."""
    by_rule = {rule: [Weight(date.min, weight)] for rule, weight in FIRST.items()}
    for rule, valid_from, weight in entered:
        by_rule[rule].append(Weight(valid_from, weight))
    return {rule: sorted(weights) for rule, weights in by_rule.items()}


def weight_on(weights: Weights, rule: str, day: date) -> int:
    """Return the weight of a rule on a day; that of a rule that is there no more is the middle of all."""
    held = [one for one in weights.get(rule, ()) if one.valid_from <= day]
    return held[-1].weight if held else MOST // 2


def check_weight(*, rule: str, weight: int, valid_from: date, today: date) -> None:
    """Raise `Invalid` unless a weight may be entered. It cannot begin before today: what was found keeps its
    score."""
    if rule not in RULES:
        raise invalid("rule", "unknown-choice", allowed=", ".join(RULES))
    if not 1 <= weight <= MOST:
        raise invalid("weight", "out-of-range", least=1, most=MOST)
    if valid_from < today:
        raise invalid("valid_from", "in-the-past")


def amount_share(amount: Decimal, currency: str) -> int:
    """Return how severe an amount is, in per cent: 10 below 100, then 25, 50 and 75, and 100 from 100,000
    on."""
    scale = 100 if minor_digits(currency) == 0 else 1
    return next((share for least, share in STEPS if abs(amount) >= least * scale), LEAST)


def number_share(rule: str, numbers: Numbers) -> int:
    """Return how severe an exception is by the numbers that its rule saw, in per cent."""
    if rule in _WHOLE:
        name, whole = _WHOLE[rule]
        return _within(_number(numbers, name) * 100 / whole)
    if rule in _PER_ONE:
        counted = numbers.get("count", numbers.get("people", 1 + str(numbers.get("rules", "")).count(",")))
        return _within(Decimal(counted) * _PER_ONE[rule])
    if rule == "hours-far-from-norm":
        percent = _number(numbers, "percent")
        return _within(100 - percent * 5 if percent < 20 else (percent - 150) / 2)
    if rule == "voucher-near-cap":
        return 100 if _number(numbers, "percent") > 100 else 50
    if rule == "books-not-trail":
        return 100
    return LEAST if rule == "manual-correction" else 50


def _number(numbers: Numbers, name: str) -> Decimal:
    return Decimal(numbers.get(name, 0))


def _within(value: Decimal) -> int:
    return min(100, max(LEAST, int(value)))


def share_of(rule: str, numbers: Numbers, amount: Decimal | None, currency: str) -> int:
    """Return how severe an exception is, in per cent: the higher of what its numbers and its amount say."""
    by_number = number_share(rule, numbers)
    return by_number if amount is None else max(by_number, amount_share(amount, currency))


def score(weight: int, share: int) -> int:
    """Return the risk of an exception, from 1 to 100: its rule's weight times its severity, rounded half
    up."""
    return max(1, (2 * weight * share + 100) // 200)
