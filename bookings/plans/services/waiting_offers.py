"""Offering slots that become free to people on the waiting list.

A slot is offered as a real hold. One transaction makes one offer, under one instrument's lock and then one
person's, and asks for another look at the instrument: so any number of workers may share the work, and a
repeated look finds nothing left to do.
"""

from datetime import datetime
from uuid import UUID

from django.db.models import F

from accounts import trail
from accounts.domain.errors import Refused
from accounts.domain.roles import PLATFORM, By
from accounts.notifications import Effect, enqueue
from accounts.selectors.memberships import load_actor
from bookings.catalogue.selectors.parties import Booking
from bookings.plans.domain import waiting as rules
from bookings.plans.models import WaitingOffer, WaitingWish
from bookings.plans.selectors.waiting import open_wishes, unoffered
from bookings.plans.selectors.waiting_offers import load_fit, load_line
from bookings.record.domain.periods import Period
from bookings.record.locks import lock_person
from bookings.reserving.services.occupancy import message
from bookings.reserving.services.placing import parties_of, place_find, reservation_put
from instruments.register.models import Instrument


class Outrun(Exception):
    """Another worker made the waiting-list entry an offer meanwhile."""


def slot_offer_locked(
    instrument: Instrument, now: datetime, *, holding: UUID | None = None
) -> WaitingOffer | None:
    """Offer a free slot to the first in line whom it fits; the caller has locked the instrument. `holding` is
    the person whose lock is already taken: no other person may be locked, so a slot for somebody else is left
    to a job."""
    line = load_line(instrument, now)
    for wish in line.wishes:
        slot = load_fit(line, wish, now)
        if slot is None:
            continue
        if holding is not None and wish.user_id != holding:
            enqueue([look_again(instrument.pk, f"{wish.pk}:{now.isoformat()}")], now=now)
            return None
        offer = _hold_for(wish, instrument, slot, now)
        if offer is not None:
            return offer
    return None


def _hold_for(wish: WaitingWish, instrument: Instrument, slot: Period, now: datetime) -> WaitingOffer | None:
    """Hold a slot for a waiting-list entry and return the offer; None if its person may no longer book it.
    Raise `Outrun` if the entry has got another offer meanwhile."""
    if not wish.user.is_active:
        return None
    booking = Booking(instrument.pk, slot, wish.organisation.code, wish.service_mode)
    person = load_actor(wish.user)
    try:
        parties = parties_of(person, booking)
        place = place_find(By(person, now), parties=parties, booking=booking, instrument=instrument)
    except Refused:  # a membership ended, or a record was withdrawn
        return None
    deadline = rules.answer_by(now, place.policy.offer_minutes, slot.start)
    if deadline is None:
        return None
    lock_person(wish.user_id)
    if not unoffered(open_wishes(now), now).filter(pk=wish.pk).exists():
        raise Outrun
    hold = reservation_put(
        By(PLATFORM, now),
        parties=parties,
        booking=booking,
        instrument=instrument,
        place=place,
        state="held",
        deadline=deadline,
    )
    offer = WaitingOffer.objects.create(wish=wish, reservation=hold, offered_at=now)
    WaitingWish.objects.filter(pk=wish.pk).update(version=F("version") + 1)
    wish_record(
        By(PLATFORM, now),
        "waiting.offer",
        wish,
        after={
            "reservation": hold.pk,
            "instrument": instrument.pk,
            "start": slot.start,
            "end": slot.end,
            "until": deadline,
        },
    )
    enqueue([message("offer", hold), look_again(instrument.pk, str(offer.pk))], now=now)
    return offer


def look_again(instrument_id: UUID, cause: str) -> Effect:
    """Return an effect that has a worker look for the next person in line for the instrument who can be
    offered a slot."""
    return Effect(
        kind="slot.freed", key=f"slot.freed:waiting:{cause}", payload={"instrument": str(instrument_id)}
    )


def wish_record(
    by: By,
    action: str,
    wish: WaitingWish,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    """Record a change of a waiting-list entry in the trail, for host and payer."""
    instrument, payer = wish.instrument, wish.organisation
    trail.record(
        by,
        action,
        wish,
        before=before,
        after=after,
        places=([payer.pk, instrument.organisation_id], [*instrument.region.lineage, *payer.region.lineage]),
    )
