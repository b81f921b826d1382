"""The waiting list: wishing, withdrawing, and offering what comes free.

A slot is offered as a real hold. One transaction makes one offer, under one instrument's lock
and then one person's, and asks for another look at the instrument: so any number of workers may
share the work, and what is done twice finds nothing left to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import F

from accounts import trail
from accounts.domain.errors import (
    NotFound,
    NotPermitted,
    Refused,
    WrongState,
    WrongVersion,
    invalid,
)
from accounts.domain.roles import Actor
from accounts.models import Region
from accounts.notifications import Effect, enqueue
from accounts.selectors.memberships import load_actor
from accounts.selectors.organisations import region_by_code
from bookings.domain import waiting as rules
from bookings.domain.periods import Period
from bookings.domain.refusals import Refusal, RulesRefuse
from bookings.locks import lock_reservation
from bookings.models import WaitingOffer, WaitingWish
from bookings.selectors.waiting import (
    ended_wishes,
    load_fit,
    load_instruments,
    load_line,
    next_in_line,
    open_wishes,
    standing_offer,
    unoffered,
    wish_by_id,
)
from bookings.services.holds import hold_give_back
from bookings.services.occupancy import message
from bookings.services.placing import (
    Booking,
    lapse_due,
    lock_person,
    parties_of,
    place_find,
    reservation_put,
)
from instruments.domain.policies import Policy
from instruments.locks import lock_instrument
from instruments.models import Instrument
from instruments.selectors.policies import load_policy
from instruments.selectors.registry import PUBLIC, may_see

ATTEMPTS = 5


@dataclass(frozen=True)
class Wanted:
    """What somebody would like to have: `minutes` of an instrument in a window. regions: codes,
    for equivalent instruments; max_price: in all, before tax and vouchers, in the currency of
    the instrument."""

    instrument_id: UUID
    organisation: str | None
    service_mode: str
    earliest: datetime
    latest: datetime
    minutes: int
    any_equivalent: bool = False
    regions: Sequence[str] = ()
    max_price: Decimal | None = None


class Outrun(Exception):
    """Another worker made the wish an offer meanwhile."""


@transaction.atomic
def wish_make(*, actor: Actor, wanted: Wanted, now: datetime) -> WaitingWish:
    """Put a wish on the waiting list, for oneself and an organisation one may book for. What of
    the instrument is free and fits is offered at once; what of equivalent ones, by a job.

    `Invalid`, `NotFound`; `RulesRefuse` where the instrument never takes such a booking;
    `WrongState` for the same wish again (`already-waiting`) and one too many.
    """
    rules.check_window(wanted.earliest, wanted.latest, wanted.minutes, now)
    regions = _regions(wanted)
    window = Period(wanted.earliest, wanted.latest)
    asked = Booking(wanted.instrument_id, window, wanted.organisation, wanted.service_mode)
    payer = parties_of(actor, asked).payer
    instrument = lock_instrument(wanted.instrument_id)
    if not may_see(actor, instrument):
        raise NotFound
    mode = wanted.service_mode or next(iter(instrument.service_modes), "")
    if mode not in instrument.service_modes:
        raise invalid("service_mode", "not-offered")
    _require_possible(instrument, wanted.minutes)
    lapse_due(instrument, now)
    lock_person(actor.person)
    mine = open_wishes(now).filter(user_id=actor.person)
    same = {
        "instrument": instrument,
        "organisation": payer,
        "service_mode": mode,
        "earliest": wanted.earliest,
        "latest": wanted.latest,
        "minutes": wanted.minutes,
    }
    if mine.filter(**same).exists():
        raise WrongState("already-waiting")
    if mine.count() >= rules.MOST_WISHES:
        raise WrongState("too-many-wishes", most=rules.MOST_WISHES)
    wish = WaitingWish.objects.create(
        **same,
        user_id=actor.person,
        any_equivalent=wanted.any_equivalent,
        max_price=wanted.max_price,
        instruments=[instrument.pk],
        created_at=now,
        looked_at=now,
    )
    wish.regions.set(regions)
    if wanted.any_equivalent:
        wish.instruments = load_instruments(wish)
        wish.save(update_fields=["instruments"])
    _record(actor, "waiting.create", wish, now, after=_said(wish, regions))
    if _offer(instrument, now, holding=actor.person) is None:
        enqueue(
            [_look(pk, f"{wish.pk}:{pk}") for pk in wish.instruments if pk != instrument.pk],
            now=now,
        )
    wish.refresh_from_db(fields=["version"])
    return wish


def _regions(wanted: Wanted) -> list[Region]:
    if wanted.regions and not wanted.any_equivalent:
        raise invalid("regions", "only-with-equivalents")
    found = []
    for position, code in enumerate(dict.fromkeys(wanted.regions)):
        try:
            found.append(region_by_code(code))
        except NotFound:
            raise invalid(f"regions[{position}]", "unknown-region", region=code) from None
    return found


def _require_possible(instrument: Instrument, minutes: int) -> None:
    """What no calendar will ever change is refused now. Who may book it, at which price, and
    when, is asked of each slot: certificates, prices and hours may still come."""
    if not hasattr(instrument, "policy") or instrument.publication not in PUBLIC:
        raise RulesRefuse([Refusal("not-published")])
    if refusals := _length_refusals(load_policy(instrument.policy), minutes):
        raise RulesRefuse(refusals)


def _length_refusals(policy: Policy, minutes: int) -> list[Refusal]:
    refusals = []
    if minutes % policy.slot_minutes:
        refusals.append(Refusal("off-grid", {"slot_minutes": policy.slot_minutes}))
    if minutes < policy.min_minutes:
        refusals.append(Refusal("too-short", {"min_minutes": policy.min_minutes}))
    if minutes > policy.max_minutes:
        refusals.append(Refusal("too-long", {"max_minutes": policy.max_minutes}))
    return refusals


@transaction.atomic
def wish_withdraw(
    *, actor: Actor, wish_id: UUID, now: datetime, expected_version: int | None = None
) -> WaitingWish:
    """Take a wish off the list, for the person whose it is. What is offered to it at present is
    given back and goes to the next."""
    wish = wish_by_id(actor, wish_id)
    if wish.user_id != actor.person:
        raise NotPermitted
    offer = standing_offer(wish.pk, now)
    held = lock_reservation(offer.reservation_id)[1] if offer else None
    lock_person(actor.person)
    wish = WaitingWish.objects.select_related("instrument", "organisation").get(pk=wish.pk)
    if expected_version is not None and expected_version != wish.version:
        raise WrongVersion(version=wish.version)
    present = standing_offer(wish.pk, now)
    if (present and present.pk) != (offer and offer.pk):
        raise WrongVersion(version=wish.version)  # offered, taken or declined this very moment
    _require_waiting(wish, now)
    _end(wish, "withdrawn", now, actor=actor, now=now)
    if held is not None:
        hold_give_back(reservation=held, actor=actor, now=now)
    return wish


def _require_waiting(wish: WaitingWish, now: datetime) -> None:
    if not open_wishes(now).filter(pk=wish.pk).exists():
        state = wish.state
        if state == "waiting":
            state = "expired" if wish.latest <= now else "fulfilled"
        raise WrongState(state=state, wanted="withdrawn")


def slot_offer(*, instrument_id: UUID, now: datetime) -> WaitingOffer | None:
    """Offer a free slot of an instrument to the first in line whom one fits, and see to it that
    somebody looks whether there is one for the next. None if nobody wants what is free.

    Nobody is offered what they could not book: every rule is asked, for the person and payer.
    """
    for _ in range(ATTEMPTS):
        if not next_in_line(instrument_id, now).exists():
            return None
        try:
            with transaction.atomic():
                instrument = lock_instrument(instrument_id)
                lapse_due(instrument, now)
                return _offer(instrument, now)
        except Outrun:  # its lock on the person is gone with the transaction: look again
            continue
    return None


def _offer(
    instrument: Instrument, now: datetime, *, holding: UUID | None = None
) -> WaitingOffer | None:
    """Under the instrument's lock. `holding` is the person whose lock is taken already: nobody
    else's may be, so that what goes to another is left to a job."""
    line = load_line(instrument, now)
    for wish in line.wishes:
        slot = load_fit(line, wish, now)
        if slot is None:
            continue
        if holding is not None and wish.user_id != holding:
            enqueue([_look(instrument.pk, f"{wish.pk}:{now.isoformat()}")], now=now)
            return None
        offer = _hold_for(wish, instrument, slot, now)
        if offer is not None:
            return offer
    return None


