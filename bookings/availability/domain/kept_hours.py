"""Hours of an instrument that are guaranteed to a holder, and what others may still book.

Rules: docs/availability.md, "Guaranteed hours". A promise holds as long as the free time of its window, which
may overlap other holders' windows, is enough for what is left of it. A booking is refused if it would reduce
what another holder can still use of theirs. By Hall's theorem, no weaker rule keeps every promise, and no
stronger one is needed.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from bookings.record.domain.periods import Period, clip, coming, subtract
from bookings.record.domain.refusals import Refusal
from instruments.policy.domain.policies import Policy

CODE = "kept-for-holder"
ZERO, MINUTE = timedelta(), timedelta(minutes=1)
NEVER, ALWAYS = datetime(1, 1, 3, tzinfo=UTC), datetime(9990, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Kept:
    """Minutes of a window that are guaranteed to a holder. burnt: the minutes that the holder's bookings have
    used; price: per hour, in `currency`, None if the rate card applies."""

    holder: Hashable
    minutes: int
    window: Period
    released_minutes: int = 0
    burnt: int = 0
    price: Decimal | None = None
    currency: str = ""
    id: Hashable = None

    @property
    def left(self) -> timedelta:
        """Return the guaranteed time that the holder has not used yet."""
        return timedelta(minutes=max(0, self.minutes - self.burnt))

    @property
    def released(self) -> timedelta:
        """Return how long before its start a time becomes available to everybody."""
        return timedelta(minutes=self.released_minutes)

    def guarded(self, now: datetime) -> Period | None:
        """Return the part of the window that is not yet available to everybody, or None."""
        return coming(self.window.start, self.window.end, now + self.released)

    def inside(self, period: Period) -> Period | None:
        """Return the part of a period that lies in the window, or None."""
        return clip(period.start, period.end, self.window)


@dataclass(frozen=True)
class PricedPart:
    """A part of a booking that is charged at the hourly price agreed with the holder."""

    start: datetime
    end: datetime
    price: Decimal


def priced_parts(rights: Iterable[Kept], period: Period, currency: str) -> tuple[PricedPart, ...]:
    """Return the parts of a holder's booking that use guaranteed hours with an agreed price: in each window
    from the booking's first minute on, as long as hours are left."""
    parts = []
    for kept in sorted(rights, key=lambda k: k.window):
        inside = kept.inside(period)
        if inside and kept.price is not None and kept.currency == currency and kept.left:
            end = min(inside.end, inside.start + kept.left)
            parts.append(PricedPart(inside.start, end, kept.price))
    return tuple(parts)


def left_for(
    rights: Iterable[Kept], parts: Iterable[PricedPart], others: Iterable[PricedPart] = ()
) -> tuple[Kept, ...]:
    """Return a holder's guaranteed hours as they must be known to recompute the price of a booking: each
    right has at least as many hours left as the booking used of it (`parts`), even if they went to later
    bookings, which were priced without them. `others` are the parts of bookings that are recomputed
    afterwards and keep their hours."""
    parts, others = tuple(parts), tuple(others)

    def had(kept: Kept, parts: tuple[PricedPart, ...]) -> int:
        mine = [kept.inside(Period(p.start, p.end)) for p in parts if p.price == kept.price]
        return sum(inside.minutes for inside in mine if inside)

    known = (replace(k, burnt=k.burnt + had(k, others)) for k in rights)
    return tuple(replace(k, minutes=max(k.minutes, k.burnt + had(k, parts))) for k in known)


def parts_kept(
    old: Iterable[PricedPart], new: Iterable[PricedPart], period: Period
) -> tuple[PricedPart, ...]:
    """Return the priced parts of a booking whose end alone is moved: its old ones as far as they lie in the
    period, whatever has become of the right, and the new ones beyond them."""
    had = [
        replace(part, start=inside.start, end=inside.end)
        for part in old
        if (inside := clip(part.start, part.end, period))
    ]
    taken = [Period(part.start, part.end) for part in had]
    more = [
        replace(part, start=piece.start, end=piece.end)
        for part in new
        for piece in subtract([Period(part.start, part.end)], taken)
    ]
    joined: list[PricedPart] = []
    for part in sorted([*had, *more], key=lambda part: part.start):
        last = joined[-1] if joined else None
        if last is not None and (last.end, last.price) == (part.start, part.price):
            joined[-1] = replace(last, end=part.end)
        else:
            joined.append(part)
    return tuple(joined)


