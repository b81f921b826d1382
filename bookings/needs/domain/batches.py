"""Decide which of many flexible needs get which time: as many of them as possible, then those times that fit
best.

The best answer is a linear programme: shares of options that keep every limit and are worth most in sum. Any
solver may be passed in (`Solve`). Its shares are rounded to whole places; without a solver, needs get places
in the order in which they came. Both keep the limits exactly: a unit is used once at a time, a need gets one
place, and an instrument gives a batch at most `LARGEST_SHARE` of its open hours.
"""

from bisect import bisect_right, insort
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from bookings.record.domain.periods import Period

LARGEST_SHARE = 0.2  # the share of an instrument's open hours in the window
LEAST_PRICE = 0.01  # a shadow price below this counts as none
LEAST_PART = 0.01  # a share of an option below this counts as none
MOST_SCARCE = 20
LONGEST_WINDOW = timedelta(days=60)
NO_END = 10**9  # minutes


@dataclass(frozen=True)
class Option:
    """A time on an instrument that would meet a need. blocked: the time with the buffers before and after;
    day: of its start, in the instrument's zone; fit: how good the match is, in [0, 1]."""

    need: Any
    instrument: Any
    period: Period
    blocked: Period
    day: date
    fit: float

    @property
    def value(self) -> float:
        """Return 1 for the place itself plus its fit, so that two places are worth more than one that fits
        best."""
        return 1 + self.fit


@dataclass(frozen=True)
class Room:
    """An instrument's room for a batch. taken: the occupied times by unit; minutes: how many it may still
    give."""

    taken: Mapping[int, Sequence[Period]]
    minutes: int


@dataclass(frozen=True)
class Limit:
    """A limit on options (named by number) that share something: how much of it each takes, and how much
    there is. day: for time of an instrument, the day of that time."""

    options: tuple[int, ...]
    amounts: tuple[float, ...]
    most: float
    instrument: Any = None
    day: date | None = None


@dataclass(frozen=True)
class Programme:
    """A linear programme: find the shares in [0, 1], one for each value, that are worth most within the
    limits."""

    values: tuple[float, ...]
    limits: tuple[Limit, ...]


@dataclass(frozen=True)
class Solution:
    """The solution of a linear programme. shares: of each option; prices: of each limit its shadow price,
    which is what one more of it would be worth; worth: of all shares, an upper bound for whole places."""

    shares: tuple[float, ...]
    prices: tuple[float, ...]
    worth: float


type Solve = Callable[[Programme], Solution]


@dataclass(frozen=True)
class Reason:
    """The reason why a need got its place, or none. code of a place: `only` (there was no other option),
    `free`, `day` (others want that day), `instrument` (others want the instrument on any day); of none:
    `no-match`, `day`, `share` (the instrument may give no more). others: how many other needs want it; price:
    what the time was worth to all, None if it was not computed."""

    code: str
    others: int = 0
    instrument: Any = None
    day: date | None = None
    price: float | None = None


@dataclass(frozen=True)
class Placed:
    """An option to be offered, on the unit that is free for it."""

    option: Option
    unit: int
    reason: Reason


@dataclass(frozen=True)
class Scarce:
    """A day of an instrument for which there are more needs than room; with day None, all it may give. price:
    what one more place, or hour, would be worth."""

    instrument: Any
    day: date | None
    needs: int
    price: float


@dataclass(frozen=True)
class Decision:
    """The outcome of a batch. bound: the worth that no batch could exceed, None if nobody has computed it;
    is_first_come: whether the order of the needs decided."""

    placed: tuple[Placed, ...] = ()
    unplaced: Mapping[Any, Reason] = field(default_factory=dict)
    scarce: tuple[Scarce, ...] = ()
    worth: float = 0.0
    bound: float | None = None
    is_first_come: bool = True


def decide(
    needs: Sequence[Any], options: Sequence[Option], rooms: Mapping[Any, Room], solve: Solve | None = None
) -> Decision:
    """Decide which needs get which place; `needs` are in the order in which they came. The result of the
    solver is used only if it is worth at least as much as serving the needs in that order: rounding may lose
    more than it won."""
    chosen = first_come(needs, options, rooms)
    is_first_come, solution = True, None
    limits: tuple[Limit, ...] = ()
    if solve is not None and options:
        programme = programme_of(options, rooms)
        solution, limits = solve(programme), programme.limits
        by_share = rounded(needs, options, rooms, solution.shares)
        is_first_come = _worth(by_share) < _worth(chosen)
        chosen = chosen if is_first_come else by_share
    market = _Market(options, limits, solution)
    got = {option.need for option, _ in chosen}
    return Decision(
        placed=tuple(Placed(option, unit, market.why(option)) for option, unit in chosen),
        unplaced={need: market.why_not(need, chosen, rooms) for need in needs if need not in got},
        scarce=market.scarce(),
        worth=_worth(chosen),
        bound=solution.worth if solution else None,
        is_first_come=is_first_come,
    )


