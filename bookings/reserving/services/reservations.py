"""Reserving, deciding, cancelling, each in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.domain.errors import Invalid, NotFound, Refused, WrongState, invalid
from accounts.domain.roles import By
from accounts.notifications import enqueue
from accounts.permissions import require, require_person
from accounts.selectors.jobs import held_back
from accounts.selectors.memberships import no_second, place_of
from accounts.services.jobs import work_through
from bookings.availability.models import Occupancy
from bookings.catalogue.selectors.holds import kept_for, lapsed
from bookings.catalogue.selectors.parties import Booking, Parties
from bookings.catalogue.services.demand import attempt
from bookings.funding.selectors.earmarks import require_funded
from bookings.funding.services.earmarks import sources_lock
from bookings.pricing.selectors.charges import second_thought_of
from bookings.pricing.selectors.fees import Backing, load_backings
from bookings.record.domain import reservations as rules
from bookings.record.domain.periods import Period
from bookings.record.domain.references import noted
from bookings.record.domain.refusals import Refusal, RulesRefuse
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import booked_by
from bookings.reserving.selectors.placing import require_qualified, require_unblocked
from bookings.reserving.services import placing
from bookings.reserving.services.holds import hold_complete, hold_give_back, hold_to_complete
from bookings.reserving.services.house_rules import house_rules_lacking, house_rules_require
from bookings.reserving.services.occupancy import (
    charge_due,
    lapse,
    message,
    reservation_move_to,
    reservation_touch,
)
from bookings.samples.selectors.samples import hazards_of, require_accepted
from bookings.samples.services.joining import own_samples_lock, samples_put
from instruments.register.locks import claim_instrument, lock_instrument, lock_instruments
from instruments.register.models import Instrument

MOST_AT_ONCE = 20


def reservation_request(by: By, *, booking: Booking) -> Reservation:
    """Reserve a period, or request it where the policy requires approval. See `reservations_request`."""
    return reservations_request(by, bookings=[booking])[0]


def reservations_request(by: By, *, bookings: Sequence[Booking]) -> list[Reservation]:
    """Reserve several bookings in the given order, all or none.

    Required questions at booking must be answered. Raises `RulesRefuse` with every rule that refuses any of
    them. A refusal for lack of capacity is recorded
    as unmet demand, in a separate transaction after the rollback.
    """
    if not 1 <= len(bookings) <= MOST_AT_ONCE:
        raise invalid("bookings", "out-of-range", least=1, most=MOST_AT_ONCE)
    parties = [placing.parties_of(by.actor, booking) for booking in bookings]
    with attempt(by, parties=parties, bookings=bookings):
        return reservations_put(by, parties=parties, bookings=bookings, asks=True)


def reservations_put(
    by: By,
    *,
    parties: Sequence[Parties],
    bookings: Sequence[Booking],
    extras: Sequence[dict[str, object]] = (),
    asks: bool = False,
) -> list[Reservation]:
    """Lock the instruments, find a place for every booking and store them, in the caller's transaction. The
    answers to questions at booking are owed unless the caller `asks` for them."""
    instruments = {i.pk: i for i in lock_instruments({b.instrument_id for b in bookings})}
    bookings = [
        placing.funded(b, p, instruments[b.instrument_id]) for p, b in zip(parties, bookings, strict=True)
    ]
    samples = {one.pk: one for one in own_samples_lock(by, (pk for b in bookings for pk in b.sample_items))}
    # From here on nobody else can reserve money of these payers' grants.
    payers = {party.payer.pk: party.payer for party in parties}
    backings = load_backings(payers.values(), instruments=instruments.values(), lock=True)
    sources_lock((p.payer.pk, s.source) for p, b in zip(parties, bookings, strict=True) for s in b.shares)
    reservations: list[Reservation] = []
    refusals: list[Refusal] = []
    for position, (party, booking) in enumerate(zip(parties, bookings, strict=True)):
        instrument = instruments[booking.instrument_id]
        extra = extras[position] if extras else {}
        if position:  # the bookings before it may have used some
            backings |= load_backings([party.payer], instruments=[instrument], lock=True)
        backing = backings[party.payer.pk]
        brought = [samples[pk] for pk in dict.fromkeys(booking.sample_items)]
        booking = replace(booking, hazards=hazards_of(brought)) if brought else booking
        try:
            reservation = _reserve(by, party, booking, instrument, backing, extra)
            reservation.default_lapsed = booking.lapsed  # type: ignore[attr-defined]
            if asks:
                at = f"bookings[{position}]." if len(bookings) > 1 else ""
                placing.answers_put(
                    by, instrument=instrument, reservation=reservation, booking=booking, path=at
                )
            else:
                placing.answers_owe_at_booking(instrument, reservation, by.now)
            samples_put(by, reservation=reservation, samples=brought)
            reservations.append(reservation)
        except RulesRefuse as refused:
            alone = len(bookings) == 1
            refusals += [
                replace(refusal, booking=None if alone else position) for refusal in refused.refusals
            ]
    if refusals:
        raise RulesRefuse(refusals)
    return reservations


def _reserve(
    by: By,
    parties: Parties,
    booking: Booking,
    instrument: Instrument,
    backing: Backing,
    extra: dict[str, object],
) -> Reservation:
    about: dict[str, Any] = {"parties": parties, "instrument": instrument}
    hold = None
    if booking.hold is not None:
        try:
            hold = hold_to_complete(by, booking=booking, **about)
        except (WrongState, NotFound, Invalid):
            if booking.needs_hold:
                raise
    if hold is None:
        try:
            place = placing.place_find(by, booking=booking, backing=backing, **about)
        except RulesRefuse as refused:
            # The slot is blocked by this person's own hold, which the request does not name:
            # complete that hold.
            kept = kept_for(parties.person, instrument.pk, parties.payer.pk, booking.period, by.now)
            if kept is None:
                lacking = house_rules_lacking(by, instrument, parties.person, booking.house_rules)
                raise RulesRefuse([*refused.refusals, *lacking]) from None
            hold = hold_to_complete(by, booking=replace(booking, hold=kept.pk), **about)
        else:
            house_rules_require(by, instrument, parties.person, booking.house_rules)
            state, deadline = placing.first_state(by, parties, instrument, booking.period)
            reservation = placing.reservation_put(
                by, booking=booking, place=place, state=state, deadline=deadline, extra=extra, **about
            )
    if hold is not None:
        require_accepted(instrument, booking.hazards)
        if hold.held_for != Reservation.HeldFor.BID:
            require_unblocked(by.actor, instrument, parties.person, parties.payer.pk, by.now)
        house_rules_require(by, instrument, parties.person, booking.house_rules)
        reservation = hold_complete(by, hold=hold, booking=booking, backing=backing, **about)
    if reservation.state == "confirmed":
        enqueue(placing.confirmed_effects(reservation, by.now), now=by.now)
    else:
        enqueue(placing.requested_effects(reservation, by.now), now=by.now)
    return reservation


@transaction.atomic
def reservation_decide(by: By, *, reservation_id: UUID, approve: bool, reason: str) -> Reservation:
    """Decide a request, as a manager of the host. Raise `WrongState` after its deadline; nobody decides their
    own request."""
    instrument, reservation = placing.reservation_locked(by, reservation_id)
    require(by.actor, "manage-instruments", place_of(instrument.organisation, instrument))
    require_person(by.actor)
    if by.actor.user_id in {reservation.user_id, reservation.made_by_id}:
        raise no_second(
            "manage-instruments",
            organisation=instrument.organisation,
            instrument=instrument,
            besides=[reservation.user_id, reservation.made_by_id],
            refusal=WrongState,
        ) or WrongState("own-request")
    state = rules.effective_state(reservation.state, reservation.deadline_at, by.now)
    if state != "requested":
        raise WrongState(state=state, wanted="confirmed" if approve else "rejected")
    if not approve:
        if not reason.strip():
            raise invalid("reason", "required")
        reservation_move_to(
            by,
            reservation=reservation,
            state="rejected",
            reason=reason.strip(),
            by_host=True,
            extra={"decided_by_id": by.actor.user_id},
        )
        enqueue([message("rejected", reservation)], now=by.now)
        return reservation
    request_confirm(
        by,
        instrument=instrument,
        reservation=reservation,
        decided_by_id=by.actor.person,
        reason=reason.strip(),
    )
    return reservation


def request_confirm(
    by: By, *, instrument: Instrument, reservation: Reservation, decided_by_id: UUID, reason: str = ""
) -> None:
    """Confirm a request as the host's manager who decided on it, under the instrument's lock. Raise
    `RulesRefuse` if the person is no longer qualified, or the reserved money can no longer pay for it."""
    require_qualified(
        instrument,
        reservation.user_id,
        Period(reservation.start_at, reservation.end_at),
        reservation.service_mode,
    )
    require_funded(instrument, reservation)
    Occupancy.objects.filter(reservation=reservation).update(expires_at=None)
    reservation_move_to(
        by,
        reservation=reservation,
        state="confirmed",
        reason=reason,
        extra={"decided_by_id": decided_by_id, "confirmed_at": reservation.confirmed_at or by.now},
    )
    enqueue(placing.confirmed_effects(reservation, by.now), now=by.now)


def requests_decide(
    by: By, *, requests: Sequence[tuple[UUID, int]], approve: bool, reason: str
) -> tuple[list[Reservation], list[tuple[UUID, Refused]]]:
    """Give the same decision on several requests, each (id, version that was read) in a transaction of its
    own; return those decided, and those refused with their refusals."""
    done: list[Reservation] = []
    refused: list[tuple[UUID, Refused]] = []
    for reservation_id, version in requests:
        try:
            done.append(
                reservation_decide(
                    By(by.actor, by.now, version),
                    reservation_id=reservation_id,
                    approve=approve,
                    reason=reason,
                )
            )
        except Refused as error:
            refused.append((reservation_id, error))
    return done, refused


@transaction.atomic
def reservation_cancel(by: By, *, reservation_id: UUID, reason: str) -> Reservation:
    """Cancel a reservation, as its person, a manager of the payer, or a manager of the host (who must give a
    reason, and then it costs nothing)."""
    instrument, reservation = placing.reservation_locked(by, reservation_id)
    reservation_drop(by, instrument=instrument, reservation=reservation, reason=reason)
    return reservation


def reservations_cancel(
    by: By, *, chosen: Sequence[tuple[UUID, int]], reason: str
) -> tuple[list[Reservation], list[tuple[UUID, Refused]]]:
    """Cancel several reservations with one reason, each (id, version that was read) in a transaction of its
    own; return those cancelled, and those refused with their refusals."""
    done: list[Reservation] = []
    refused: list[tuple[UUID, Refused]] = []
    for reservation_id, version in chosen:
        one = By(by.actor, by.now, version)
        try:
            done.append(reservation_cancel(one, reservation_id=reservation_id, reason=reason))
        except Refused as error:
            refused.append((reservation_id, error))
    return done, refused


def reservation_drop(
    by: By, *, instrument: Instrument, reservation: Reservation, reason: str, is_one_of_many: bool = False
) -> None:
    """Cancel a reservation whose locks the caller holds; the instrument's lock also ensures that its person
    has only one second thought a day. With `is_one_of_many` it sends no message of its own."""
    is_own = rules.is_own(by.actor.user_id, person=reservation.user_id, maker=reservation.made_by_id)
    by_host = not is_own and by.actor.may("manage-instruments", place_of(instrument.organisation, instrument))
    if not (is_own or by_host):
        require(by.actor, "book-for-members", place_of(reservation.organisation))
    if by_host and not reason.strip():
        raise invalid("reason", "required")
    state = rules.effective_state(reservation.state, reservation.deadline_at, by.now)
    if state == "held":
        hold_give_back(by, reservation=reservation)
        return
    if state == "expired" or (
        state == "confirmed"
        and not rules.may_still_cancel(
            reservation.start_at, reservation.end_at, reservation.check_in_minutes, by.now
        )
    ):
        raise WrongState(state=state, wanted="cancelled")
    reservation_move_to(
        by,
        reservation=reservation,
        state="cancelled",
        reason=reason.strip(),
        by_host=by_host,
        extra=second_thought_of(by.actor, instrument, reservation, by.now),
    )
    effects = [] if is_one_of_many else [message("cancelled", reservation)]
    if reservation.confirmed_at and not by_host:
        effects.append(charge_due(reservation))
    enqueue(effects, now=by.now)


@transaction.atomic
def reservation_note(by: By, *, reservation_id: UUID, given: Mapping[str, Any]) -> Reservation:
    """Note `reference` and `metadata` at a booking in any state (see `noted`), as its person, as who made it,
    or as a manager of the payer. The trail, which the host reads too, has that it was done and not what."""
    _, reservation = placing.reservation_locked(by, reservation_id)
    is_own = booked_by(by.actor, reservation) and rules.is_own(
        by.actor.user_id, person=reservation.user_id, maker=reservation.made_by_id
    )
    if not is_own:
        require(by.actor, "book-for-members", place_of(reservation.organisation))
    columns = noted(reservation.metadata, given)
    if all(getattr(reservation, name) == value for name, value in columns.items()):
        return reservation
    for name, value in columns.items():
        setattr(reservation, name, value)
    reservation.save(update_fields=[*columns])
    reservation_touch(by, reservation=reservation, action="reservation.note", changes={}, recorded={})
    return reservation


def reservations_lapse(*, now: datetime, most: int = 500) -> int:
    """Expire every unanswered request and hold past its deadline; return how many. Instruments locked by
    others are skipped, as whoever books there expires them, too."""
    due = (
        lapsed(now)
        .exclude(instrument_id__in=held_back("lapse reservations", now))
        .order_by("instrument_id")
        .values_list("instrument_id", flat=True)
        .distinct()[:most]
    )

    def act(instrument_id: UUID) -> int:
        claim_instrument(instrument_id)
        return lapse(instrument=lock_instrument(instrument_id), now=now)

    return work_through(job="lapse reservations", due=list(due), act=act, now=now)
