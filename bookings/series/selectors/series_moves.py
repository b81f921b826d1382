"""Work out what moving several bookings of a series would mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain
from uuid import UUID
from zoneinfo import ZoneInfo

from accounts.domain.errors import WrongState
from accounts.domain.roles import Actor
from bookings.availability.domain.availability import Block
from bookings.availability.domain.quotas import Booked
from bookings.availability.selectors.availability import around, load_calendar
from bookings.pricing.selectors.charges import load_kept_parts
from bookings.pricing.selectors.fees import Backing, load_backing
from bookings.record.domain.periods import Period
from bookings.record.models import Reservation
from bookings.reserving.selectors.moves import Move, weigh_move
from bookings.series.domain.series import instant_of, wall_of
from bookings.series.models import Series
from bookings.series.selectors.series import choose, reservations_of, series_for, wall_clocks
from instruments.register.models import Instrument
from instruments.register.selectors.registry import WITH


@dataclass(frozen=True)
class Shift:
    """A change of times: `by` on the wall clock of the instrument; `minutes` is the new length, None if each
    booking keeps its own."""

    by: timedelta
    minutes: int | None

    @property
    def is_none(self) -> bool:
        return not self.by and self.minutes is None


def shift_of(series: Series, this: Reservation, period: Period) -> Shift:
    """Return the change that gives one booking a new period."""
    zone, walls = ZoneInfo(series.time_zone), wall_clocks(series)
    is_there = period.start == this.start_at
    by = timedelta() if is_there else wall_of(zone, period.start) - _wall(zone, walls, this)
    old = Period(this.start_at, this.end_at)
    return Shift(by, None if period.minutes == old.minutes else period.minutes)


def shifted(series: Series, reservations: Sequence[Reservation], shift: Shift) -> list[Period]:
    """Return the new periods that an edit gives some bookings of a series."""
    zone, walls = ZoneInfo(series.time_zone), wall_clocks(series)
    periods = []
    for r in reservations:
        start = instant_of(zone, _wall(zone, walls, r) + shift.by) if shift.by else r.start_at
        minutes = shift.minutes or Period(r.start_at, r.end_at).minutes
        periods.append(Period(start, start + timedelta(minutes=minutes)))
    return periods


def _wall(zone: ZoneInfo, walls: Mapping[datetime, datetime], reservation: Reservation) -> datetime:
    """Return the wall-clock time of a booking. If it is still at the time of the rule, this is the rule's own
    time, so that a day on which a clock change skipped that time is shifted like any other."""
    start = reservation.start_at
    if start == reservation.occurrence_at and start in walls:
        return walls[start]
    return wall_of(zone, start)


def weigh_series_move(
    actor: Actor,
    instrument: Instrument,
    series: Series,
    reservations: Sequence[Reservation],
    shift: Shift,
    now: datetime,
    *,
    backing: Backing | None = None,
) -> list[tuple[Reservation, Move]]:
    """Work out what shifting each of some bookings would mean; those that pass count for those after them,
    and none is blocked by the present time of another. A few statements for each."""
    periods = shifted(series, reservations, shift)
    span = around(Period(min(p.start for p in periods), max(p.end for p in periods)))
    calendar = load_calendar(instrument, span, now, without=[r.pk for r in reservations])
    backing = backing or load_backing(series.organisation, instruments=[instrument])
    moves = []
    spent: set[UUID] = set()
    has_rights = calendar is not None and calendar.rights(series.organisation_id)
    had = load_kept_parts(r.pk for r in reservations) if has_rights else {}
    for reservation, period in zip(reservations, periods, strict=True):
        had.pop(reservation.pk, None)
        move = weigh_move(
            actor, instrument, reservation, period, now,
            calendar=calendar, backing=backing, spent=spent, others=chain(*had.values()),
        )  # fmt: skip
        moves.append((reservation, move))
        if calendar is None or move.refusals or move.unit is None:
            continue
        backing = backing.having(move.earmarked.grant_id, move.earmarked.held)
        backing = backing.having(move.grant_id, -move.new.covered if move.new else Decimal(0))
        blocked = period.padded(move.setup_minutes, move.teardown_minutes)
        calendar.take(
            Block(blocked, move.unit),
            Booked(
                period,
                reservation.user_id,
                reservation.organisation_id,
                move.terms.price_group,
                move.terms.is_same_region,
            ),
        )
    return moves


def load_series_move(
    actor: Actor, series_id: UUID, scope: str, this: UUID, period: Period, now: datetime
) -> list[tuple[Reservation, Move]]:
    """Return what moving the bookings in a scope would mean, without doing it. Raises `WrongState` if nothing
    is left to move."""
    series = series_for(actor, series_id)
    rows = list(reservations_of(actor, series))
    chosen = choose(rows, scope, this, now)
    if not chosen:
        raise WrongState("series-over")
    instrument = Instrument.objects.select_related(*WITH).get(pk=series.instrument_id)
    reference = next(r for r in rows if r.pk == this)
    shift = shift_of(series, reference, period)
    return weigh_series_move(actor, instrument, series, chosen, shift, now)
