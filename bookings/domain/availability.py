"""When an instrument can be booked: one engine for search, slots, quotes and bookings.

Rules: docs/availability.md. `Calendar` holds what is offered and what is taken, as plain
values; `check` says everything that refuses a wish, `starts` lists what it would accept:
both ask the same questions, so they cannot disagree.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice, pairwise

from accounts.domain.errors import Refused
from bookings.domain.periods import Period, clip, subtract, union
from instruments.domain.opening import Window, merged
from instruments.domain.policies import Policy

CLOSURE = "closure"
RESERVATION = "reservation"
NEAREST_WITHIN = timedelta(days=14)

# A sole refusal of these is lack of capacity: 409 at the door, and unmet demand.
CAPACITY = frozenset({"slot-taken", "instrument-closed"})


@dataclass(frozen=True)
class Refusal:
    """One rule that refuses: a code, the numbers behind it, the nearest period that passes."""

    code: str
    numbers: Mapping[str, str | int] = field(default_factory=dict)
    nearest: Period | None = None


class RulesRefuse(Refused):
    """The rules refuse a booking; `refusals` names every one that does."""

    code = "rules-refuse"

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        super().__init__(self.refusals[0].code if len(self.refusals) == 1 else None)

    @property
    def lacks_capacity(self) -> bool:
        """Whether nothing refuses but that the slot is gone."""
        return all(refusal.code in CAPACITY for refusal in self.refusals)


@dataclass(frozen=True)
class Block:
    """A span of one unit that is taken, its buffers included."""

    period: Period
    unit: int = 1
    kind: str = RESERVATION


@dataclass(frozen=True)
class Wish:
    """A period somebody would like, for a payer of a price group that is served or not."""

    period: Period
    price_group: str
    is_served: bool = True


class Calendar:
    """What an instrument offers and what of it is taken, around some span.

    windows: unmerged opening windows that cover the span and what is near it; blocks: live
    occupancies there. `check` and `starts` are right only within that span.
    """

    def __init__(
        self,
        *,
        windows: Sequence[Window],
        policy: Policy,
        blocks: Sequence[Block],
        is_published: bool = True,
    ) -> None:
        self.windows = sorted(windows)
        self.policy = policy
        self.blocks = sorted(blocks, key=lambda b: b.period)
        self.is_published = is_published
        self._open = [Period(w.opens_at, w.closes_at) for w in merged(self.windows)]
        self._open_starts = [period.start for period in self._open]
        self._lanes: dict[int, list[Block]] = {unit: [] for unit in range(1, policy.units + 1)}
        for block in self.blocks:
            if block.unit in self._lanes:
                self._lanes[block.unit].append(block)
        self._lane_starts = {u: [b.period.start for b in lane] for u, lane in self._lanes.items()}

    # What the rules ask

    def blocked_span(self, period: Period) -> Period:
        """The period with its buffers."""
        return period.padded(self.policy.setup_minutes, self.policy.teardown_minutes)

    def met_on(self, unit: int, span: Period) -> list[Block]:
        """The blocks of a unit that meet a span. Blocks of a unit never overlap each other."""
        starts, lane = self._lane_starts[unit], self._lanes[unit]
        first = max(0, bisect_right(starts, span.start) - 1)
        last = bisect_left(starts, span.end)
        return [block for block in lane[first:last] if block.period.meets(span)]

    def free_unit(self, period: Period) -> int | None:
        """The lowest unit that is free for the period and its buffers."""
        span = self.blocked_span(period)
        return next((unit for unit in self._lanes if not self.met_on(unit, span)), None)

    def is_open(self, period: Period) -> bool:
        """Whether the period lies inside one merged window."""
        index = bisect_right(self._open_starts, period.start) - 1
        return index >= 0 and period.end <= self._open[index].end

    def is_on_grid(self, start: datetime) -> bool:
        """Whether the start is a whole number of slots after some window's opening."""
        slot = timedelta(minutes=self.policy.slot_minutes)
        return any(
            not (start - window.opens_at) % slot
            for window in self.windows
            if window.opens_at <= start < window.closes_at
        )

    # Answers

    def check(self, wish: Wish, now: datetime) -> tuple[Refusal, ...]:
        """Every rule that refuses the wish; empty: it may be booked."""
        return (*self._standing(wish), *self._timing(wish, now), *self._capacity(wish.period))

    def explain(self, wish: Wish, now: datetime) -> tuple[Refusal, ...]:
        """As `check`, with the nearest period that passes. Needs a calendar that covers two
        weeks to both sides."""
        found = self.check(wish, now)
        if not found or any(refusal.code in _STANDING for refusal in found):
            return found
        nearest = self.nearest(wish, now)
        return tuple(replace(refusal, nearest=nearest) for refusal in found)

    def _standing(self, wish: Wish) -> Iterator[Refusal]:
        if not self.is_published:
            yield Refusal("not-published")
        if not wish.is_served:
            yield Refusal("audience-not-served", {"price_group": wish.price_group})

    def _timing(self, wish: Wish, now: datetime) -> Iterator[Refusal]:
        policy, period = self.policy, wish.period
        lead = period.start - now
        if lead < timedelta(minutes=policy.notice_minutes):
            yield Refusal("too-soon", {"notice_minutes": policy.notice_minutes})
        horizon = policy.horizon_for(wish.price_group)
        if lead > timedelta(days=horizon):
            yield Refusal("too-far", {"horizon_days": horizon})
        if period.length % timedelta(minutes=policy.slot_minutes) or (
            self.is_open(Period(period.start, period.start + timedelta(microseconds=1)))
            and not self.is_on_grid(period.start)
        ):
            yield Refusal("off-grid", {"slot_minutes": policy.slot_minutes})
        if period.length < timedelta(minutes=policy.min_minutes):
            yield Refusal("too-short", {"min_minutes": policy.min_minutes})
        if period.length > timedelta(minutes=policy.max_minutes):
            yield Refusal("too-long", {"max_minutes": policy.max_minutes})
        if not self.is_open(period):
            yield Refusal("outside-opening-hours")

    def _capacity(self, period: Period) -> Iterator[Refusal]:
        span = self.blocked_span(period)
        met = [self.met_on(unit, span) for unit in self._lanes]
        if not all(met):
            return
        is_closed = all(any(b.kind == CLOSURE for b in lane) for lane in met)
        if is_closed:
            yield Refusal("instrument-closed")
        if not is_closed or any(b.kind != CLOSURE for lane in met for b in lane):
            yield Refusal("slot-taken", {"units": self.policy.units})

    def starts(
        self, *, minutes: int, price_group: str, within: Period, now: datetime
    ) -> list[datetime]:
        """Every start that a booking of `minutes` may take so that it ends inside `within`."""
        return list(self._starts(minutes, price_group, within, now))

    def first_starts(
        self, *, minutes: int, price_group: str, within: Period, now: datetime, most: int
    ) -> list[datetime]:
        """The first few of `starts`."""
        return list(islice(self._starts(minutes, price_group, within, now), most))

    def _starts(
        self, minutes: int, price_group: str, within: Period, now: datetime
    ) -> Iterator[datetime]:
        policy = self.policy
        if not self.is_published or minutes % policy.slot_minutes:
            return
        if not policy.min_minutes <= minutes <= policy.max_minutes:
            return
        slot, length = timedelta(minutes=policy.slot_minutes), timedelta(minutes=minutes)
        earliest = max(within.start, now + timedelta(minutes=policy.notice_minutes))
        latest = min(within.end - length, now + timedelta(days=policy.horizon_for(price_group)))
        last: datetime | None = None
        for start in self._grid(earliest, latest, slot):
            if start == last:
                continue
            last = start
            period = Period(start, start + length)
            if self.is_open(period) and self.free_unit(period) is not None:
                yield start

    def _grid(self, earliest: datetime, latest: datetime, slot: timedelta) -> Iterator[datetime]:
        """Grid starts in [earliest, latest], in order; those of overlapping windows interleave."""
        points: set[datetime] = set()
        for window in self.windows:
            if window.closes_at <= earliest or window.opens_at > latest:
                continue
            skipped = max(timedelta(), earliest - window.opens_at)
            start = window.opens_at + -(-skipped // slot) * slot
            while start < window.closes_at and start <= latest:
                points.add(start)
                start += slot
        yield from sorted(points)

    def nearest(self, wish: Wish, now: datetime) -> Period | None:
        """The period nearest in time, of the nearest length that is allowed, that would pass."""
        policy = self.policy
        slot = policy.slot_minutes
        minutes = -(-int(wish.period.length.total_seconds()) // (slot * 60)) * slot
        minutes = max(policy.min_minutes, min(policy.max_minutes, minutes))
        wanted = wish.period.start
        around = Period(
            wanted - NEAREST_WITHIN, wanted + NEAREST_WITHIN + timedelta(minutes=minutes)
        )
        found = self.starts(minutes=minutes, price_group=wish.price_group, within=around, now=now)
        if not found:
            return None
        start = min(found, key=lambda s: (abs(s - wanted), s))
        return Period(start, start + timedelta(minutes=minutes))

    def opened(self, within: Period) -> list[Period]:
        """Merged opening hours inside a span."""
        return [p for o in self._open if (p := clip(o.start, o.end, within))]

    def busy(self, within: Period) -> list[tuple[Period, str]]:
        """Spans inside opening hours where no unit is free, buffers included, with their kind.

        With several units a span counts as busy where all are taken.
        """
        edges = sorted(
            {e for b in self.blocks for e in (b.period.start, b.period.end)}
            | {within.start, within.end}
        )
        result: list[tuple[Period, str]] = []
        for start, end in pairwise(edges):
            piece = clip(start, end, within)
            if piece is None:
                continue
            met = [self.met_on(unit, piece) for unit in self._lanes]
            if not all(met):
                continue
            kind = CLOSURE if all(lane[0].kind == CLOSURE for lane in met) else RESERVATION
            if result and result[-1][0].end == piece.start and result[-1][1] == kind:
                result[-1] = (Period(result[-1][0].start, piece.end), kind)
            else:
                result.append((piece, kind))
        return result

    def free(self, within: Period) -> list[Period]:
        """Open less busy."""
        return subtract(self.opened(within), union(p for p, _ in self.busy(within)))


_STANDING = frozenset({"not-published", "audience-not-served"})
