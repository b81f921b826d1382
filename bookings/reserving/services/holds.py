"""Keeping a slot: for some minutes while somebody completes the form, for a bid, for a batch."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.domain.errors import NotFound, WrongState, invalid
from accounts.domain.roles import PLATFORM, Actor, By
from accounts.models import Organisation
from accounts.prepared import insert
from bookings.availability.models import Occupancy
from bookings.availability.selectors.kept_hours import rights_when_held
from bookings.catalogue.selectors.holds import holds_of
from bookings.catalogue.selectors.parties import Booking, Parties
from bookings.catalogue.services.demand import attempt
from bookings.pricing.selectors.fees import Backing, terms_by
from bookings.record.domain.refusals import Refusal, RulesRefuse
from bookings.record.domain.reservations import effective_state
from bookings.record.locks import lock_person, lock_reservations
from bookings.record.models import Reservation
from bookings.reserving.domain import holds as rules
from bookings.reserving.selectors.placing import Price, price_of, require_qualified
from bookings.reserving.services.occupancy import reservation_move_to
from bookings.reserving.services.placing import (
    earmarks_recorded,
    first_state,
    money_take,
    parties_of,
    place_find,
    quote_of,
    reservation_locked,
    reservation_put,
)
from instruments.locks import lock_instrument
from instruments.models import Instrument
from instruments.selectors.ratecards import load_card


def hold_take(by: By, *, booking: Booking, replaces: bool = False) -> Reservation:
    """Keep a slot for ten minutes; all rules must pass. At most three per person at a time.

    The same slot asked for again is the same hold, with the time it has left, and so is one
    that the waiting list offers. `replaces` gives back the person's other holds on the
    instrument first: one form, one slot.
    """
    parties = parties_of(by.actor, booking)
    with attempt(by, parties=[parties], bookings=[booking]):
        return _take(by, parties, booking, replaces)


def _take(by: By, parties: Parties, booking: Booking, replaces: bool) -> Reservation:
    instrument = lock_instrument(booking.instrument_id)
    if not booking.service_mode and instrument.service_modes:
        booking = replace(booking, service_mode=instrument.service_modes[0])
    mine = [
        hold
        for hold in lock_reservations(
            holds_of(parties.person, by.now)
            .filter(instrument=instrument)
            .values_list("pk", flat=True)
        )
        if hold.made_by_id == by.actor.user_id
    ]
    for hold in mine:
        if _is_same(hold, booking, parties.payer):
            return hold
    for hold in mine if replaces else []:
        # What the waiting list offers is kept until it is declined, not until another is tried.
        if not hasattr(hold, "waiting_offer"):
            hold_give_back(by, reservation=hold)
    place = place_find(by, parties=parties, booking=booking, instrument=instrument)
    lock_person(parties.person)
    if holds_of(parties.person, by.now).filter(waiting_offer=None).count() >= rules.MOST_HOLDS:
        raise WrongState("too-many-holds", most=rules.MOST_HOLDS)
    return reservation_put(
        by,
        parties=parties,
        booking=booking,
        instrument=instrument,
        place=place,
        state="held",
        deadline=by.now + rules.HOLD_LASTS,
    )


def slot_keep(
    by: By,
    *,
    person: Actor,
    parties: Parties,
    booking: Booking,
    instrument: Instrument,
    until: datetime,
) -> tuple[Reservation, Price]:
    """Keep a slot for somebody who has not asked for it, under the instrument's lock: for what
    `booking.held_for` names, no longer than `slot_deadline` says. All rules are asked, as of the
    person; their own holds do not count. Return it with its price.

    `NotFound` where they may not see the instrument, `Invalid`, `RulesRefuse`.
    """
    place = place_find(By(person, by.now), parties=parties, booking=booking, instrument=instrument)
    price = price_of(instrument, place.terms, booking.enquiry)
    notice = place.policy.notice_minutes
    deadline = rules.slot_deadline(booking.period.start, until, notice, by.now)
    if deadline is None:
        raise RulesRefuse([Refusal("too-soon", {"notice_minutes": notice})])
    hold = reservation_put(
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
    """Give a hold back. `WrongState` once it is something else."""
    _, reservation = reservation_locked(by, reservation_id)
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
    """Release the holds that the actor has on an instrument for a person, under its lock: they do
    not block what the same person books there. What the waiting list offers stays."""
    own = holds_of(person, by.now).filter(
        instrument=instrument, made_by_id=by.actor.person, waiting_offer=None
    )
    for hold in lock_reservations(own.values_list("pk", flat=True)):
        hold_give_back(by, reservation=hold)


def hold_to_complete(
    by: By, *, parties: Parties, booking: Booking, instrument: Instrument
) -> Reservation:
    """Lock the hold that a booking completes, under the instrument's lock. `NotFound`,
    `WrongState` where it is no hold any more, `Invalid` where it is of another booking."""
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
    by: By,
    *,
    hold: Reservation,
    parties: Parties,
    booking: Booking,
    instrument: Instrument,
    backing: Backing,
) -> Reservation:
    """Turn a locked hold into a request or a booking. Its verdict stands: no rule is asked again,
    but for the certificate where the way of service became another."""
    if booking.service_mode not in instrument.service_modes:
        raise invalid("service_mode", "not-offered")
    if booking.service_mode != hold.service_mode:
        require_qualified(instrument, hold.user_id, booking.period, booking.service_mode)
    # By the card, the group and the regions it was kept on.
    terms = replace(
        terms_by(instrument, backing, load_card(hold.rate_card), hold.start_at),
        price_group=hold.price_group,
        payer_region=hold.payer_region,
        host_region=hold.host_region,
    )
    terms = replace(terms, kept=rights_when_held(hold, instrument, by.now))
    price = price_of(instrument, terms, booking.enquiry)
    # A bid is the host's word already.
    state, deadline = (
        ("confirmed", None)
        if hold.held_for == "bid"
        else first_state(by, parties, instrument, booking.period)
    )
    insert([quote_of(hold, price, by.now)])
    money_take(
        reservation=hold,
        price=price,
        terms=terms,
        shares=booking.funding,
        instrument=instrument,
        now=by.now,
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
        },
        recorded=earmarks_recorded(price.quote, booking.funding),
    )
    return hold
