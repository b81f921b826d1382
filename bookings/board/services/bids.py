"""Bids: a host's offers for an enquiry, whose times are held for the person who enquired."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import NotFound, Refused, WrongState, invalid
from accounts.domain.roles import PLATFORM, By
from accounts.notifications import enqueue
from accounts.selectors.memberships import load_actor
from bookings.board.domain import enquiries as rules
from bookings.board.locks import lock_bids, lock_enquiry, lock_slots
from bookings.board.models import Bid, BidSlot, Enquiry
from bookings.board.selectors.enquiries import enquiry_to, host_bid, instruments_for
from bookings.board.services.enquiries import bid_store, booked_for, told
from bookings.catalogue.selectors.parties import Booking
from bookings.catalogue.services.demand import guarded
from bookings.pricing.domain.quotes import quote_to_json
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.models import Reservation
from bookings.reserving.domain.holds import SLOTS_HELD
from bookings.reserving.services.holds import hold_give_back, slot_keep
from bookings.reserving.services.placing import parties_of
from instruments.register.locks import lock_instrument
from instruments.register.models import Instrument


@dataclass(frozen=True)
class BidValues:
    """The values of a bid: one or two starts, each for the length that the enquiry asks for; conditions:
    codes; valid_until: at most 48 hours from now, which is the default; discount_percent: by how much it is
    below the rate card, with the reason."""

    starts: Sequence[datetime]
    service_mode: str
    conditions: Sequence[str] = ()
    text: str = ""
    valid_until: datetime | None = None
    discount_percent: Decimal = Decimal(0)
    discount_reason: str = ""


def bid_make(by: By, *, enquiry_id: UUID, instrument_id: UUID, values: BidValues) -> Bid:
    """Bid for an enquiry with an instrument that the actor manages. Its times are checked against all rules
    as if the person who enquired booked them, and held. Raise `NotFound`, `Invalid`, `RulesRefuse`,
    `WrongState` (enquiry-closed, already-bid)."""
    enquiry = enquiry_to(by.actor, enquiry_id, by.now)
    if instrument_id not in {one.pk for one in instruments_for(by.actor, enquiry)}:
        raise invalid("instrument", "unknown-value")
    with guarded():
        instrument = lock_instrument(instrument_id)
        scope = by.actor.scope_where("manage-instruments")
        if not scope.holds(instrument.organisation_id, instrument.facility_id, instrument.pk):
            raise NotFound  # it has moved meanwhile
        enquiry = _open(by, enquiry_id)
        standing = Bid.objects.filter(enquiry=enquiry, instrument=instrument, state__in=rules.STANDING)
        for old in lock_bids(standing.values_list("pk", flat=True)):
            if rules.is_standing(old.state, old.valid_until, by.now):
                raise WrongState("already-bid")
            old.state, old.reason = Bid.State.LAPSED, Bid.Reason.UNANSWERED
            bid_store(By(PLATFORM, by.now), "bid.lapse", old)
        bid = Bid(
            enquiry=enquiry,
            instrument=instrument,
            host=instrument.organisation,
            user_id=by.actor.person,
            created_at=by.now,
            changed_at=by.now,
        )
        _fill(bid, values, by.now)
        bid.save()
        _hold(by, bid, enquiry, instrument, values)
        trail.record(by, "bid.make", bid, after=_facts(bid, values))
        Enquiry.objects.filter(pk=enquiry.pk).update(state="answered")  # also for its `modified`
        enqueue([told("bid.made", bid)], now=by.now)
    return bid


def bid_amend(by: By, *, bid_id: UUID, values: BidValues) -> Bid:
    """Replace the times and the terms of an open bid."""
    row = host_bid(by.actor, bid_id)
    with guarded():
        instrument = lock_instrument(row.instrument_id)
        held = lock_slots([row.pk])
        enquiry = _open(by, row.enquiry_id)
        bid = _standing(by, row.pk)
        _give_back(by, bid, held.get(bid.pk, []))
        _fill(bid, values, by.now)
        bid.state = Bid.State.AMENDED
        _hold(by, bid, enquiry, instrument, values)
        bid_store(by, "bid.amend", bid, after=_facts(bid, values))
        enqueue([told("bid.amended", bid)], now=by.now)
    return bid


@transaction.atomic
def bid_withdraw(by: By, *, bid_id: UUID) -> Bid:
    """Withdraw a bid; its times are released."""
    row = host_bid(by.actor, bid_id)
    held = lock_slots([row.pk])
    lock_enquiry(row.enquiry_id)
    bid = _standing(by, row.pk)
    _give_back(by, bid, held.get(bid.pk, []))
    bid.state = Bid.State.WITHDRAWN
    bid_store(by, "bid.withdraw", bid)
    enqueue([told("bid.withdrawn", bid)], now=by.now)
    return bid


def _open(by: By, enquiry_id: UUID) -> Enquiry:
    enquiry = lock_enquiry(enquiry_id)
    state = rules.enquiry_state(enquiry.state, enquiry.closes_at, by.now)
    if state not in rules.LIVE:
        raise WrongState("enquiry-closed", state=state)
    if booked_for(enquiry):
        raise WrongState("enquiry-closed", state="withdrawn")
    return enquiry


def _standing(by: By, bid_id: UUID) -> Bid:
    (bid,) = lock_bids([bid_id])
    by.require_version(bid.version)
    if not rules.is_standing(bid.state, bid.valid_until, by.now):
        raise WrongState("bid-gone")
    return bid


def _give_back(by: By, bid: Bid, held: Sequence[Reservation]) -> None:
    for hold in held:
        if hold.state == "held":
            # Recorded without an actor: the trail must not tell the person who enquired which manager it was.
            hold_give_back(By(PLATFORM, by.now), reservation=hold)
    BidSlot.objects.filter(bid=bid).delete()


def _fill(bid: Bid, values: BidValues, now: datetime) -> None:
    unknown = set(values.conditions) - set(Bid.Condition.values)
    if unknown:
        raise invalid("conditions", "unknown-value")
    latest = now + SLOTS_HELD
    bid.valid_until = min(values.valid_until or latest, latest)
    if bid.valid_until <= now:
        raise invalid("valid_until", "in-the-past")
    bid.service_mode = values.service_mode
    bid.conditions = list(dict.fromkeys(values.conditions))
    bid.text = values.text.strip()
    bid.discount_percent, bid.discount_reason = rules.check_discount(
        values.discount_percent, values.discount_reason
    )


def _hold(by: By, bid: Bid, enquiry: Enquiry, instrument: Instrument, values: BidValues) -> None:
    """Hold the times of a bid for the person who enquired, at the price that a booking of their own would
    have."""
    starts = sorted(set(values.starts))
    if not 1 <= len(starts) <= rules.MOST_SLOTS:
        raise invalid("starts", "out-of-range", why="times", least=1, most=rules.MOST_SLOTS)
    if any(later - start < enquiry.length for start, later in pairwise(starts)):
        raise invalid("starts", "times-overlap")
    if enquiry.modes and values.service_mode not in enquiry.modes:
        raise invalid("service_mode", "not-offered")
    person = load_actor(enquiry.user)
    refusals = []
    for position, start in enumerate(starts):
        period = Period(start, start + enquiry.length)
        if start < enquiry.earliest or period.end > enquiry.latest:
            raise invalid("starts", "outside-window")
        booking = Booking(
            instrument.pk,
            period,
            enquiry.organisation.code,
            values.service_mode,
            quantity=None if enquiry.quantity is None else Decimal(enquiry.quantity),
            held_for=Reservation.HeldFor.BID,
            bid_discount_percent=bid.discount_percent,
        )
        try:
            parties = parties_of(person, booking)
        except Refused:  # a membership has ended, so nobody could accept the bid
            raise WrongState("enquiry-closed", state="unmet") from None
        try:
            hold, price = slot_keep(
                by,
                person=person,
                parties=parties,
                booking=booking,
                instrument=instrument,
                until=bid.valid_until,
            )
        except NotFound:  # the person who enquired may not see the instrument
            raise invalid("instrument", "unknown-value") from None
        except RulesRefuse as refused:
            told_refusals = rules.told_to_host(refused.refusals, is_confidential=enquiry.is_confidential)
            refusals += [replace(each, booking=position) for each in told_refusals]
            continue
        BidSlot.objects.create(
            bid=bid,
            reservation=hold,
            quote=quote_to_json(price.quote, explained=True),
            currency=price.quote.currency,
            total=price.quote.total,
            payable=price.quote.payable,
        )
    if refusals:
        raise RulesRefuse(refusals)


def _facts(bid: Bid, values: BidValues) -> dict[str, object]:
    return {
        "enquiry": bid.enquiry_id,
        "instrument": bid.instrument_id,
        "starts": [start.isoformat() for start in sorted(values.starts)],
        "conditions": bid.conditions,
        "valid_until": bid.valid_until,
        "state": bid.state,
    } | (
        {"discount_percent": bid.discount_percent, "discount_reason": bid.discount_reason}
        if bid.discount_percent
        else {}
    )