class Promises:
    """All guaranteed hours of one instrument, with its opening hours and what is taken of them (buffers
    included), from now to the end of the last window. It is correct for wishes in that span."""

    def __init__(
        self,
        kept: Iterable[Kept],
        *,
        opened: Sequence[Period],
        taken: Iterable[tuple[int, Period]],
        policy: Policy,
    ) -> None:
        self.kept = tuple(kept)
        self.opened = opened
        self.policy = policy
        self._ends = [period.end for period in opened]
        self._lanes: dict[int, list[Period]] = {u: [] for u in range(1, policy.units + 1)}
        for unit, span in taken:
            if unit in self._lanes:
                insort(self._lanes[unit], span)
        self._free: dict[datetime, tuple[list[Period], list[timedelta]]] = {}

    def take(self, unit: int, blocked: Period, holder: Hashable, period: Period) -> None:
        """Add a new booking, so that it counts from now on."""
        insort(self._lanes[unit], blocked)
        self.kept = tuple(
            replace(kept, burnt=kept.burnt + inside.minutes)
            if kept.holder == holder and (inside := kept.inside(period))
            else kept
            for kept in self.kept
        )
        self._free.clear()

    def rights(self, holder: Hashable) -> tuple[Kept, ...]:
        """Return the hours guaranteed to a holder."""
        return tuple(k for k in self.kept if holder is not None and k.holder == holder)

    # Answers

    def refusals(self, holder: Hashable, period: Period, blocked: Period, now: datetime) -> Iterator[Refusal]:
        """Yield a refusal if a booking (`blocked` includes its buffers) leaves too little for other
        holders."""
        bound = [
            (kept, guarded)
            for kept in self.kept
            if kept.left and period.start > now + kept.released and (guarded := kept.guarded(now))
        ]
        if all(kept.holder == holder for kept, _ in bound):
            return
        segments, free = self._free_at(now)
        lost = self._lost(blocked, segments)
        if not any(lost):
            return
        after = [had - loss for had, loss in zip(free, lost, strict=True)]
        # Judge the holder's own hours as they were and as the booking leaves them: a booking may harm its
        # holder, but nobody else.
        for others_only in (True, False):
            before = [(k, g, k.left) for k, g in bound if not (others_only and k.holder == holder)]
            then = [
                (k, g, left - self._burnt(k, g, period, lost, segments))
                if k.holder == holder
                else (k, g, left)
                for k, g, left in before
            ]
            burnt = _total(before) - _total(then)
            if sum(_kept_of(segments, after, then), burnt) < sum(_kept_of(segments, free, before), ZERO):
                yield Refusal(CODE, _shortest(segments, after, then))
                return

    def _burnt(
        self,
        kept: Kept,
        guarded: Period,
        period: Period,
        lost: Sequence[timedelta],
        segments: Sequence[Period],
    ) -> timedelta:
        """Return how much of the holder's guaranteed hours a booking uses: its part of the window, or if
        longer the time it makes unbookable by its buffers and short gaps, but at most what is left."""
        inside = kept.inside(period)
        cost = sum((x for x, s in zip(lost, segments, strict=True) if guarded.contains(s)), ZERO)
        return min(kept.left, max(inside.length if inside else ZERO, cost)) if inside else ZERO

    def unmet(self, now: datetime) -> list[tuple[Kept, timedelta]]:
        """Return the promises that can no longer be booked in full, each with the missing time. Time that has
        become available to everybody does not count."""
        segments, free = self._free_at(now)
        wanted = [(k, g, k.left) for k in self.kept if (g := k.guarded(now))]
        pairs = zip(wanted, _kept_of(segments, free, wanted), strict=True)
        return [(k, left - given) for (k, _, left), given in pairs if given < left]

    def room_for(self, kept: Kept, now: datetime) -> int:
        """Return how many minutes could be promised in the window of `kept`, beside everything promised to
        others."""
        others = tuple(k for k in self.kept if k.id != kept.id)
        rights = (*others, replace(kept, minutes=10**9, burnt=0))
        judge = Promises(rights, opened=self.opened, taken=self.taken(), policy=self.policy)
        segments, free = judge._free_at(now)

        def most(of: Sequence[Kept]) -> timedelta:
            wanted = [(k, g, k.left) for k in of if (g := k.guarded(now))]
            return sum(_kept_of(segments, free, wanted), ZERO)

        return (most(rights) - most(others)) // MINUTE

    # The time that is free

    def taken(self) -> Iterator[tuple[int, Period]]:
        """Yield the taken spans, each with its unit."""
        return ((unit, span) for unit, lane in self._lanes.items() for span in lane)

    def _free_at(self, now: datetime) -> tuple[list[Period], list[timedelta]]:
        """Return the time from now on in pieces, cut at the edges of all windows, and how much of each piece
        is free."""
        if now not in self._free:
            windows = [guarded for kept in self.kept if (guarded := kept.guarded(now))]
            edges = sorted({edge for w in windows for edge in (w.start, w.end)})
            segments = [Period(*pair) for pair in pairwise(edges)]
            free = [ZERO] * len(segments)
            for lane in self._lanes.values():
                bounds = [NEVER, *(e for p in lane for e in (p.start, p.end)), ALWAYS]
                for low, high in zip(bounds[::2], bounds[1::2], strict=True):
                    self._measure(low, high, segments, free, 1)
            self._free[now] = segments, free
        return self._free[now]

    def _lost(self, blocked: Period, segments: Sequence[Period]) -> list[timedelta]:
        """Return how much of each piece of time a booking on the first free unit would use up."""
        lost = [ZERO] * len(segments)
        for lane in self._lanes.values():
            place = bisect_left(lane, blocked.end, key=lambda p: p.start)
            low = lane[place - 1].end if place else NEVER
            if low > blocked.start:
                continue
            high = lane[place].start if place < len(lane) else ALWAYS
            # Openings it comes near; all others stay as they are.
            near = blocked.padded(self._buffers // MINUTE, self._buffers // MINUTE)
            self._measure(low, high, segments, lost, 1, near)
            self._measure(low, blocked.start, segments, lost, -1, near)
            self._measure(blocked.end, high, segments, lost, -1, near)
            break
        return lost

    @property
    def _buffers(self) -> timedelta:
        return timedelta(minutes=self.policy.setup_minutes + self.policy.teardown_minutes)

    def _measure(
        self,
        low: datetime,
        high: datetime,
        segments: Sequence[Period],
        sums: list[timedelta],
        sign: int,
        near: Period | None = None,
    ) -> None:
        """Add to the sum of each piece of time, with `sign`, what could be booked in a gap of a unit between
        `low` and `high`: its openings less the buffers, ignoring those shorter than the shortest booking."""
        policy, buffers = self.policy, self._buffers
        low += timedelta(minutes=policy.setup_minutes)
        high -= timedelta(minutes=policy.teardown_minutes)
        least = timedelta(minutes=policy.min_minutes)
        longest = timedelta(minutes=policy.max_minutes) + buffers
        if low >= high or not segments:
            return
        begin = max(low, segments[0].start, near.start if near else NEVER)
        stop = min(high, segments[-1].end, near.end if near else ALWAYS)
        for opening in self.opened[bisect_right(self._ends, begin) :]:
            if opening.start >= stop:
                break
            piece = clip(opening.start, opening.end, Period(low, high))
            if piece is None or piece.length < least:
                continue
            for n in range(_segment_at(segments, piece.start), len(segments)):
                part = clip(piece.start, piece.end, segments[n])
                if part is None:
                    break
                # Several bookings have their buffers between them.
                sums[n] += sign * (part.length - buffers * (part.length // longest))


def _segment_at(segments: Sequence[Period], moment: datetime) -> int:
    place = bisect_right(segments, moment, key=lambda s: s.start) - 1
    return max(0, place)


type Wanted = Sequence[tuple[Kept, Period, timedelta]]  # with the part not released, and the time left


def _total(wanted: Wanted) -> timedelta:
    return sum((left for _, _, left in wanted), ZERO)


def _kept_of(segments: Sequence[Period], free: Sequence[timedelta], wanted: Wanted) -> list[timedelta]:
    """Return how much of each promise can be kept if the total is as large as possible: every piece of free
    time goes to the promise that ends first (Glover's rule for convex graphs)."""
    given = [ZERO] * len(wanted)
    by_end = sorted(range(len(wanted)), key=lambda n: wanted[n][1].end)
    for segment, room in zip(segments, free, strict=True):
        for n in by_end:
            if room <= ZERO:
                break
            _, guarded, left = wanted[n]
            if guarded.contains(segment):
                part = min(room, left - given[n])
                given[n] += part
                room -= part
    return given


def _shortest(segments: Sequence[Period], free: Sequence[timedelta], wanted: Wanted) -> dict[str, str | int]:
    """Return the numbers of the interval in which the most time is missing: the hours guaranteed in it, the
    hours that would be left free, its start and end, and when it becomes available to everybody."""

    def missing(span: Period) -> tuple[timedelta, timedelta]:
        inside = [(k, left) for k, g, left in wanted if span.contains(g)]
        room = sum((f for s, f in zip(segments, free, strict=True) if span.contains(s)), ZERO)
        return sum((left for _, left in inside), ZERO), room

    guards = [guarded for _, guarded, _ in wanted]
    spans = [Period(a.start, b.end) for a in guards for b in guards if a.start < b.end]
    worst = max(spans, key=lambda s: (missing(s)[0] - missing(s)[1], -s.length))
    needed, room = missing(worst)
    released = min(k.released_minutes for k, g, _ in wanted if worst.contains(g))
    return {
        "kept": shown_hours(needed),
        "free": shown_hours(room),
        "start": worst.start.isoformat(),
        "end": worst.end.isoformat(),
        "released_minutes": released,
    }


def shown_hours(length: timedelta) -> str:
    """Return a length in hours, with at most two decimals."""
    return f"{length / timedelta(hours=1):.2f}".rstrip("0").rstrip(".")