def programme_of(options: Sequence[Option], rooms: Mapping[Any, Room]) -> Programme:
    """Return the choice as a linear programme: at most one place for each need; at no moment more of an
    instrument than its free units; and no more of its minutes than it may give."""
    return Programme(
        tuple(option.value for option in options), (*_of_needs(options), *_of_instruments(options, rooms))
    )


def _of_needs(options: Sequence[Option]) -> Iterator[Limit]:
    by_need: dict[Any, list[int]] = {}
    for number, option in enumerate(options):
        by_need.setdefault(option.need, []).append(number)
    for numbers in by_need.values():
        yield Limit(tuple(numbers), (1.0,) * len(numbers), 1.0)


def _of_instruments(options: Sequence[Option], rooms: Mapping[Any, Room]) -> Iterator[Limit]:
    by_instrument: dict[Any, list[int]] = {}
    for number, option in enumerate(options):
        by_instrument.setdefault(option.instrument, []).append(number)
    for instrument, numbers in by_instrument.items():
        room = rooms[instrument]
        minutes = tuple(float(options[n].period.minutes) for n in numbers)
        yield Limit(tuple(numbers), minutes, float(room.minutes), instrument)
        # The most options overlap at a moment when one of them begins.
        moments = {options[n].blocked.start: options[n].day for n in reversed(numbers)}
        for period in (period for lane in room.taken.values() for period in lane):
            met = next((n for n in numbers if options[n].blocked.meets(period)), None)
            if met is not None:
                moments.setdefault(period.start, options[met].day)
        for moment, day in sorted(moments.items()):
            there = tuple(n for n in numbers if options[n].blocked.start <= moment < options[n].blocked.end)
            free = sum(
                not any(period.start <= moment < period.end for period in lane)
                for lane in room.taken.values()
            )
            if len(there) > free:
                yield Limit(there, (1.0,) * len(there), float(free), instrument, day)


def first_come(
    needs: Sequence[Any], options: Sequence[Option], rooms: Mapping[Any, Room]
) -> list[tuple[Option, int]]:
    """Serve the needs one after the other: each gets the best option that is left."""
    ledger = _Ledger(rooms)
    return _filled(needs, options, ledger)


def rounded(
    needs: Sequence[Any], options: Sequence[Option], rooms: Mapping[Any, Room], shares: Sequence[float]
) -> list[tuple[Option, int]]:
    """Turn shares into whole places: the largest first, as far as they fit; what is left goes to the needs
    without a place, in their order."""
    ledger = _Ledger(rooms)
    order = sorted(
        (number for number in range(len(options)) if shares[number] > LEAST_PART),
        key=lambda number: (-round(shares[number], 6), *_best_first(options[number])),
    )
    chosen = [
        (options[number], unit) for number in order if (unit := ledger.take(options[number])) is not None
    ]
    return chosen + _filled(needs, options, ledger)


def _filled(needs: Sequence[Any], options: Sequence[Option], ledger: "_Ledger") -> list[tuple[Option, int]]:
    by_need: dict[Any, list[Option]] = {}
    for option in options:
        by_need.setdefault(option.need, []).append(option)
    chosen = []
    for need in needs:
        for option in sorted(by_need.get(need, ()), key=_best_first):
            unit = ledger.take(option)
            if unit is not None:
                chosen.append((option, unit))
                break
    return chosen


def _best_first(option: Option) -> tuple[Any, ...]:
    return -option.value, option.period, str(option.instrument), str(option.need)


def _worth(chosen: Iterable[tuple[Option, int]]) -> float:
    return sum(option.value for option, _ in chosen)


