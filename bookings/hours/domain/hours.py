"""The hours of an instrument: the six exclusive states of SEMI E10, and the ratios between them.

The rules are in docs/statistics.md. This is the definition; `hours/selectors/figures.sql` computes the same
for many days at once, and a property test holds the two equal.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from uuid import UUID

from bookings.hours.domain.norms import norm_share
from bookings.record.domain.periods import Period, clip, intersect, subtract, total_minutes, union

LONGEST = timedelta(days=3660)  # the longest span that is summed up at once


@dataclass(frozen=True)
class Definitions:
    """A version of the definitions behind the figures, in force for days from `since` on."""

    number: int
    since: date

    @property
    def name(self) -> str:
        return f"{self.number} ({self.since})"


# Add a new version with its first day; figures of earlier days keep the version they were computed by.
DEFINITIONS = (Definitions(1, date(2025, 1, 1)),)

UNSCHEDULED_DOWN = frozenset({"breakdown"})
SCHEDULED_DOWN = frozenset({"maintenance", "calibration", "other"})
ENGINEERING = frozenset({"own-use", "training"})

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_FOREVER = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class Session:
    """A usage session and who pays for it. Without a check-out it is still going on."""

    id: UUID
    unit: int
    checked_in_at: datetime
    checked_out_at: datetime | None
    organisation_id: UUID
    payer_region_id: UUID
    price_group: str


@dataclass(frozen=True)
class Closed:
    """A closure. Without units it closes all of them; without an end it is still going on."""

    kind: str
    start: datetime
    end: datetime | None
    units: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Missed:
    """The reserved period of a no-show."""

    unit: int
    start: datetime
    end: datetime


@dataclass(frozen=True)
class StateMinutes:
    """Minutes in each of the six states; `no_show` is part of `standby`."""

    productive: int = 0
    unscheduled_down: int = 0
    scheduled_down: int = 0
    engineering: int = 0
    standby: int = 0
    non_scheduled: int = 0
    no_show: int = 0

    @property
    def total(self) -> int:
        return self.operations + self.non_scheduled

    @property
    def operations(self) -> int:
        """Return the operations time in minutes: all states but `non_scheduled`."""
        return self.uptime + self.unscheduled_down + self.scheduled_down

    @property
    def uptime(self) -> int:
        return self.productive + self.standby + self.engineering

    def __add__(self, other: "StateMinutes") -> "StateMinutes":
        return StateMinutes(
            productive=self.productive + other.productive,
            unscheduled_down=self.unscheduled_down + other.unscheduled_down,
            scheduled_down=self.scheduled_down + other.scheduled_down,
            engineering=self.engineering + other.engineering,
            standby=self.standby + other.standby,
            non_scheduled=self.non_scheduled + other.non_scheduled,
            no_show=self.no_show + other.no_show,
        )


@dataclass(frozen=True, order=True)
class Payer:
    """The payer of productive minutes: home organisation, its region, price group."""

    organisation_id: UUID
    region_id: UUID
    price_group: str


@dataclass(frozen=True)
class Use:
    """Productive minutes of one payer, and the sessions that began on the day."""

    minutes: int
    sessions: int


@dataclass(frozen=True)
class DayStates:
    """The states of one instrument on one local day, all its units together."""

    minutes: StateMinutes
    uses: dict[Payer, Use] = field(default_factory=dict)
    breakdowns: int = 0  # breakdowns that began on the day

    @property
    def is_plain(self) -> bool:
        """Say whether nothing happened: the calendar alone gives the figures, and no row is kept."""
        minutes = self.minutes
        return not self.uses and not (
            self.breakdowns
            or minutes.unscheduled_down
            or minutes.scheduled_down
            or minutes.engineering
            or minutes.no_show
        )


def definitions_on(until: date) -> Definitions:
    """Return the definitions in force on the last day before `until`; for days before all of them, the
    first."""
    in_force = [version for version in DEFINITIONS if version.since < until]
    return in_force[-1] if in_force else DEFINITIONS[0]


def day_states(
    *,
    starts_at: datetime,
    ends_at: datetime,
    units: int,
    windows: Iterable[Period],
    sessions: Iterable[Session] = (),
    closures: Iterable[Closed] = (),
    no_shows: Iterable[Missed] = (),
) -> DayStates:
    """Return the minutes of [starts_at, ends_at), a local day, in each state; they always add up to the day's
    minutes x units.

    Everything is cut to whole minutes first (seconds are dropped at both ends) and then to the day. Where two
    sessions on one unit overlap, the one that was checked in earlier (then the lower id) keeps the shared
    minutes. Units outside 1..`units` do not count. A session counts on the day it began, even if no whole
    minute of it is left; so does a breakdown, once, however many units it stopped.
    """
    start, end = _minute(starts_at), _minute(ends_at)
    if start >= end:  # a date that the zone skipped
        return DayStates(StateMinutes())
    day = Period(start, end)
    opened = [piece for window in windows for piece in _cut(window.start, window.end, day)]
    in_order = sorted(sessions, key=lambda session: (session.checked_in_at, session.id))
    closures, no_shows = list(closures), list(no_shows)
    minutes: dict[Payer, int] = defaultdict(int)
    begun: dict[Payer, int] = defaultdict(int)
    states = StateMinutes()
    for unit in range(1, units + 1):
        used: list[Period] = []
        for session in (session for session in in_order if session.unit == unit):
            payer = Payer(session.organisation_id, session.payer_region_id, session.price_group)
            piece = _cut(session.checked_in_at, session.checked_out_at, day)
            if day.start <= _minute(session.checked_in_at) < day.end:
                begun[payer] += 1
            minutes[payer] += total_minutes(subtract(piece, used))
            used = union([*used, *piece])
        states += _unit_states(
            day,
            opened,
            used,
            [closed for closed in closures if not closed.units or unit in closed.units],
            [missed for missed in no_shows if missed.unit == unit],
        )
    uses = {
        payer: Use(minutes[payer], begun[payer])
        for payer in sorted(minutes)
        if minutes[payer] or begun[payer]
    }
    breakdowns = sum(
        day.start <= _minute(closed.start) < day.end
        and (closed.end is None or _minute(closed.start) < _minute(closed.end))
        and (not closed.units or any(1 <= unit <= units for unit in closed.units))
        for closed in closures
        if closed.kind in UNSCHEDULED_DOWN
    )
    return DayStates(states, uses, breakdowns)


def _unit_states(
    day: Period,
    opened: Sequence[Period],
    used: Sequence[Period],
    closures: Sequence[Closed],
    no_shows: Sequence[Missed],
) -> StateMinutes:
    """Return one unit's minutes by state: each state, in order of priority, takes its minutes from what is
    left of the day."""

    def closed(kinds: frozenset[str]) -> list[Period]:
        return [p for c in closures if c.kind in kinds for p in _cut(c.start, c.end, day)]

    left = [day]
    parts = []
    for claimed in (used, closed(UNSCHEDULED_DOWN), closed(SCHEDULED_DOWN), closed(ENGINEERING), opened):
        parts.append(intersect(left, claimed))
        left = subtract(left, claimed)
    productive, unscheduled, scheduled, engineering, standby = parts
    missed = [p for no_show in no_shows for p in _cut(no_show.start, no_show.end, day)]
    return StateMinutes(
        productive=total_minutes(productive),
        unscheduled_down=total_minutes(unscheduled),
        scheduled_down=total_minutes(scheduled),
        engineering=total_minutes(engineering),
        standby=total_minutes(standby),
        non_scheduled=total_minutes(left),
        no_show=total_minutes(intersect(standby, missed)),
    )


def days_due(
    *, rolled_until: date, finished_until: date, since: date | None, until: date | None
) -> tuple[date, date]:
    """Return the local days [first, last) that a roll-up has to do.

    Without `since` and `until`: those finished and not yet rolled up. With them: the finished days of [since,
    until), and any unrolled days before them, so that no gap is left before a day that is rolled up.
    """
    last = min(finished_until, until) if until else finished_until
    first = since or rolled_until
    return (min(first, rolled_until) if last > rolled_until else first), last


def ratios(
    minutes: StateMinutes,
    *,
    other_organisations: int = 0,
    other_regions: int = 0,
    norm_minutes: int | None = None,
    breakdowns: int = 0,
) -> dict[str, str | None]:
    """Return the ratios as decimal fractions with four places; None where the denominator is 0.

    `other_organisations` and `other_regions` are productive minutes of payers outside the host organisation
    and outside the host region. The external share is 0 where there are no productive minutes (NRII).
    `norm_minutes` are those of the period; `norm_utilisation` may exceed 1. `mtbf_hours` and `mttr_hours` are
    productive and unscheduled down hours, with two places, per breakdown that began.
    """
    productive = minutes.productive
    return {
        "availability": _fraction(minutes.uptime, minutes.operations),
        "operational_utilisation": _fraction(productive, minutes.operations),
        "total_utilisation": _fraction(productive, minutes.total),
        "norm_utilisation": _rounded(norm_share(productive, norm_minutes or 0)),
        "external_share": _fraction(other_organisations, productive or 1),
        "cross_region_share": _fraction(other_regions, productive),
        "mtbf_hours": _fraction(productive, breakdowns * 60, "0.01"),
        "mttr_hours": _fraction(minutes.unscheduled_down, breakdowns * 60, "0.01"),
    }


def _fraction(part: int, whole: int, places: str = "0.0001") -> str | None:
    return _rounded(Fraction(part, whole) if whole else None, places)


def _rounded(value: Fraction | None, places: str = "0.0001") -> str | None:
    if value is None:
        return None
    exact = Decimal(value.numerator) / value.denominator
    return str(exact.quantize(Decimal(places), ROUND_HALF_UP))


def _minute(instant: datetime) -> datetime:
    """Return the instant in UTC with its seconds cut off."""
    return _EPOCH + (instant - _EPOCH) // _MINUTE * _MINUTE


def _cut(start: datetime, end: datetime | None, day: Period) -> list[Period]:
    """Return the whole minutes of [start, end) within the day: one period or none."""
    piece = clip(_minute(start), _minute(end or _FOREVER), day)
    return [piece] if piece else []
