"""Holding a slot: for some minutes while somebody completes the form, for a bid, for a batch."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.domain.errors import NotFound, WrongState, invalid
from accounts.domain.roles import PLATFORM, Actor, By
from accounts.models import Organisation
from accounts.prepared import insert
from bookings.availability.models import Occupancy
from bookings.catalogue.selectors.holds import holds_of
from bookings.catalogue.selectors.parties import Booking, Parties
from bookings.catalogue.services.demand import attempt
from bookings.pricing.selectors.fees import Backing
from bookings.record.domain.refusals import Refusal, RulesRefuse
from bookings.record.domain.reservations import effective_state
from bookings.record.locks import lock_person, lock_reservations
from bookings.record.models import Reservation
from bookings.reserving.domain import holds as rules
from bookings.reserving.selectors.placing import Price, price_of, require_price, require_qualified, terms_held
from bookings.reserving.services import placing
from bookings.reserving.services.occupancy import reservation_move_to
from instruments.register.locks import lock_instrument
from instruments.register.models import Instrument


def hold_take(by: By, *, booking: Booking, replaces: bool = False) -> Reservation:
    """Hold a slot for ten minutes; all rules must pass. At most three holds per person at a time.

    Asking for the same slot again returns the same hold with its remaining time, and so does a slot that the
    waiting list offers. `replaces` releases the person's other holds on the instrument first, as a form holds
    only one slot.
    """
    parties = placing.parties_of(by.actor, booking)
    with attempt(by, parties=[parties], bookings=[booking]):
        return _take(by, parties, booking, replaces)


def _take(by: By, parties: Parties, booking: Booking, replaces: bool) -> Reservation:
    instrument = lock_instrument(booking.instrument_id)
    if not booking.service_mode and instrument.service_modes:
        booking = replace(booking, service_mode=instrument.service_modes[0])
    mine = [
        hold
        for hold in lock_reservations(
            holds_of(parties.person, by.now).filter(instrument=instrument).values_list("pk", flat=True)
        )
        if hold.made_by_id == by.actor.user_id
    ]
    for hold in mine:
        if _is_same(hold, booking, parties.payer):
            return hold
    for hold in mine if replaces else []:
        # Offers of the waiting list stay until they are declined, not only until another slot is tried.
        if not hasattr(hold, "waiting_offer"):
            hold_give_back(by, reservation=hold)
    place = placing.place_find(by, parties=parties, booking=booking, instrument=instrument)
    lock_person(parties.person)
    if holds_of(parties.person, by.now).filter(waiting_offer=None).count() >= rules.MOST_HOLDS:
        raise WrongState("too-many-holds", most=rules.MOST_HOLDS)
    return placing.reservation_put(
        by,
        parties=parties,
        booking=booking,
        instrument=instrument,
        place=place,
        state="held",
        deadline=by.now + rules.HOLD_LASTS,
    )


def slot_keep(
    by: By, *, person: Actor, parties: Parties, booking: Booking, instrument: Instrument, until: datetime
) -> tuple[Reservation, Price]:
    """Hold a slot for somebody who has not asked for it, under the instrument's lock, on account of
    `booking.held_for`, and at most until `slot_deadline`. All rules are checked for the person; their own
    holds do not count. Return the hold with its price.

    Raises `NotFound` if they may not see the instrument, `Invalid`, `RulesRefuse`.
    """
    place = placing.place_find(By(person, by.now), parties=parties, booking=booking, instrument=instrument)
    price = price_of(instrument, place.terms, booking.enquiry)
    notice = place.policy.notice_minutes
    deadline = rules.slot_deadline(booking.period.start, until, notice, by.now)
    if deadline is None:
        raise RulesRefuse([Refusal("too-soon", {"notice_minutes": notice})])
    hold = placing.reservation_put(
        By(PLATFORM, by.now),
        parties=parties,
        booking=booking,
        instrument=instrument,
        place=place,
        state="held",
        deadline=deadline,
        extra={"held_for": booking.held_for},
    )
    return hold, price


def _is_same(hold: Reservation, booking: Booking, payer: Organisation) -> bool:
    return (
        (hold.start_at, hold.end_at) == (booking.period.start, booking.period.end)
        and hold.organisation_id == payer.pk
        and hold.service_mode == booking.service_mode
    )


@transaction.atomic
def hold_release(by: By, *, reservation_id: UUID) -> None:
    """Release a hold. Raise `WrongState` if it is no longer a hold."""
    _, reservation = placing.reservation_locked(by, reservation_id)
    if by.actor.user_id not in {reservation.user_id, reservation.made_by_id}:
        raise NotFound
    state = effective_state(reservation.state, reservation.deadline_at, by.now)
    if state != "held":
        raise WrongState(state=state, wanted="cancelled")
    hold_give_back(by, reservation=reservation)


def hold_give_back(by: By, *, reservation: Reservation) -> None:
    """Release a hold whose locks the caller holds."""
    reservation_move_to(by, reservation=reservation, state="cancelled")


def holds_give_back(by: By, *, person: UUID, instrument: Instrument) -> None:
    """Release the actor's holds on an instrument for a person, under its lock, so that they do not block what
    the same person books there. Offers of the waiting list stay."""
    own = holds_of(person, by.now).filter(
        instrument=instrument, made_by_id=by.actor.person, waiting_offer=None
    )
    for hold in lock_reservations(own.values_list("pk", flat=True)):
        hold_give_back(by, reservation=hold)


def hold_to_complete(by: By, *, parties: Parties, booking: Booking, instrument: Instrument) -> Reservation:
    """Lock the hold that a booking completes, under the instrument's lock. Raise `NotFound`; `WrongState` if
    it is no longer a hold; `Invalid` if it belongs to another booking."""
    (hold,) = lock_reservations([booking.hold] if booking.hold else []) or (None,)
    if hold is None or by.actor.user_id not in {hold.user_id, hold.made_by_id}:
        raise NotFound(hold=str(booking.hold))
    if hold.instrument_id != instrument.pk or hold.user_id != parties.person:
        raise invalid("hold", "another-booking")
    if hold.held_for != booking.held_for:
        raise invalid("hold", "another-booking")
    state = effective_state(hold.state, hold.deadline_at, by.now)
    if state == "expired":
        raise WrongState("hold-expired", state=state)
    if state != "held":
        raise WrongState(state=state)
    if (hold.start_at, hold.end_at) != (booking.period.start, booking.period.end):
        raise invalid("hold", "another-booking")
    if hold.organisation_id != parties.payer.pk:
        raise invalid("organisation", "another-booking")
    return hold


def hold_complete(
    by: By, *, hold: Reservation, parties: Parties, booking: Booking, instrument: Instrument, backing: Backing
) -> Reservation:
    """Turn a locked hold into a request or a booking. The rules are not checked again, except for the
    certificate if the service mode has changed."""
    if booking.service_mode not in instrument.service_modes:
        raise invalid("service_mode", "not-offered")
    if booking.service_mode != hold.service_mode:
        require_qualified(instrument, hold.user_id, booking.period, booking.service_mode)
    terms = terms_held(hold, instrument, backing, by.now)
    price = price_of(instrument, terms, booking.enquiry)
    require_price(price, booking)
    # A bid is the host's approval already.
    state, deadline = (
        ("confirmed", None)
        if hold.held_for == "bid"
        else placing.first_state(by, parties, instrument, booking.period)
    )
    insert([placing.quote_of(hold, price, by.now)])
    if booking.reference or booking.metadata:  # not with what goes into the trail, which the host reads
        hold.reference, hold.metadata = booking.reference, dict(booking.metadata)
        hold.save(update_fields=["reference", "metadata"])
    placing.money_take(
        reservation=hold, price=price, terms=terms, shares=booking.shares, instrument=instrument, now=by.now
    )
    Occupancy.objects.filter(reservation=hold).update(expires_at=deadline)
    reservation_move_to(
        by,
        reservation=hold,
        state=state,
        extra={
            "service_mode": booking.service_mode,
            "purpose": booking.purpose,
            "purpose_text": booking.purpose_text,
            "samples": booking.samples,
            "requested_at": by.now,
            "deadline_at": deadline,
            "confirmed_at": by.now if state == "confirmed" else None,
            "agreement_id": terms.agreement_id,
            "held_for": "",
            "for_need": booking.need,
        },
        recorded=placing.earmarks_recorded(price.quote, booking.shares),
    )
    return hold
