"""Decide when an instrument can be booked: one engine for search, slots, quotes and bookings.

Rules: docs/availability.md. `Calendar` holds what is offered and what is taken, as plain values. `check`
returns everything that refuses a wish (a period to book), and `starts` lists what would be accepted; both
apply the same rules, so they cannot disagree.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import nsmallest
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from bookings.availability.domain.group_hours import CODES, broken
from bookings.availability.domain.kept_hours import Kept, Promises
from bookings.availability.domain.quotas import Booked, Tally
from bookings.record.domain.periods import Period, clip, intersect, subtract, union
from bookings.record.domain.refusals import Refusal, Way
from instruments.opening.domain.opening import Window, merged
from instruments.policy.domain.policies import GroupHours, Policy
from instruments.reading.domain.clock import clock

CLOSURE = "closure"
RESERVATION = "reservation"
NEAREST_WITHIN = timedelta(days=14)
LENGTHS_TRIED = 500
NEAR = timedelta(days=1)
# Rules that refuse at any time, and those about the certificate that working alone needs.
STANDING = frozenset(
    {
        "not-published",
        "mode-not-priced",
        "audience-not-served",
        "qualification-missing",
        "hazard-not-accepted",
    }
)
UNCERTIFIED = frozenset({"qualification-missing", "qualification-expires"})


@dataclass(frozen=True)
class Block:
    """A span during which a unit is taken, including buffers."""

    period: Period
    unit: int = 1
    kind: str = RESERVATION


@dataclass(frozen=True)
class Asker:
    """The person who asks, with what the rules need to know of them.

    is_served: the price group has a rate; is_priced: the way of working has a price; user, organisation:
    whose quotas count (None if nobody is signed in); is_same_region: payer and host lie in one region;
    qualified: the periods in which the person's certificate is valid, None if none is needed; guided: the
    instrument's service modes that need none; certified: the same as `qualified` for the certificates
    required by hours for certain groups, by what they are for.
    """

    price_group: str = "external"
    is_served: bool = True
    is_priced: bool = True
    user: Hashable = None
    organisation: Hashable = None
    is_same_region: bool = False
    qualified: tuple[Period, ...] | None = None
    guided: tuple[str, ...] = ()
    certified: tuple[tuple[str, tuple[Period, ...]], ...] = ()


@dataclass(frozen=True)
class Hazard:
    """A hazard of a sample: the code of its class, and the sample's own code and name."""

    code: str
    sample: str
    name: str


@dataclass(frozen=True)
class Wish:
    """A period that somebody wants to book.

    waived: codes of rules that do not apply to it: notice and horizon if only the length of a booking
    changes, and those that a manager overrides. keeps_start: only the length may change, so the nearest
    alternative is another length. hazards: those of the samples to be measured.
    """

    period: Period
    asker: Asker
    waived: frozenset[str] = frozenset()
    keeps_start: bool = False
    hazards: tuple[Hazard, ...] = ()


def not_accepted(hazards: Iterable[Hazard], refused: Collection[str]) -> Iterator[Refusal]:
    """Yield a refusal for each hazard of the samples whose class is among those that are refused."""
    for hazard in hazards:
        if hazard.code in refused:
            numbers = {"hazard": hazard.code, "sample": hazard.sample, "name": hazard.name}
            yield Refusal("hazard-not-accepted", numbers)


def unqualified(asker: Asker, period: Period) -> Iterator[Refusal]:
    """Yield a refusal if the person needs a certificate and has none that is valid throughout the period: it
    ends too early, or there is none."""
    if asker.qualified is None or any(span.contains(period) for span in asker.qualified):
        return
    ends = [span.end for span in asker.qualified if span.start <= period.start]
    if ends:
        yield Refusal("qualification-expires", {"until": max(ends).isoformat()})
    else:
        yield Refusal("qualification-missing")


def outside_group(
    rules: Sequence[GroupHours], zone: ZoneInfo, asker: Asker, period: Period
) -> Iterator[Refusal]:
    """Yield a refusal for each rule that reserves hours of the period for a group that the person is not
    in."""
    for rule in broken(
        rules,
        zone,
        period,
        price_group=asker.price_group,
        is_same_region=asker.is_same_region,
        certified=asker.certified,
    ):
        times: dict[str, str | int] = {"opens": clock(rule.opens), "closes": clock(rule.closes)}
        yield Refusal(CODES[rule.who], times)


def too_far(horizon_days: int, now: datetime, zone: ZoneInfo) -> Refusal:
    """Refuse a start that is further ahead than allowed. `latest` is the last day, local to the instrument,
    on which a booking may start."""
    latest = (now + timedelta(days=horizon_days)).astimezone(zone).date()
    return Refusal("too-far", {"horizon_days": horizon_days, "latest": latest.isoformat()})


