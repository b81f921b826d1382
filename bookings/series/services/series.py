"""Recurring bookings: making them, and changing one, the following ones, or all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import NotFound, WrongState, invalid
from accounts.domain.roles import By
from accounts.notifications import Effect, enqueue
from bookings.catalogue.selectors.parties import Booking, Parties
from bookings.catalogue.services.demand import demand_lacking, guarded
from bookings.funding.services.earmarks import purses_lock
from bookings.pricing.selectors.fees import load_backings
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.locks import lock_reservations
from bookings.record.models import Reservation
from bookings.reserving.selectors.placing import require_unblocked
from bookings.reserving.services import placing
from bookings.reserving.services.holds import holds_give_back
from bookings.reserving.services.house_rules import house_rules_require
from bookings.reserving.services.reservations import reservation_drop
from bookings.series.domain.series import THIS
from bookings.series.locks import lock_series
from bookings.series.models import Series
from bookings.series.selectors import series as series_selectors
from instruments.register.locks import lock_instrument
from instruments.register.models import Instrument
from instruments.register.selectors.registry import may_see

SKIP, REFUSE = ON_CONFLICT = ("skip", "refuse")


@dataclass(frozen=True)
class SeriesBooked:
    """A series, its bookings in the order of time, and the dates that were left out."""

    series: Series
    reservations: tuple[Reservation, ...]
    skipped: tuple[series_selectors.Occurrence, ...]


def series_book(by: By, *, booking: Booking, rule: str, on_conflict: str) -> SeriesBooked:
    """Book every date of a rule, from the booking's own period on, in one transaction.

    on_conflict: `refuse` books all dates or none, and raises `RulesRefuse`, which numbers the date of each
    refusal from 0 (`Refusal.booking`); `skip` books those that pass, and raises `RulesRefuse` if none does.
    Each date is judged as if those before it were booked. One message tells of them all.
    """
    if on_conflict not in ON_CONFLICT:
        raise invalid("on_conflict", "unknown-choice", allowed=", ".join(ON_CONFLICT))
    parties = placing.parties_of(by.actor, booking)
    occurrences: list[series_selectors.Occurrence] = []
    try:
        with guarded():
            booked = _book(by, parties, booking, rule, on_conflict, occurrences)
    except RulesRefuse:
        _remember(by, parties, booking, occurrences)
        raise
    _remember(by, parties, booking, occurrences)
    return booked


def _remember(
    by: By, parties: Parties, booking: Booking, occurrences: Sequence[series_selectors.Occurrence]
) -> None:
    """Record the dates of a series that were refused as unmet demand."""
    demand_lacking(
        by,
        organisation=parties.payer,
        refused=[(booking.instrument_id, o.period, o.refusals) for o in occurrences],
    )


def _book(
    by: By,
    parties: Parties,
    booking: Booking,
    rule: str,
    on_conflict: str,
    occurrences: list[series_selectors.Occurrence],
) -> SeriesBooked:
    instrument = lock_instrument(booking.instrument_id)
    if not may_see(by.actor, instrument):
        raise NotFound
    if booking.service_mode not in instrument.service_modes:
        raise invalid("service_mode", "not-offered")
    require_unblocked(by.actor, instrument, parties.person, parties.payer.pk, by.now)
    parsed, periods = series_selectors.periods_of(instrument, booking.period, rule)
    placing.lapse_due(instrument, by.now)
    holds_give_back(by, person=parties.person, instrument=instrument)
    payer = parties.payer
    backing = load_backings([payer], instruments=[instrument], lock=True)[payer.pk]
    people = [parties.person, by.actor.person]
    booking = placing.funded(booking, parties, instrument)
    funding = series_selectors.load_series_funding(
        instrument, payer, people, booking.shares, by.now, lock=True
    )
    occurrences += series_selectors.weigh_series(
        instrument, payer, parties.person, booking.enquiry, periods, by.now, backing=backing, funding=funding
    )
    skipped = [occurrence for occurrence in occurrences if occurrence.refusals]
    if skipped and (on_conflict == REFUSE or len(skipped) == len(occurrences)):
        raise RulesRefuse(
            [
                replace(refusal, booking=occurrence.index)
                for occurrence in skipped
                for refusal in occurrence.refusals
            ]
        )
    house_rules_require(by, instrument, parties.person, booking.house_rules)
    series = Series.objects.create(
        instrument=instrument,
        user_id=parties.person,
        made_by_id=by.actor.person,
        organisation=parties.payer,
        rule=parsed.text,
        time_zone=instrument.facility.time_zone,
        starts_at=booking.period.start,
        minutes=booking.period.minutes,
        created_at=by.now,
    )
    reservations = [
        _put(by, parties, booking, instrument, series, occurrence)
        for occurrence in occurrences
        if not occurrence.refusals
    ]
    series_record(by, series, "series.create", reservations, skipped=len(skipped))
    reminders = [effect for row in reservations for effect in reminders_of(row, by.now)]
    series_tell(reservations, "series", by.now, reminders)
    return SeriesBooked(series, tuple(reservations), tuple(skipped))


def _put(
    by: By,
    parties: Parties,
    booking: Booking,
    instrument: Instrument,
    series: Series,
    occurrence: series_selectors.Occurrence,
) -> Reservation:
    if occurrence.place is None:  # nothing refused it, so there is one
        raise RulesRefuse(occurrence.refusals)
    period = occurrence.period
    state, deadline = placing.first_state(by, parties, instrument, period)
    reservation = placing.reservation_put(
        by,
        parties=parties,
        booking=replace(booking, period=period, hold=None, override=(), reason=""),
        instrument=instrument,
        place=occurrence.place,
        state=state,
        deadline=deadline,
        extra={"series": series, "occurrence_at": period.start},
    )
    placing.answers_owe_at_booking(instrument, reservation, by.now)  # one form is not asked for all of them
    return reservation


def reminders_of(reservation: Reservation, now: datetime) -> list[Effect]:
    """Return the effects that remind people before a booking of a series, as of any booking that is
    confirmed."""
    return placing.reminder_effects(reservation, now) if reservation.state == "confirmed" else []


def series_tell(
    reservations: Sequence[Reservation], kind: str, now: datetime, effects: Sequence[Effect] = ()
) -> None:
    """Send one message about many bookings of a person on an instrument: to the person, and if any of them
    needs approval, to those who decide. The kinds `series` and `imported` become `series-requested` and
    `imported-requested` if any needs approval."""
    first = reservations[0]
    waiting = [r for r in reservations if r.state == "requested"]
    if kind in {"series", "imported"} and waiting:
        kind = f"{kind}-requested"
    told = [_message(kind, first, reservations)]
    if waiting and kind != "series-cancelled":
        told.append(_message("series-to-decide", first, waiting))
    enqueue([*told, *effects], now=now)


def _message(kind: str, first: Reservation, reservations: Sequence[Reservation]) -> Effect:
    return Effect(
        kind=f"mail.{kind}",
        key=f"mail.{kind}:{first.pk}:{first.version}",
        payload={"reservation": str(first.pk), "reservations": [str(r.pk) for r in reservations]},
    )


def series_record(
    by: By,
    series: Series,
    action: str,
    reservations: Sequence[Reservation],
    reason: str = "",
    **facts: str | int,
) -> None:
    """Record an act on a series in the trail of host and payer; each booking has an entry of its own
    besides."""
    first = reservations[0]
    trail.record(
        by,
        action,
        series,
        after={
            "instrument": series.instrument_id,
            "rule": series.rule,
            "starts_at": series.starts_at,
            "reservations": [r.pk for r in reservations],
        }
        | facts,
        reason=reason,
        places=first.places(),
    )


# Changing


def series_locked(by: By, series_id: UUID) -> tuple[Instrument, Series, list[Reservation]]:
    """Return a series with its instrument and all its bookings, locked; raise `NotFound` if the actor may not
    see it."""
    series = series_selectors.series_for(by.actor, series_id)
    instrument = lock_instrument(series.instrument_id)
    series = lock_series(series.pk)
    by.require_version(series.version)
    ids = Reservation.objects.filter(series=series).values_list("pk", flat=True)
    return instrument, series, lock_reservations(ids)


@transaction.atomic
def series_cancel(by: By, *, series_id: UUID, scope: str, reservation_id: UUID | None, reason: str) -> Series:
    """Cancel one booking, that and the following ones, or all that have not begun, each by the rules of
    `reservation_cancel`: all or none, with one message. Raises `WrongState` (`series-over`) if none is
    left."""
    instrument, series, rows = series_locked(by, series_id)
    placing.lapse_due(instrument, by.now)
    chosen = series_selectors.choose(rows, scope, reservation_id, by.now)
    if not chosen:
        raise WrongState("series-over")
    purses_lock(chosen)
    for reservation in chosen:
        reservation_drop(
            by, instrument=instrument, reservation=reservation, reason=reason, is_one_of_many=scope != THIS
        )
    if scope != THIS:
        series_tell(chosen, "series-cancelled", by.now)
    series_touch(series)
    series_record(by, series, "series.cancel", chosen, reason.strip(), scope=scope)
    return series


def series_touch(series: Series, **changes: Any) -> None:
    """Store changes of a locked series, and raise its version."""
    for name, value in changes.items():
        setattr(series, name, value)
    series.version += 1
    series.save(update_fields=[*changes, "version"])
