"""The waiting list: wishing, withdrawing, offering what comes free, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import F

from accounts.domain.errors import NotFound, NotPermitted, WrongState, WrongVersion, invalid
from accounts.domain.roles import PLATFORM, By
from accounts.models import Region
from accounts.notifications import enqueue
from accounts.selectors.organisations import region_by_code
from accounts.services.jobs import work_through
from bookings.availability.domain.times_of_day import times_of_day
from bookings.catalogue.selectors.parties import Booking
from bookings.plans.domain import waiting as rules
from bookings.plans.models import WaitingOffer, WaitingWish
from bookings.plans.selectors.waiting import (
    ended_wishes,
    load_instruments,
    next_in_line,
    open_wishes,
    standing_offer,
    unoffered,
    wish_by_id,
)
from bookings.plans.services.waiting_offers import (
    Outrun,
    look_again,
    slot_offer_locked,
    wish_record,
)
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import Refusal, RulesRefuse
from bookings.record.locks import claim_person, lock_person, lock_reservation
from bookings.reserving.services.holds import hold_give_back
from bookings.reserving.services.placing import lapse_due, parties_of
from instruments.domain.policies import Policy
from instruments.locks import claim_instrument, lock_instrument
from instruments.models import Instrument
from instruments.selectors.policies import load_policy
from instruments.selectors.registry import PUBLIC, may_see

ATTEMPTS = 5  # of offering a slot, while others offer too


@dataclass(frozen=True)
class Wanted:
    """What somebody would like to have: `minutes` of an instrument in a window, between two times
    of the day if they are named. regions: codes, for equivalent instruments; max_price: in all,
    before tax and vouchers, in the currency of the instrument."""

    instrument_id: UUID
    organisation: str | None
    service_mode: str
    earliest: datetime
    latest: datetime
    minutes: int
    hours_from: time | None = None
    hours_until: time | None = None
    any_equivalent: bool = False
    regions: Sequence[str] = ()
    max_price: Decimal | None = None


@transaction.atomic
def wish_make(by: By, *, wanted: Wanted) -> WaitingWish:
    """Put a wish on the waiting list, for oneself and an organisation one may book for. What of
    the instrument is free and fits is offered at once; what of equivalent ones, by a job.

    `Invalid`, `NotFound`; `RulesRefuse` where the instrument never takes such a booking;
    `WrongState` for the same wish again (`already-waiting`) and one too many.
    """
    rules.check_window(wanted.earliest, wanted.latest, wanted.minutes, by.now)
    times_of_day(wanted.hours_from, wanted.hours_until, [wanted.minutes])
    regions = _regions(wanted)
    window = Period(wanted.earliest, wanted.latest)
    asked = Booking(wanted.instrument_id, window, wanted.organisation, wanted.service_mode)
    payer = parties_of(by.actor, asked).payer
    instrument = lock_instrument(wanted.instrument_id)
    if not may_see(by.actor, instrument):
        raise NotFound
    mode = wanted.service_mode or next(iter(instrument.service_modes), "")
    if mode not in instrument.service_modes:
        raise invalid("service_mode", "not-offered")
    _require_possible(instrument, wanted.minutes)
    lapse_due(instrument, by.now)
    lock_person(by.actor.person)
    mine = open_wishes(by.now).filter(user_id=by.actor.person)
    same = {
        "instrument": instrument,
        "organisation": payer,
        "service_mode": mode,
        "earliest": wanted.earliest,
        "latest": wanted.latest,
        "minutes": wanted.minutes,
        "hours_from": wanted.hours_from,
        "hours_until": wanted.hours_until,
    }
    if mine.filter(**same).exists():
        raise WrongState("already-waiting")
    if mine.count() >= rules.MOST_WISHES:
        raise WrongState("too-many-wishes", most=rules.MOST_WISHES)
    wish = WaitingWish.objects.create(
        **same,
        user_id=by.actor.person,
        any_equivalent=wanted.any_equivalent,
        max_price=wanted.max_price,
        instruments=[instrument.pk],
        created_at=by.now,
        looked_at=by.now,
    )
    wish.regions.set(regions)
    if wanted.any_equivalent:
        wish.instruments = load_instruments(wish)
        wish.save(update_fields=["instruments"])
    wish_record(by, "waiting.create", wish, after=_said(wish, regions))
    if slot_offer_locked(instrument, by.now, holding=by.actor.person) is None:
        enqueue(
            [look_again(pk, f"{wish.pk}:{pk}") for pk in wish.instruments if pk != instrument.pk],
            now=by.now,
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
def wish_withdraw(by: By, *, wish_id: UUID) -> WaitingWish:
    """Take a wish off the list, for the person whose it is. What is offered to it at present is
    given back and goes to the next."""
    wish = wish_by_id(by.actor, wish_id)
    if wish.user_id != by.actor.person:
        raise NotPermitted
    offer = standing_offer(wish.pk, by.now)
    held = lock_reservation(offer.reservation_id)[1] if offer else None
    lock_person(by.actor.person)
    wish = WaitingWish.objects.select_related("instrument", "organisation").get(pk=wish.pk)
    by.require_version(wish.version)
    present = standing_offer(wish.pk, by.now)
    if (present and present.pk) != (offer and offer.pk):
        raise WrongVersion(version=wish.version)  # offered, taken or declined this very moment
    _require_waiting(wish, by.now)
    _end(by, wish, "withdrawn", by.now)
    if held is not None:
        hold_give_back(by, reservation=held)
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
                return slot_offer_locked(instrument, now)
        except Outrun:  # its lock on the person is gone with the transaction: look again
            continue
    return None


def wishes_settle(*, now: datetime, most: int = 500) -> int:
    """Write down the end of wishes that were fulfilled or whose window is over; how many."""
    due = ended_wishes(now)
    return work_through(
        job="settle waiting", due=due, act=lambda pk: _settle(pk, now), now=now, most=most
    )


def _settle(wish_id: UUID, now: datetime) -> int:
    wish = WaitingWish.objects.select_related("instrument", "organisation").get(pk=wish_id)
    claim_person(wish.user_id)
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
    _end(By(PLATFORM, now), wish, state, ended_at)
    return 1


def wishes_look(*, now: datetime, most: int = 100) -> int:
    """Look for time that is free anyway (hours changed, a horizon moved on, a rule was eased)
    for the wishes not looked at for the longest; the number of offers made. What instruments
    each is content with is found anew. One looked at by a worker that then died is looked at
    again when its turn comes."""
    due = unoffered(open_wishes(now), now).filter(looked_at__lte=now - rules.LOOK_EVERY)
    ids = list(due.order_by("looked_at", "id").values_list("pk", flat=True)[:most])
    instruments: dict[UUID, None] = {}
    for pk in ids:
        instruments |= dict.fromkeys(_look_claim(pk, now))

    def act(instrument_id: UUID) -> int:
        claim_instrument(instrument_id)
        return int(slot_offer(instrument_id=instrument_id, now=now) is not None)

    return work_through(job="look for waiting", due=instruments, act=act, now=now)


@transaction.atomic
def _look_claim(wish_id: UUID, now: datetime) -> list[UUID]:
    """The instruments of a wish whose turn it is, and that no other worker looks at."""
    wish = (
        WaitingWish.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .select_related("instrument")
        .filter(pk=wish_id, looked_at__lte=now - rules.LOOK_EVERY)
        .first()
    )
    if wish is None:
        return []
    found = load_instruments(wish)
    WaitingWish.objects.filter(pk=wish.pk).update(instruments=found, looked_at=now)
    return found


def _end(by: By, wish: WaitingWish, state: str, ended_at: datetime) -> None:
    """Give a wish its final state: compare-and-swap on `waiting`."""
    swapped = WaitingWish.objects.filter(pk=wish.pk, state="waiting").update(
        state=state, ended_at=ended_at, version=F("version") + 1
    )
    if not swapped:
        raise WrongVersion
    wish.refresh_from_db(fields=["state", "ended_at", "version"])
    wish_record(
        by,
        f"waiting.{state}",
        wish,
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
        "hours_from": f"{wish.hours_from:%H:%M}" if wish.hours_from else None,
        "hours_until": f"{wish.hours_until:%H:%M}" if wish.hours_until else None,
        "any_equivalent": wish.any_equivalent,
        "regions": [region.code for region in regions],
        "max_price": wish.max_price,
    }