class _Ledger:
    """The times that are already taken while places are given out."""

    def __init__(self, rooms: Mapping[Any, Room]) -> None:
        self._lanes = {
            instrument: {unit: sorted(lane) for unit, lane in sorted(room.taken.items())}
            for instrument, room in rooms.items()
        }
        self._minutes = {instrument: room.minutes for instrument, room in rooms.items()}
        self._needs: set[Any] = set()

    def take(self, option: Option) -> int | None:
        """Take an option on the lowest unit that is free for it, and return the unit; None if it does not
        fit."""
        if option.need in self._needs:
            return None
        if option.period.minutes > self._minutes[option.instrument]:
            return None
        for unit, lane in self._lanes[option.instrument].items():
            if _is_free(lane, option.blocked):
                insort(lane, option.blocked)
                self._minutes[option.instrument] -= option.period.minutes
                self._needs.add(option.need)
                return unit
        return None


def _is_free(lane: Sequence[Period], wanted: Period) -> bool:
    """Say whether a period overlaps none of a lane, whose periods never overlap each other."""
    place = bisect_right(lane, wanted)
    return not any(lane[n].meets(wanted) for n in (place - 1, place) if 0 <= n < len(lane))


class _Market:
    """The demand for each time and its price, from which the reasons shown to people follow."""

    def __init__(self, options: Sequence[Option], limits: Sequence[Limit], solution: Solution | None) -> None:
        self._wanting: dict[tuple[Any, date | None], set[Any]] = {}
        self._options: dict[Any, list[Option]] = {}
        for option in options:
            self._options.setdefault(option.need, []).append(option)
            for day in (option.day, None):
                self._wanting.setdefault((option.instrument, day), set()).add(option.need)
        self._prices: dict[tuple[Any, date | None], float] = {}
        self._is_priced = solution is not None
        for limit, price in zip(limits, solution.prices if solution else (), strict=True):
            if limit.instrument is not None:
                key = limit.instrument, limit.day
                per = 60 if limit.day is None else 1  # a price per hour: that limit is in minutes
                self._prices[key] = self._prices.get(key, 0.0) + price * per

    def why(self, option: Option) -> Reason:
        """Return why a need got this option."""
        if len(self._options[option.need]) == 1:
            return self._reason("only", option, option.day)
        of_day = self._reason("day", option, option.day)
        if not self._is_priced:
            return of_day if of_day.others else replace(of_day, code="free")
        for reason in (of_day, self._reason("instrument", option, None)):
            if reason.others and reason.price is not None and reason.price > LEAST_PRICE:
                return reason
        return replace(of_day, code="free")

    def why_not(self, need: Any, chosen: Iterable[tuple[Option, int]], rooms: Mapping[Any, Room]) -> Reason:
        """Return why a need got no place."""
        options = self._options.get(need)
        if not options:
            return Reason("no-match")
        ledger = _Ledger({key: Room(room.taken, NO_END) for key, room in rooms.items()})
        for option, _ in chosen:
            ledger.take(option)
        best = min(options, key=_best_first)
        if any(ledger.take(option) is not None for option in options):
            return self._reason("share", best, None)
        return self._reason("day", best, best.day)

    def scarce(self) -> tuple[Scarce, ...]:
        """Return the days that were worth most; none if no prices were computed."""
        rows = [
            Scarce(instrument, day, len(self._wanting.get((instrument, day), ())), price)
            for (instrument, day), price in self._prices.items()
            if price > LEAST_PRICE
        ]
        rows.sort(key=lambda row: (-round(row.price, 6), str(row.day or ""), str(row.instrument)))
        return tuple(rows[:MOST_SCARCE])

    def _reason(self, code: str, option: Option, day: date | None) -> Reason:
        key = option.instrument, day
        price = self._prices.get(key, 0.0) if self._is_priced else None
        others = len(self._wanting[key] - {option.need})
        return Reason(code, others, option.instrument, day, price)


def room_minutes(offered: timedelta, kept: Collection[Period]) -> int:
    """Return how many minutes an instrument may still give to batches: `LARGEST_SHARE` of what it offers in
    the window, less what is held for batches already."""
    used = sum(period.minutes for period in kept)
    return max(0, int(offered.total_seconds() // 60 * LARGEST_SHARE) - used)


def thinned(periods: Sequence[Period], most: int) -> list[Period]:
    """Drop times that overlap an earlier one, and return at most `most` of the rest, spread evenly."""
    apart: list[Period] = []
    for period in periods:
        if not apart or apart[-1].end <= period.start:
            apart.append(period)
    if len(apart) <= most:
        return apart
    return [apart[n * len(apart) // most] for n in range(most)]


def place_state(state: str, is_held: bool) -> str:
    """Return the state of a place: deadlines decide, not jobs. is_held: whether its time is still held."""
    return "lapsed" if state == "offered" and not is_held else state