def _hold_for(
    wish: WaitingWish, instrument: Instrument, slot: Period, now: datetime
) -> WaitingOffer | None:
    """Hold the slot for the wish; None where its person may not book it any more. `Outrun` if
    it is no longer without an offer."""
    if not wish.user.is_active:
        return None
    booking = Booking(instrument.pk, slot, wish.organisation.code, wish.service_mode)
    person = load_actor(wish.user)
    try:
        parties = parties_of(person, booking)
        place = place_find(
            actor=person, parties=parties, booking=booking, instrument=instrument, now=now
        )
    except Refused:  # a membership ended, a record was withdrawn
        return None
    deadline = rules.answer_by(now, place.policy.offer_minutes, slot.start)
    if deadline is None:
        return None
    lock_person(wish.user_id)
    if not unoffered(open_wishes(now), now).filter(pk=wish.pk).exists():
        raise Outrun
    hold = reservation_put(
        actor=None,
        parties=parties,
        booking=booking,
        instrument=instrument,
        place=place,
        state="held",
        deadline=deadline,
        now=now,
    )
    offer = WaitingOffer.objects.create(wish=wish, reservation=hold, offered_at=now)
    WaitingWish.objects.filter(pk=wish.pk).update(version=F("version") + 1)
    _record(
        None,
        "waiting.offer",
        wish,
        now,
        after={
            "reservation": hold.pk,
            "instrument": instrument.pk,
            "start": slot.start,
            "end": slot.end,
            "until": deadline,
        },
    )
    enqueue([message("offer", hold), _look(instrument.pk, str(offer.pk))], now=now)
    return offer


