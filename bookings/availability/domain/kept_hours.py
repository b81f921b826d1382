"""Hours of an instrument that are kept for a holder, and what others may still book.

Rules: docs/availability.md, "Kept hours". A promise holds while the free time of its window, of
which others' windows take their part, is enough for what is left of it. A booking is refused when
it makes that less for somebody else: by Hall's theorem no weaker rule keeps every promise, and no
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
from instruments.domain.policies import Policy

CODE = "kept-for-holder"
ZERO, MINUTE = timedelta(), timedelta(minutes=1)
NEVER, ALWAYS = datetime(1, 1, 3, tzinfo=UTC), datetime(9990, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Kept:
    """Minutes of a window that are kept for a holder. burnt: what the holder's bookings have used
    of them; price: an hour of them, in `currency`, None where the rate card's holds."""

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
        """What the holder may still book of them."""
        return timedelta(minutes=max(0, self.minutes - self.burnt))

    @property
    def released(self) -> timedelta:
        """How long before its start a time is everybody's."""
        return timedelta(minutes=self.released_minutes)

    def guarded(self, now: datetime) -> Period | None:
        """The part of the window that is not everybody's yet."""
        return coming(self.window.start, self.window.end, now + self.released)

    def inside(self, period: Period) -> Period | None:
        """The part of a period that lies in the window."""
        return clip(period.start, period.end, self.window)


@dataclass(frozen=True)
class PricedPart:
    """A part of a booking that costs what was agreed with the holder, an hour."""

    start: datetime
    end: datetime
    price: Decimal


def priced_parts(rights: Iterable[Kept], period: Period, currency: str) -> tuple[PricedPart, ...]:
    """The parts of a holder's booking that burn hours with a price: from its start on, as far as
    there is some left."""
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
    """The rights with at least as much left as a booking that is priced anew had of them: what else
    the holder has booked since is priced without that. others: what bookings had that are priced
    anew after it, and keep."""
    parts, others = tuple(parts), tuple(others)

    def had(kept: Kept, parts: tuple[PricedPart, ...]) -> int:
        mine = [kept.inside(Period(p.start, p.end)) for p in parts if p.price == kept.price]
        return sum(inside.minutes for inside in mine if inside)

    known = (replace(k, burnt=k.burnt + had(k, others)) for k in rights)
    return tuple(replace(k, minutes=max(k.minutes, k.burnt + had(k, parts))) for k in known)


def parts_kept(
    old: Iterable[PricedPart], new: Iterable[PricedPart], period: Period
) -> tuple[PricedPart, ...]:
    """The priced parts of a booking that only ends at another time: those it had, whatever has
    become of the right, and beyond them the new ones."""
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
    """All that is kept of one instrument, with the time that is open and what is taken of it
    (buffers included) from now to the end of the last window. Right for wishes judged there."""

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
        """Count a booking that is made from now on."""
        insort(self._lanes[unit], blocked)
        self.kept = tuple(
            replace(kept, burnt=kept.burnt + inside.minutes)
            if kept.holder == holder and (inside := kept.inside(period))
            else kept
            for kept in self.kept
        )
        self._free.clear()

    def rights(self, holder: Hashable) -> tuple[Kept, ...]:
        """What is kept for a holder."""
        return tuple(k for k in self.kept if holder is not None and k.holder == holder)

    # Answers

    def refusals(
        self, holder: Hashable, period: Period, blocked: Period, now: datetime
    ) -> Iterator[Refusal]:
        """Say whether a booking (`blocked` with its buffers) leaves too little for others."""
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
        # What is theirs is judged as it was, and as the booking leaves it: it may harm itself,
        # nobody else.
        for others_only in (True, False):
            before = [(k, g, k.left) for k, g in bound if not (others_only and k.holder == holder)]
            then = [
                (k, g, left - self._burnt(k, g, period, lost, segments))
                if k.holder == holder
                else (k, g, left)
                for k, g, left in before
            ]
            burnt = _total(before) - _total(then)
            if sum(_kept_of(segments, after, then), burnt) < sum(
                _kept_of(segments, free, before), ZERO
            ):
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
        """What a booking of the holder takes of what is theirs, with what its buffers and what
        they cut off take: at most what is left."""
        inside = kept.inside(period)
        cost = sum((x for x, s in zip(lost, segments, strict=True) if guarded.contains(s)), ZERO)
        return min(kept.left, max(inside.length if inside else ZERO, cost)) if inside else ZERO

    def unmet(self, now: datetime) -> list[tuple[Kept, timedelta]]:
        """What can no longer be booked of each promise, the time before its release aside: those
        that are whole left out."""
        segments, free = self._free_at(now)
        wanted = [(k, g, k.left) for k in self.kept if (g := k.guarded(now))]
        pairs = zip(wanted, _kept_of(segments, free, wanted), strict=True)
        return [(k, left - given) for (k, _, left), given in pairs if given < left]

    def room_for(self, kept: Kept, now: datetime) -> int:
        """How many minutes more could be promised in the window of another right, beside what is
        promised."""
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
        """What is taken, by unit."""
        return ((unit, span) for unit, lane in self._lanes.items() for span in lane)

    def _free_at(self, now: datetime) -> tuple[list[Period], list[timedelta]]:
        """The time from now on, cut where a window begins or ends, and what is free of each
        piece."""
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
        """What a booking on the first unit that is free takes of each piece."""
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
        """Add to each piece of time what may be booked of a gap between two others on a unit: of
        what its buffers leave of each opening, if that is no shorter than the shortest booking."""
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


type Wanted = Sequence[tuple[Kept, Period, timedelta]]  # with what is guarded, and what is left


def _total(wanted: Wanted) -> timedelta:
    return sum((left for _, _, left in wanted), ZERO)


def _kept_of(
    segments: Sequence[Period], free: Sequence[timedelta], wanted: Wanted
) -> list[timedelta]:
    """What of each promise can be kept when as much as possible is: every piece of free time goes
    to the one that ends first (Glover's rule for convex graphs)."""
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


def _shortest(
    segments: Sequence[Period], free: Sequence[timedelta], wanted: Wanted
) -> dict[str, str | int]:
    """The numbers of the interval in which most is missing: hours kept there, hours that would be
    left free, its borders, and when it is everybody's."""

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
    """Hours with at most two decimals."""
    return f"{length / timedelta(hours=1):.2f}".rstrip("0").rstrip(".")
