"""Decide which instruments meet a need, in which order, and why.

An instrument passes gates first, each with a code; those that pass are ordered by a weighted sum of five
parts between 0 and 1, whose weights the person may change. Nothing is learned: the same facts give the same
order, and each part can be put in words.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

PARTS = ("fit", "time", "cost", "effort", "trust")
WEIGHTS: Mapping[str, float] = {"fit": 0.35, "time": 0.25, "cost": 0.20, "effort": 0.10, "trust": 0.10}
# How near a technique is to the one needed.
SAME, SIBLING, BROADER = 1.0, 0.7, 0.4
EFFORT: Mapping[str, float] = {"city": 1.0, "region": 0.8, "sent": 0.6, "travel": 0.4}
HALF_DAYS = 7  # working days after which the part for time is halved
PRIOR = 10  # bookings for which the mean of all hosts counts, beside a host's own
# Why an instrument is no match, in the order in which it is checked.
GATES = (
    "technique",
    "requirement",
    "region",
    "mode",
    "certificate",
    "price",
    "comparison",
    "budget",
    "length",
    "time",
)
LABELS = ("soonest", "cheapest", "closest")


@dataclass(frozen=True)
class Candidate:
    """An instrument as it is judged for a need.

    nearness: of its techniques, SAME, SIBLING, BROADER, or 0; fits: how it meets each requirement, in their
    order; days: working days from the first requested day to the start, None if nothing is free; start: that
    start; payable: what the payer pays, in the payer's currency, None if it cannot be compared; effort: one
    of EFFORT; trust: in [0, 1]; gates: codes of other gates that it fails.
    """

    key: Any
    nearness: float = SAME
    fits: tuple[str, ...] = ()
    days: int | None = None
    start: datetime | None = None
    payable: Decimal | None = None
    effort: str = "travel"
    trust: float = 1.0
    gates: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Match:
    """A candidate that passes every gate, with its parts and their weighted sum; labels: of LABELS."""

    candidate: Candidate
    score: float
    parts: Mapping[str, float]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Matches:
    """The matches, the best first, and the candidates that fail a gate, each with the first that it fails."""

    matches: Sequence[Match] = ()
    shut_out: Mapping[Any, str] = field(default_factory=dict)


def gate(candidate: Candidate, budget: Decimal | None) -> str | None:
    """Return the first gate that a candidate fails; None if it passes them all."""
    shut = set(candidate.gates)
    if not candidate.nearness:
        shut.add("technique")
    if "fails" in candidate.fits:
        shut.add("requirement")
    if budget is not None and candidate.payable is None:
        shut.add("comparison")
    elif budget is not None and candidate.payable is not None and candidate.payable > budget:
        shut.add("budget")
    if candidate.days is None:
        shut.add("time")
    return next((code for code in GATES if code in shut), None)


def match(
    candidates: Iterable[Candidate], *, budget: Decimal | None = None, weights: Mapping[str, float] = WEIGHTS
) -> Matches:
    """Order the candidates that pass: those of the right technique before all that are only near it, the best
    first; equals by start, price and key."""
    shut_out: dict[Any, str] = {}
    passing: list[Candidate] = []
    for candidate in candidates:
        if code := gate(candidate, budget):
            shut_out[candidate.key] = code
        else:
            passing.append(candidate)
    ranks = _ranks(passing)
    total = sum(weights.get(name, 0) for name in PARTS)
    scored = []
    for candidate in passing:
        parts = {
            "fit": fit_part(candidate),
            "time": 2 ** (-(candidate.days or 0) / HALF_DAYS),
            "cost": _cost(candidate, budget, ranks),
            "effort": EFFORT[candidate.effort],
            "trust": candidate.trust,
        }
        score = sum(weights.get(name, 0) * parts[name] for name in PARTS) / total if total else 0.0
        scored.append(Match(candidate, score, parts))
    scored.sort(key=_order)
    return Matches(_labelled(scored), shut_out)


def fit_part(candidate: Candidate) -> float:
    """Return how well technique and requirements fit; a requirement about which nothing is stated counts
    half."""
    worth = sum(1 if fit == "meets" else 0.5 for fit in candidate.fits)
    return candidate.nearness * (worth / len(candidate.fits) if candidate.fits else 1)


def loses(loser: Match, winner: Match, weights: Mapping[str, float] = WEIGHTS) -> str:
    """Return the part by which one match loses most to another."""
    return max(PARTS, key=lambda n: weights.get(n, 0) * (winner.parts[n] - loser.parts[n]))


def trusted(kept: int, number: int, mean: float) -> float:
    """Return the share of bookings that a host kept and of requests that it answered in time, shrunk towards
    the mean of all hosts: (PRIOR x mean + kept) / (PRIOR + number)."""
    return (PRIOR * mean + kept) / (PRIOR + number)


def working_days(first: date, last: date) -> int:
    """Count the Mondays to Fridays after the first day, up to the last; 0 if the last is not later."""
    weeks, rest = divmod(max((last - first).days, 0), 7)
    days = (first + timedelta(days=n) for n in range(1, rest + 1))
    return 5 * weeks + sum(day.weekday() < 5 for day in days)


class Nearest(NamedTuple):
    """The technique of an instrument that is nearest to a needed one: SAME for the same or a narrower one,
    SIBLING for one that shares a direct parent, BROADER for a broader one; 0 and no techniques if none is
    near."""

    nearness: float = 0.0
    offered: str = ""
    needed: str = ""


def nearest(
    offered: Collection[str],
    needed: Sequence[str],
    above: Mapping[str, frozenset[str]],
    parents: Mapping[str, Collection[str]],
    beside: Collection[str] = (),
) -> Nearest:
    """Return the technique of an instrument that is nearest to those needed; of equals the one for the first
    needed. `above`: all that are broader than a technique; `parents`: those directly above; `beside`: other
    techniques that are as near as a sibling of the first needed, with narrower ones."""
    close = [code for code in offered if {code, *above.get(code, ())} & {*beside}] if needed else []
    best = Nearest(SIBLING, close[0], needed[0]) if close else Nearest()
    for one in needed:
        over = above.get(one, frozenset())
        for code in offered:
            if one == code or one in above.get(code, frozenset()):
                return Nearest(SAME, code, one)
            if code in over:
                worth = BROADER
            else:
                worth = SIBLING * bool(set(parents.get(code, ())) & set(parents.get(one, ())))
            if worth > best.nearness:
                best = Nearest(worth, code, one)
    return best


def _order(match: Match) -> tuple[Any, ...]:
    candidate = match.candidate
    price = _price(candidate)
    return candidate.nearness < SAME, -match.score, _start(match), price, str(candidate.key)


def _start(match: Match) -> tuple[int, float]:
    """Return the sort key of a match by its start. Working days do not tell a Saturday from the Friday before
    it, nor the hours of a day."""
    start = match.candidate.start
    return match.candidate.days or 0, start.timestamp() if start else 0.0


def _price(candidate: Candidate) -> tuple[bool, Decimal]:
    return candidate.payable is None, candidate.payable or Decimal(0)


def _ranks(candidates: Sequence[Candidate]) -> dict[Any, float]:
    """Rank candidates by price if there is no budget: 1 for the cheapest down to 0 for the dearest and the
    unknown."""
    prices = sorted({c.payable for c in candidates if c.payable is not None})
    steps = max(len(prices) - 1, 1)
    places = {price: 1 - place / steps for place, price in enumerate(prices)}
    return {c.key: places[c.payable] if c.payable is not None else 0.0 for c in candidates}


def _cost(candidate: Candidate, budget: Decimal | None, ranks: Mapping[Any, float]) -> float:
    if budget is None:
        return ranks[candidate.key]
    if not budget or candidate.payable is None:
        return 1.0 if candidate.payable == 0 else 0.0
    return float(1 - min(Decimal(1), candidate.payable / budget))


def _labelled(matches: list[Match]) -> list[Match]:
    """Label one match with each thing in which it is the best, the first of equals. A match whose technique
    is only near the right one gets no label."""
    right = [m for m in matches if m.candidate.nearness == SAME]
    if not right:
        return matches
    priced = [m for m in right if m.candidate.payable is not None]
    best = {
        "soonest": min(right, key=_start),
        "cheapest": min(priced, key=lambda m: _price(m.candidate)) if priced else None,
        "closest": max(right, key=lambda m: m.parts["fit"]),
    }
    return [
        Match(m.candidate, m.score, m.parts, tuple(name for name in LABELS if best[name] is m))
        for m in matches
    ]