def _look(instrument_id: UUID, cause: str) -> Effect:
    """Look whether anybody in line for the instrument can be offered something."""
    return Effect(
        kind="slot.freed",
        key=f"slot.freed:waiting:{cause}",
        payload={"instrument": str(instrument_id)},
    )


def wishes_settle(*, now: datetime, most: int = 500) -> int:
    """Write down the end of wishes that were fulfilled or whose window is over; how many."""
    settled = 0
    for pk in list(ended_wishes(now).values_list("pk", flat=True)[:most]):
        with transaction.atomic():
            settled += _settle(pk, now)
    return settled


def _settle(wish_id: UUID, now: datetime) -> int:
    wish = WaitingWish.objects.select_related("instrument", "organisation").get(pk=wish_id)
    lock_person(wish.user_id)
    wish.refresh_from_db(fields=["state", "version"])
    taken_at = (
        WaitingOffer.objects.filter(wish=wish, reservation__quotes__isnull=False)
        .order_by("offered_at")
        .values_list("reservation__requested_at", flat=True)
        .first()
    )
    state, ended_at = rules.state_at(wish.state, wish.latest, taken_at, now)
    if ended_at is None:
        return 0
    _end(wish, state, ended_at, actor=None, now=now)
    return 1


def wishes_look(*, now: datetime, most: int = 100) -> int:
    """Look for time that is free anyway (hours changed, a horizon moved on, a rule was eased)
    for the wishes not looked at for the longest; the number of offers made. What instruments
    each is content with is found anew."""
    due = unoffered(open_wishes(now), now).filter(looked_at__lte=now - rules.LOOK_EVERY)
    instruments: dict[UUID, None] = {}
    for wish in due.select_related("instrument").order_by("looked_at", "id")[:most]:
        found = load_instruments(wish)
        WaitingWish.objects.filter(pk=wish.pk).update(instruments=found, looked_at=now)
        instruments |= dict.fromkeys(found)
    return sum(slot_offer(instrument_id=pk, now=now) is not None for pk in instruments)


def _end(
    wish: WaitingWish, state: str, ended_at: datetime, *, actor: Actor | None, now: datetime
) -> None:
    """Give a wish its final state: compare-and-swap on `waiting`."""
    swapped = WaitingWish.objects.filter(pk=wish.pk, state="waiting").update(
        state=state, ended_at=ended_at, version=F("version") + 1
    )
    if not swapped:
        raise WrongVersion
    wish.refresh_from_db(fields=["state", "ended_at", "version"])
    _record(
        actor,
        f"waiting.{state}",
        wish,
        now,
        before={"state": "waiting"},
        after={"state": state, "ended_at": ended_at},
    )


def _said(wish: WaitingWish, regions: Sequence[Region]) -> dict[str, object]:
    return {
        "instrument": wish.instrument_id,
        "payer": wish.organisation_id,
        "service_mode": wish.service_mode,
        "earliest": wish.earliest,
        "latest": wish.latest,
        "minutes": wish.minutes,
        "any_equivalent": wish.any_equivalent,
        "regions": [region.code for region in regions],
        "max_price": wish.max_price,
    }


def _record(
    actor: Actor | None,
    action: str,
    wish: WaitingWish,
    now: datetime,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    instrument, payer = wish.instrument, wish.organisation
    trail.record(
        actor=actor,
        action=action,
        target=wish,
        now=now,
        before=before,
        after=after,
        organisation_ids=[payer.pk, instrument.organisation_id],
        region_ids=[*instrument.region.lineage, *payer.region.lineage],
    )