class Calendar:
    """The time that an instrument offers, and what of it is taken, around some span.

    windows: unmerged opening windows that cover the span and its surroundings; blocks: live occupancies
    there; booked: the bookings that count for quotas and the share kept for other regions, in the days, weeks
    and months (of `zone`) that the span touches; promises: hours guaranteed to holders. `check` and `starts`
    are correct only within that span.
    """

    def __init__(
        self,
        *,
        windows: Sequence[Window],
        policy: Policy,
        blocks: Sequence[Block],
        is_published: bool = True,
        zone: ZoneInfo | None = None,
        booked: Iterable[Booked] = (),
        promises: Promises | None = None,
    ) -> None:
        self.windows = sorted(windows)
        self.policy = policy
        self.blocks = sorted(blocks, key=lambda b: b.period)
        self.is_published = is_published
        self.zone = zone or ZoneInfo("UTC")
        self.booked = tuple(booked)
        self.promises = promises
        self._tallies: dict[tuple[Asker, datetime], Tally] = {}
        self._open = [Period(w.opens_at, w.closes_at) for w in merged(self.windows)]
        self._open_starts = [period.start for period in self._open]
        self._lanes: dict[int, list[Block]] = {unit: [] for unit in range(1, policy.units + 1)}
        for block in self.blocks:
            if block.unit in self._lanes:
                self._lanes[block.unit].append(block)
        self._lane_starts = {u: [b.period.start for b in lane] for u, lane in self._lanes.items()}

    @property
    def units(self) -> Collection[int]:
        return self._lanes.keys()

    def keep_buffers(self, setup_minutes: int, teardown_minutes: int) -> None:
        """Apply the buffers with which a booking was made, in place of those of the policy in force."""
        self.policy = replace(self.policy, setup_minutes=setup_minutes, teardown_minutes=teardown_minutes)

    def take(self, block: Block, booked: Booked) -> None:
        """Add a new booking, so that it counts for the wishes that are checked after it."""
        insort(self.blocks, block, key=lambda b: b.period)
        insort(self._lanes[block.unit], block, key=lambda b: b.period)
        insort(self._lane_starts[block.unit], block.period.start)
        self.booked = (*self.booked, booked)
        if self.promises is not None:
            self.promises.take(block.unit, block.period, booked.organisation, booked.period)
        self._tallies.clear()

    def rights(self, holder: Hashable) -> tuple[Kept, ...]:
        """Return the hours that are guaranteed to a holder."""
        return self.promises.rights(holder) if self.promises else ()

    # What the rules ask

    def blocked_span(self, period: Period) -> Period:
        """Return the period with its buffers."""
        return period.padded(self.policy.setup_minutes, self.policy.teardown_minutes)

    def met_on(self, unit: int, span: Period) -> list[Block]:
        """Return the blocks of a unit that overlap a span. Blocks of one unit never overlap each other."""
        starts, lane = self._lane_starts[unit], self._lanes[unit]
        first = max(0, bisect_right(starts, span.start) - 1)
        last = bisect_left(starts, span.end)
        return [block for block in lane[first:last] if block.period.meets(span)]

    def free_unit(self, period: Period) -> int | None:
        """Return the lowest unit that is free for the period and its buffers, or None."""
        return self._free_unit(
            period.start - timedelta(minutes=self.policy.setup_minutes),
            period.end + timedelta(minutes=self.policy.teardown_minutes),
        )

    def _free_unit(self, low: datetime, high: datetime) -> int | None:
        for unit, lane in self._lanes.items():
            # Blocks of a unit never overlap each other: the last to begin is the last to end.
            before = bisect_left(self._lane_starts[unit], high)
            if not before or lane[before - 1].period.end <= low:
                return unit
        return None

    def is_open(self, period: Period) -> bool:
        """Return whether the period lies inside one merged opening window."""
        index = bisect_right(self._open_starts, period.start) - 1
        return index >= 0 and period.end <= self._open[index].end

    def is_on_grid(self, start: datetime) -> bool:
        """Return whether the start lies a whole number of slots after the opening of some window."""
        slot = timedelta(minutes=self.policy.slot_minutes)
        return any(
            not (start - window.opens_at) % slot
            for window in self.windows
            if window.opens_at <= start < window.closes_at
        )

    # Answers

    def refusing(self, wish: Wish, now: datetime) -> tuple[Refusal, ...]:
        """Return a refusal for every rule that the wish breaks, including rules that are waived."""
        return (
            *self._standing(wish.asker),
            *unqualified(wish.asker, wish.period),
            *not_accepted(wish.hazards, self.policy.refused_hazards),
            *outside_group(self.policy.group_hours, self.zone, wish.asker, wish.period),
            *self._timing(wish, now),
            *self._capacity(wish.period),
            *self._limits(wish.asker, wish.period, now),
        )

    def check(self, wish: Wish, now: datetime) -> tuple[Refusal, ...]:
        """Return a refusal for every rule that forbids the wish; if there is none, it may be booked."""
        return tuple(r for r in self.refusing(wish, now) if r.code not in wish.waived)

    def explain(self, wish: Wish, now: datetime) -> tuple[Refusal, ...]:
        """Check a wish as `check` does, and add the nearest period that would be accepted; where a
        certificate is lacking, also in the service modes that need none. The calendar must cover two weeks
        before and after."""
        refusals = self.check(wish, now)
        if wish.asker.guided and any(refusal.code in UNCERTIFIED for refusal in refusals):
            ways = self._ways(wish, now)
            refusals = tuple(replace(r, ways=ways) if r.code in UNCERTIFIED else r for r in refusals)
        if not refusals or any(refusal.code in STANDING for refusal in refusals):
            return refusals
        nearest = self.nearest(wish, now)
        return tuple(replace(refusal, nearest=nearest) for refusal in refusals)

    def _ways(self, wish: Wish, now: datetime) -> tuple[Way, ...]:
        """Return the service modes that need no certificate, with the nearest period in which they would be
        accepted; none if another standing reason refuses."""
        guided = replace(wish, asker=replace(wish.asker, qualified=None))
        left = self.check(guided, now)
        if any(refusal.code in STANDING for refusal in left):
            return ()
        period = self.nearest(guided, now) if left else wish.period
        return tuple(Way(mode, period) for mode in wish.asker.guided) if period else ()

    def within_reach(self, wish: Wish, now: datetime) -> Period:
        """Return the wished period, moved to the first or last start that notice and horizon allow if it lies
        before or after these."""
        earliest = now + timedelta(minutes=self.policy.notice_minutes)
        latest = now + timedelta(days=self.policy.horizon_for(wish.asker.price_group))
        start = min(max(wish.period.start, earliest), latest)
        return Period(start, start + wish.period.length)

    def _standing(self, asker: Asker) -> Iterator[Refusal]:
        if not self.is_published:
            yield Refusal("not-published")
        if not asker.is_priced:
            yield Refusal("mode-not-priced")
        if not asker.is_served:
            yield Refusal("audience-not-served", {"price_group": asker.price_group})

    def _limits(self, asker: Asker, period: Period, now: datetime) -> Iterator[Refusal]:
        policy = self.policy
        if self.promises is not None:
            blocked = self.blocked_span(period)
            yield from self.promises.refusals(asker.organisation, period, blocked, now)
        if not policy.quotas and policy.cross_region_share is None:
            return
        if (asker, now) not in self._tallies:
            self._tallies[asker, now] = Tally(
                quotas=policy.quotas,
                share=policy.cross_region_share,
                zone=self.zone,
                booked=self.booked,
                now=now,
                user=asker.user,
                organisation=asker.organisation,
                price_group=asker.price_group,
                is_same_region=asker.is_same_region,
                offered=self.offered,
            )
        yield from self._tallies[asker, now].refusals(period)

    def offered(self, within: Period) -> timedelta:
        """Return the time on offer, summed over units: open time, less what closures take of it."""
        opened = self.opened(within)
        total = sum((p.length for p in opened), timedelta()) * self.policy.units
        for lane in self._lanes.values():
            closed = [block.period for block in lane if block.kind == CLOSURE]
            total -= sum((p.length for p in intersect(opened, closed)), timedelta())
        return total

    def _timing(self, wish: Wish, now: datetime) -> Iterator[Refusal]:
        policy, period = self.policy, wish.period
        lead = period.start - now
        if lead < timedelta(minutes=policy.notice_minutes):
            yield Refusal("too-soon", {"notice_minutes": policy.notice_minutes})
        horizon = policy.horizon_for(wish.asker.price_group)
        if lead > timedelta(days=horizon):
            yield too_far(horizon, now, self.zone)
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
        self,
        *,
        minutes: int,
        asker: Asker,
        within: Period,
        now: datetime,
        waived: frozenset[str] = frozenset(),
    ) -> list[datetime]:
        """Return every start at which a booking of `minutes` would be accepted and end inside `within`."""
        return list(self._starts(minutes, asker, within, now, waived))

    def first_starts(
        self, *, minutes: int, asker: Asker, within: Period, now: datetime, most: int
    ) -> list[datetime]:
        """Return the first `most` starts at which a booking of `minutes` would be accepted and end inside
        `within`."""
        return list(islice(self._starts(minutes, asker, within, now, frozenset()), most))

    def _starts(
        self, minutes: int, asker: Asker, within: Period, now: datetime, waived: frozenset[str]
    ) -> Iterator[datetime]:
        policy = self.policy
        if not (self.is_published and asker.is_served and asker.is_priced) or minutes % policy.slot_minutes:
            return
        if not policy.min_minutes <= minutes <= policy.max_minutes:
            return
        slot, length = timedelta(minutes=policy.slot_minutes), timedelta(minutes=minutes)
        earliest, latest = within.start, within.end - length
        if "too-soon" not in waived:
            earliest = max(earliest, now + timedelta(minutes=policy.notice_minutes))
        if "too-far" not in waived:
            latest = min(latest, now + timedelta(days=policy.horizon_for(asker.price_group)))
        setup = timedelta(minutes=policy.setup_minutes)
        whole = length + timedelta(minutes=policy.teardown_minutes)
        is_limited = bool(
            asker.qualified is not None
            or policy.quotas
            or policy.cross_region_share is not None
            or policy.group_hours
            or self.promises is not None
        )
        last: datetime | None = None
        for start in self._grid(earliest, latest, slot):
            if start == last:
                continue
            last = start
            index = bisect_right(self._open_starts, start) - 1
            if index < 0 or start + length > self._open[index].end:
                continue
            if self._free_unit(start - setup, start + whole) is None:
                continue
            if is_limited:
                period = Period(start, start + length)
                if any(unqualified(asker, period)) or not all(
                    r.code in waived
                    for r in (
                        *outside_group(policy.group_hours, self.zone, asker, period),
                        *self._limits(asker, period, now),
                    )
                ):
                    continue
            yield start

    def _grid(self, earliest: datetime, latest: datetime, slot: timedelta) -> Iterator[datetime]:
        """Yield the grid starts in [earliest, latest] in order; those of overlapping windows are merged."""
        points: set[datetime] = set()
        reached = earliest
        for window in self.windows:
            if window.closes_at <= earliest or window.opens_at > latest:
                continue
            if window.opens_at >= reached:
                # No later window has a point before these; most callers need no more.
                yield from sorted(points)
                points.clear()
            skipped = max(timedelta(), earliest - window.opens_at)
            start = window.opens_at + -(-skipped // slot) * slot
            while start < window.closes_at and start <= latest:
                points.add(start)
                start += slot
            reached = max(reached, window.closes_at)
        yield from sorted(points)

    def nearest(self, wish: Wish, now: datetime) -> Period | None:
        """Return the accepted period that is nearest in time, with the nearest length that is allowed; for a
        wish that keeps its start, the nearest other length. None if there is none."""
        if wish.keeps_start:
            return self._nearest_length(wish, now)
        policy = self.policy
        slot = policy.slot_minutes
        minutes = -(-int(wish.period.length.total_seconds()) // (slot * 60)) * slot
        minutes = max(policy.min_minutes, min(policy.max_minutes, minutes))
        requested_start, length = wish.period.start, timedelta(minutes=minutes)
        for reach in (NEAR, NEAREST_WITHIN):  # a period found nearby is nearer than any further away
            starts = self.starts(
                minutes=minutes,
                asker=wish.asker,
                within=Period(requested_start - reach, requested_start + reach + length),
                now=now,
                waived=wish.waived,
            )
            if starts:
                start = min(starts, key=lambda s: (abs(s - requested_start), s))
                return Period(start, start + length)
        return None

    def _nearest_length(self, wish: Wish, now: datetime) -> Period | None:
        policy, start = self.policy, wish.period.start
        lengths = range(policy.min_minutes, policy.max_minutes + 1, policy.slot_minutes)
        wished = wish.period.minutes
        # This runs under the instrument's lock, so only the nearest lengths of a fine grid are tried.
        for minutes in nsmallest(LENGTHS_TRIED, lengths, key=lambda m: (abs(m - wished), m)):
            period = Period(start, start + timedelta(minutes=minutes))
            if not self.check(replace(wish, period=period), now):
                return period
        return None

    def opened(self, within: Period) -> list[Period]:
        """Return the merged opening hours inside a span."""
        return [p for o in self._open if (p := clip(o.start, o.end, within))]

    def busy(self, within: Period) -> list[tuple[Period, str]]:
        """Return the spans inside `within`, also outside opening hours, in which no unit is free, including
        buffers, with their kind.

        With several units, a span is busy only while all of them are taken.
        """
        edges = sorted(
            {e for b in self.blocks for e in (b.period.start, b.period.end)} | {within.start, within.end}
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
        """Return the opening hours inside a span in which at least one unit is free."""
        return subtract(self.opened(within), union(p for p, _ in self.busy(within)))
