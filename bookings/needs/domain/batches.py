"""Which of many flexible needs get which time: as many of them as possible, then those times that
fit best.

The best answer is a linear programme: shares of options that keep every limit and are worth most in
sum. Who solves it is not asked here (`Solve`). Its shares are rounded to whole places; without a
solver needs get a place in their order, first come. Both keep the limits exactly: a unit is used
once at a time, a need gets one place, and an instrument gives a batch at most `LARGEST_SHARE` of
its open hours.
"""

from bisect import bisect_right, insort
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from bookings.record.domain.periods import Period

LARGEST_SHARE = 0.2  # of an instrument's open hours in the window
LEAST_PRICE = 0.01  # a shadow price below it is none
LEAST_PART = 0.01  # of an option: a share below it is none
MOST_SCARCE = 20
LONGEST_WINDOW = timedelta(days=60)
NO_END = 10**9  # minutes


@dataclass(frozen=True)
class Option:
    """A time on an instrument that would answer a need. blocked: with the buffers before and after;
    day: of its start, where the instrument stands; fit: in [0, 1], as of its match."""

    need: Any
    instrument: Any
    period: Period
    blocked: Period
    day: date
    fit: float

    @property
    def value(self) -> float:
        """A place counts itself, so that two places are worth more than one that fits best."""
        return 1 + self.fit


@dataclass(frozen=True)
class Room:
    """What an instrument has for a batch. taken: by unit, the times that are occupied; minutes: as
    many as it still may give."""

    taken: Mapping[int, Sequence[Period]]
    minutes: int


@dataclass(frozen=True)
class Limit:
    """The options, by number, that share something, how much of it each takes, and how much there
    is. day: where it is time of an instrument, the day of that time."""

    options: tuple[int, ...]
    amounts: tuple[float, ...]
    most: float
    instrument: Any = None
    day: date | None = None


@dataclass(frozen=True)
class Programme:
    """Which shares in [0, 1], one for each value, are worth most in sum within the limits?"""

    values: tuple[float, ...]
    limits: tuple[Limit, ...]


@dataclass(frozen=True)
class Solution:
    """The share of each option; of each limit its shadow price: what one more of it would be worth;
    and the worth of all shares, above which no places can come."""

    shares: tuple[float, ...]
    prices: tuple[float, ...]
    worth: float


type Solve = Callable[[Programme], Solution]


@dataclass(frozen=True)
class Reason:
    """Why a need got its place, or none. code: `only` (it has no other), `free`, `day` (others want
    that day), `instrument` (others want the instrument on whatever day); of none `no-match`,
    `share` (the instrument may give no more), `day`. others: how many needs those are; price: what
    the time was worth to all, None where nobody has reckoned it."""

    code: str
    others: int = 0
    instrument: Any = None
    day: date | None = None
    price: float | None = None


@dataclass(frozen=True)
class Placed:
    """An option that is to be offered, on the unit that is free for it."""

    option: Option
    unit: int
    reason: Reason


@dataclass(frozen=True)
class Scarce:
    """A day of an instrument that more needs want than find room, or all it may give (day None).
    price: what one more place, or hour, would be worth."""

    instrument: Any
    day: date | None
    needs: int
    price: float


@dataclass(frozen=True)
class Decision:
    """What a batch offers. bound: the worth above which no batch could have come, None where nobody
    has reckoned it; is_first_come: whether the order of the needs decided."""

    placed: tuple[Placed, ...] = ()
    unplaced: Mapping[Any, Reason] = field(default_factory=dict)
    scarce: tuple[Scarce, ...] = ()
    worth: float = 0.0
    bound: float | None = None
    is_first_come: bool = True


