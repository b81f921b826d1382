"""Decide who wants which instrument when: randomly, but in the pattern of real use.

This module only reads files and values; it never queries or writes the database.
"""

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bookings.demo.services.files import load
from bookings.demo.services.offers import group_of
from bookings.record.domain.periods import Period
from bookings.world import Offer, Person
from instruments.opening.domain.opening import Window, merged
from instruments.policy.domain.policies import Policy

MINUTE = timedelta(minutes=1)
MOST_LOAD = 0.97
IDLE = 180  # minutes that nobody wants, at a time
NIGHT = (22, 7)  # hours at which few people like to begin
PRESENT = 4  # hours, at the most, that somebody stays beside what they have started
# How far people look for an instrument: weights by where the payer is.
NEAR = {"same organisation": 5.0, "same region": 2.2, "same country": 1.3, "abroad": 0.05}


@dataclass(frozen=True)
class Slot:
    """A period on one unit that a person wants."""

    unit: int
    period: Period


class Mood:
    """The share of the open time that is in demand, by month, weekday, hour and public holidays."""

    def __init__(self, load_: float, zone: ZoneInfo, holidays: frozenset[date]) -> None:
        self._load, self._zone, self._holidays = load_, zone, holidays
        self._shape: Mapping[str, Any] = load("terms")["demand"]

    def at(self, moment: datetime) -> float:
        """Return the share of the open time around an instant that people want to book."""
        local = moment.astimezone(self._zone)
        share = self._load * self._shape["months"][local.month - 1]
        share *= self._shape["weekdays"][local.weekday()]
        if not NIGHT[1] <= local.hour < NIGHT[0]:
            share *= self._shape["night"]
        if local.date() in self._holidays:
            share *= self._shape["holiday"]
        return min(float(share), MOST_LOAD)


def wishes(
    *,
    windows: Sequence[Window],
    policy: Policy,
    taken: Mapping[int, Sequence[Period]],
    within: Period,
    share: Callable[[datetime], float],
    lengths: Sequence[float],
    luck: random.Random,
) -> Iterator[Slot]:
    """Yield slots that fit hours, grid, lengths and buffers, and overlap neither what is `taken` (blocked
    spans by unit) nor each other. `lengths` are hours; starts lie inside `within`."""
    ends = [(w.opens_at, w.closes_at) for w in merged(windows)]
    starts = [opens for opens, _ in ends]
    for unit in range(1, policy.units + 1):
        cursor = within.start
        blocks = taken.get(unit, [])
        for window in sorted(windows):
            closes = ends[bisect_right(starts, window.opens_at) - 1][1]
            start = _on_grid(window, cursor, policy)
            while start < min(window.closes_at, within.end):
                minutes = round(luck.choice(lengths) * 60)
                if luck.random() >= _chance(share(start), minutes):
                    cursor = start + min(minutes, IDLE) * MINUTE
                else:
                    period = _fitting(start, minutes, closes, policy)
                    if period is None:
                        break
                    blocked = period.padded(policy.setup_minutes, policy.teardown_minutes)
                    met = next((block for block in blocks if block.meets(blocked)), None)
                    if met is None:
                        yield Slot(unit, period)
                        pause = luck.choice((0, 0, 0, 1, 2)) * policy.slot_minutes
                        cursor = blocked.end + (policy.setup_minutes + pause) * MINUTE
                    else:
                        cursor = met.end + policy.setup_minutes * MINUTE
                start = _on_grid(window, cursor, policy)


def _chance(share: float, minutes: int) -> float:
    """Return the probability with which to take each wish of a length so that a share of the time is filled,
    if a wish not taken leaves at most IDLE minutes empty."""
    idle = min(minutes, IDLE)
    return share * idle / (minutes * (1 - share) + share * idle)


def _on_grid(window: Window, moment: datetime, policy: Policy) -> datetime:
    slot = policy.slot_minutes * MINUTE
    return window.opens_at + -(-max(moment - window.opens_at, timedelta()) // slot) * slot


def _fitting(start: datetime, minutes: int, closes: datetime, policy: Policy) -> Period | None:
    """Return the period from a start, shortened to what is open and allowed; None if nothing is."""
    slot = policy.slot_minutes
    room = int((closes - start) // MINUTE)
    minutes = min(max(minutes, policy.min_minutes), policy.max_minutes, room) // slot * slot
    if minutes < policy.min_minutes:
        return None
    return Period(start, start + minutes * MINUTE)


class Diaries:
    """People's diaries, so that nobody is at two instruments in the same hour."""

    def __init__(self) -> None:
        self._hours: set[tuple[str, int]] = set()

    def enter(self, person: Person, period: Period) -> bool:
        """Enter a person's presence for the period, or for the beginning of a long one; return False if they
        are elsewhere."""
        first, last = int(period.start.timestamp()) // 3600, -(-int(period.end.timestamp()) // 3600)
        hours = {(person.user.email, h) for h in range(first, min(last, first + PRESENT))}
        if hours & self._hours:
            return False
        self._hours |= hours
        return True


def crowd(offer: Offer, people: Sequence[Person]) -> tuple[list[Person], list[float]]:
    """Return the people who may use an instrument, with the weights for choosing among them."""
    weights = [_weight(offer, person) for person in people]
    chosen = [(p, w) for p, w in zip(people, weights, strict=True) if w]
    return [p for p, _ in chosen], [w for _, w in chosen]


def _weight(offer: Offer, person: Person) -> float:
    payer = person.organisation
    instrument = offer.instrument
    if person is offer.manager:  # nobody decides their own request
        return 0.0
    card = offer.cards[-1]
    if payer is None or not card.values.serves(group_of(offer, payer, card.valid_from)):
        return 0.0
    if payer.pk == instrument.organisation_id:
        near = "same organisation"
    elif payer.region_id == instrument.region_id:
        near = "same region"
    elif payer.region.parent_id == instrument.region.parent_id:
        near = "same country"
    elif {"entrusted", "remote"} & set(instrument.service_modes):
        near = "abroad"
    else:
        return 0.0
    weight = person.activity * NEAR[near] * (3.0 if person.field == offer.field else 0.5)
    return weight * (0.7 if payer.kind == "enterprise" else 1.0)
