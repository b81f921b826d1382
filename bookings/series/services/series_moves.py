"""Moving one booking of a series, that and the following ones, or all."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from accounts.domain.errors import WrongState
from accounts.domain.roles import By
from bookings.availability.models import Occupancy
from bookings.catalogue.services.demand import guarded
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.models import Reservation
from bookings.reserving.domain.moves import SHORTEN
from bookings.reserving.selectors.placing import require_unblocked
from bookings.reserving.services import moves
from bookings.reserving.services.placing import lapse_due
from bookings.series.domain import series as series_rules
from bookings.series.models import Series
from bookings.series.selectors.series import choose, wall_clocks
from bookings.series.selectors.series_moves import Shift, shift_of, weigh_series_move
from bookings.series.services.series import series_locked, series_record, series_tell, series_touch
from instruments.register.models import Instrument


def series_move(
    by: By, *, series_id: UUID, scope: str, reservation_id: UUID, period: Period, reason: str = ""
) -> Series:
    """Move one booking to another time, and the others in scope by the same amount on the wall clock, all or
    none; bookings that have begun stay. Return the series to which they then belong: a new one (`split_from`)
    if some bookings come before them.

    Raises `RulesRefuse`, which names refused bookings by their number from 0 among those to move, in the
    order of the rule. None is blocked by the present time of another.
    """
    with guarded():
        instrument, series, rows = series_locked(by, series_id)
        lapse_due(instrument, by.now)
        chosen = choose(rows, scope, reservation_id, by.now)
        if not chosen:
            raise WrongState("series-over")
        if scope == series_rules.THIS:
            moves.reservation_move(
                By(by.actor, by.now), reservation_id=reservation_id, period=period, reason=reason
            )
            series_touch(series)
            return series
        this = next(r for r in rows if r.pk == reservation_id)
        return _move(by, instrument, series, chosen, shift_of(series, this, period), reason)


def _move(
    by: By, instrument: Instrument, series: Series, chosen: Sequence[Reservation], shift: Shift, reason: str
) -> Series:
    if shift.is_none:
        return series
    backing = moves.backing_locked(instrument, chosen[0])
    weighed = weigh_series_move(by.actor, instrument, series, chosen, shift, by.now, backing=backing)
    for reservation, move in weighed:
        moves.require_mover(by.actor, instrument, reservation, move.period, reason)
        moves.require_movable(reservation, move.period, by.now)
    if any(move.kind != SHORTEN for _, move in weighed):
        one = chosen[0]
        require_unblocked(by.actor, instrument, one.user_id, one.organisation_id, by.now)
    refusals = [
        replace(refusal, booking=index)
        for index, (_, move) in enumerate(weighed)
        for refusal in move.refusals
    ]
    if refusals:
        raise RulesRefuse(refusals)
    moved = [
        (reservation, move)
        for reservation, move in weighed
        if (reservation.start_at, reservation.end_at) != (move.period.start, move.period.end)
    ]
    # Each may move to where another still is, so all give up their time before any takes a new one.
    Occupancy.objects.filter(reservation__in=[r for r, _ in moved]).delete()
    for reservation, move in moved:
        moves.move_store(
            by,
            instrument=instrument,
            reservation=reservation,
            move=move,
            reason=reason.strip(),
            is_one_of_many=True,
        )
    series = _reseries(by, series, chosen, shift)
    series_tell(chosen, "series-moved", by.now)
    series_record(
        by,
        series,
        "series.move",
        chosen,
        reason.strip(),
        by_minutes=int(shift.by.total_seconds() // 60),
        minutes=shift.minutes or series.minutes,
    )
    return series


def _reseries(by: By, series: Series, chosen: Sequence[Reservation], shift: Shift) -> Series:
    """Give the moved bookings a rule that matches their new times; earlier bookings keep the old rule, which
    then ends before the moved ones."""
    zone = ZoneInfo(series.time_zone)
    first = chosen[0].occurrence_at or chosen[0].start_at
    before, walls, rule = _parted(series, zone, first)
    later = series_rules.shifted_rule(rule, walls, shift.by, zone) if rule and walls else None
    at = wall_clocks(series)
    start = series_rules.instant_of(
        zone, (walls[0] if walls else series_rules.wall_of(zone, first)) + shift.by
    )
    values: dict[str, Any] = {
        "rule": later.text if later else "",
        "starts_at": start,
        "minutes": shift.minutes or series.minutes,
    }
    old = series
    if before or not rule:
        if rule:
            series_touch(old, rule=replace(rule, count=before, until=None).text)
        series = Series.objects.create(
            instrument_id=old.instrument_id,
            user_id=old.user_id,
            made_by_id=by.actor.person,
            organisation_id=old.organisation_id,
            time_zone=old.time_zone,
            created_at=by.now,
            split_from=old,
            **values,
        )
    else:
        series_touch(series, **values)
    places = {}
    for reservation in chosen:
        was = reservation.occurrence_at or reservation.start_at
        places[reservation.pk] = series_rules.instant_of(
            zone, at.get(was, series_rules.wall_of(zone, was)) + shift.by
        )
    # Some may get places that others are about to leave.
    rows = Reservation.objects.filter(pk__in=list(places))
    rows.update(occurrence_at=None)
    for reservation in chosen:
        reservation.series = series
        reservation.occurrence_at = places[reservation.pk]
    Reservation.objects.bulk_update(chosen, ["series", "occurrence_at"])
    return series


def _parted(
    series: Series, zone: ZoneInfo, first: datetime
) -> tuple[int, list[datetime], series_rules.Rule | None]:
    """Return how many dates of a series' rule are before an instant, the wall clocks of the others, and the
    rule; (0, [], None) for a series without a rule."""
    if not series.rule:
        return 0, [], None
    rule = series_rules.parse_rule(series.rule)
    walls = series_rules.wall_times(rule, series_rules.wall_of(zone, series.starts_at), zone)
    later = [wall for wall in walls if series_rules.instant_of(zone, wall) >= first]
    return len(walls) - len(later), later, rule