def decide(
    needs: Sequence[Any],
    options: Sequence[Option],
    rooms: Mapping[Any, Room],
    solve: Solve | None = None,
) -> Decision:
    """Place needs, those that come first standing first. With a solver the result is worth at least
    as much as first come: where rounding has lost more than the solver won, first come stands."""
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
    """State the choice as a linear programme: at most one place for each need; at no moment more of
    an instrument than it has free units; and no more of its minutes than it may give."""
    return Programme(
        tuple(option.value for option in options),
        (*_of_needs(options), *_of_instruments(options, rooms)),
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
        # Where something begins the most of what overlaps is there at once.
        moments = {options[n].blocked.start: options[n].day for n in reversed(numbers)}
        for period in (period for lane in room.taken.values() for period in lane):
            met = next((n for n in numbers if options[n].blocked.meets(period)), None)
            if met is not None:
                moments.setdefault(period.start, options[met].day)
        for moment, day in sorted(moments.items()):
            there = tuple(
                n for n in numbers if options[n].blocked.start <= moment < options[n].blocked.end
            )
            free = sum(
                not any(period.start <= moment < period.end for period in lane)
                for lane in room.taken.values()
            )
            if len(there) > free:
                yield Limit(there, (1.0,) * len(there), float(free), instrument, day)


def first_come(
    needs: Sequence[Any], options: Sequence[Option], rooms: Mapping[Any, Room]
) -> list[tuple[Option, int]]:
    """Give one need after the other, in their order, the best of what is left."""
    ledger = _Ledger(rooms)
    return _filled(needs, options, ledger)


def rounded(
    needs: Sequence[Any],
    options: Sequence[Option],
    rooms: Mapping[Any, Room],
    shares: Sequence[float],
) -> list[tuple[Option, int]]:
    """Make whole places of shares: the largest first, as far as they fit; then what is left to the
    needs that have none, in their order."""
    ledger = _Ledger(rooms)
    order = sorted(
        (number for number in range(len(options)) if shares[number] > LEAST_PART),
        key=lambda number: (-round(shares[number], 6), *_best_first(options[number])),
    )
    chosen = [
        (options[number], unit)
        for number in order
        if (unit := ledger.take(options[number])) is not None
    ]
    return chosen + _filled(needs, options, ledger)


def _filled(
    needs: Sequence[Any], options: Sequence[Option], ledger: "_Ledger"
) -> list[tuple[Option, int]]:
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
    """What is taken while places are given out."""

    def __init__(self, rooms: Mapping[Any, Room]) -> None:
        self._lanes = {
            instrument: {unit: sorted(lane) for unit, lane in sorted(room.taken.items())}
            for instrument, room in rooms.items()
        }
        self._minutes = {instrument: room.minutes for instrument, room in rooms.items()}
        self._needs: set[Any] = set()

    def take(self, option: Option) -> int | None:
        """Take an option on the lowest unit that is free for it; None where it does not fit."""
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
    """Whether a period meets none of a lane, whose periods never overlap each other."""
    place = bisect_right(lane, wanted)
    return not any(lane[n].meets(wanted) for n in (place - 1, place) if 0 <= n < len(lane))


class _Market:
    """Who wants what, and what it is worth: the reasons that people read."""

    def __init__(
        self, options: Sequence[Option], limits: Sequence[Limit], solution: Solution | None
    ) -> None:
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
                per = 60 if limit.day is None else 1  # minutes are bought by the hour
                self._prices[key] = self._prices.get(key, 0.0) + price * per

    def why(self, option: Option) -> Reason:
        """Why a need got this option."""
        if len(self._options[option.need]) == 1:
            return self._reason("only", option, option.day)
        of_day = self._reason("day", option, option.day)
        if not self._is_priced:
            return of_day if of_day.others else replace(of_day, code="free")
        for reason in (of_day, self._reason("instrument", option, None)):
            if reason.others and reason.price is not None and reason.price > LEAST_PRICE:
                return reason
        return replace(of_day, code="free")

    def why_not(
        self,
        need: Any,
        chosen: Iterable[tuple[Option, int]],
        rooms: Mapping[Any, Room],
    ) -> Reason:
        """Why a need got none."""
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
        """The days that were worth most; none where nobody has reckoned it."""
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
    """How many minutes an instrument may still give to batches: `LARGEST_SHARE` of what it offers
    in the window, less what is kept there for batches already."""
    used = sum(period.minutes for period in kept)
    return max(0, int(offered.total_seconds() // 60 * LARGEST_SHARE) - used)


def thinned(periods: Sequence[Period], most: int) -> list[Period]:
    """Of times in order, those that follow one another without overlap, and of these so many,
    spread evenly."""
    apart: list[Period] = []
    for period in periods:
        if not apart or apart[-1].end <= period.start:
            apart.append(period)
    if len(apart) <= most:
        return apart
    return [apart[n * len(apart) // most] for n in range(most)]


def place_state(state: str, is_held: bool) -> str:
    """What became of a place: deadlines decide, not jobs. is_held: whether its time is kept."""
    return "lapsed" if state == "offered" and not is_held else state
