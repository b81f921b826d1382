"""The waiting list: joining, leaving, offering slots that become free, and ending entries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

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
from bookings.plans.selectors import waiting
from bookings.plans.services.waiting_offers import Outrun, look_again, slot_offer_locked, wish_record
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import Refusal, RulesRefuse
from bookings.record.locks import claim_person, lock_person, lock_reservation
from bookings.reserving.selectors.placing import require_unblocked
from bookings.reserving.services.holds import hold_give_back
from bookings.reserving.services.placing import lapse_due, parties_of
from instruments.policy.domain.policies import Policy
from instruments.policy.selectors.policies import load_policy
from instruments.register.locks import claim_instrument, lock_instrument
from instruments.register.models import Instrument
from instruments.register.selectors.registry import PUBLIC, may_see

ATTEMPTS = 5  # attempts to offer a slot while others offer too


@dataclass(frozen=True)
class WishValues:
    """The values of a waiting-list entry: `minutes` on an instrument within a window, between two times of
    the day if given. regions: codes, for equivalent instruments; max_price: in all, before tax and vouchers,
    in the currency of the instrument."""

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
def wish_make(by: By, *, values: WishValues) -> WaitingWish:
    """Make a waiting-list entry, for the actor and an organisation for which they may book. A free slot of
    the instrument that fits is offered at once; those of equivalent instruments are offered by a job.

    Raises `Invalid`, `NotFound`; `RulesRefuse` if the instrument never takes such a booking, or its host
    blocks the person or the payer and no equivalent one will do; `WrongState` for
    the same entry again (`already-waiting`) and for one too many (`too-many-wishes`).
    """
    rules.check_window(values.earliest, values.latest, values.minutes, by.now)
    times_of_day(values.hours_from, values.hours_until, [values.minutes])
    regions = _regions(values)
    window = Period(values.earliest, values.latest)
    booking = Booking(values.instrument_id, window, values.organisation, values.service_mode)
    payer = parties_of(by.actor, booking).payer
    instrument = lock_instrument(values.instrument_id)
    if not may_see(by.actor, instrument):
        raise NotFound
    mode = values.service_mode or next(iter(instrument.service_modes), "")
    if mode not in instrument.service_modes:
        raise invalid("service_mode", "not-offered")
    _require_possible(instrument, values.minutes)
    if not values.any_equivalent:
        require_unblocked(by.actor, instrument, by.actor.person, payer.pk, by.now)
    lapse_due(instrument, by.now)
    lock_person(by.actor.person)
    mine = waiting.open_wishes(by.now).filter(user_id=by.actor.person)
    same = {
        "instrument": instrument,
        "organisation": payer,
        "service_mode": mode,
        "earliest": values.earliest,
        "latest": values.latest,
        "minutes": values.minutes,
        "hours_from": values.hours_from,
        "hours_until": values.hours_until,
    }
    if mine.filter(**same).exists():
        raise WrongState("already-waiting")
    if mine.count() >= rules.MOST_WISHES:
        raise WrongState("too-many-wishes", most=rules.MOST_WISHES)
    wish = WaitingWish.objects.create(
        **same,
        user_id=by.actor.person,
        any_equivalent=values.any_equivalent,
        max_price=values.max_price,
        instruments=[instrument.pk],
        created_at=by.now,
        looked_at=by.now,
    )
    wish.regions.set(regions)
    if values.any_equivalent:
        wish.instruments = waiting.load_instruments(wish)
        wish.save(update_fields=["instruments"])
    wish_record(by, "waiting.create", wish, after=_facts(wish, regions))
    if slot_offer_locked(instrument, by.now, holding=by.actor.person) is None:
        enqueue(
            [look_again(pk, f"{wish.pk}:{pk}") for pk in wish.instruments if pk != instrument.pk], now=by.now
        )
    wish.refresh_from_db(fields=["version"])
    return wish


def _regions(values: WishValues) -> list[Region]:
    if values.regions and not values.any_equivalent:
        raise invalid("regions", "only-with-equivalents")
    regions = []
    for position, code in enumerate(dict.fromkeys(values.regions)):
        try:
            regions.append(region_by_code(code))
        except NotFound:
            raise invalid(f"regions[{position}]", "unknown-region", region=code) from None
    return regions


def _require_possible(instrument: Instrument, minutes: int) -> None:
    """Raise `RulesRefuse` for a waiting-list entry that no slot could ever satisfy: the instrument is not
    published, or its policy forbids the length. Certificates, prices and hours may still change, so they are
    checked for each slot."""
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
    """Withdraw a waiting-list entry, for the person whose it is. A slot that is offered for it is released
    and offered to the next."""
    wish = waiting.wish_by_id(by.actor, wish_id)
    if wish.user_id != by.actor.person:
        raise NotPermitted
    offer = waiting.standing_offer(wish.pk, by.now)
    held = lock_reservation(offer.reservation_id)[1] if offer else None
    lock_person(by.actor.person)
    wish = WaitingWish.objects.select_related("instrument", "organisation").get(pk=wish.pk)
    by.require_version(wish.version)
    present = waiting.standing_offer(wish.pk, by.now)
    if (present and present.pk) != (offer and offer.pk):
        raise WrongVersion(version=wish.version)  # it was offered, taken or declined at this moment
    _require_waiting(wish, by.now)
    _end(by, wish, "withdrawn", by.now)
    if held is not None:
        hold_give_back(by, reservation=held)
    return wish


def _require_waiting(wish: WaitingWish, now: datetime) -> None:
    if not waiting.open_wishes(now).filter(pk=wish.pk).exists():
        state = wish.state
        if state == "waiting":
            state = "expired" if wish.latest <= now else "fulfilled"
        raise WrongState(state=state, wanted="withdrawn")


def slot_offer(*, instrument_id: UUID, now: datetime) -> WaitingOffer | None:
    """Offer a free slot of an instrument to the first person in line whom one fits, and have a job look for
    the next person. Return None if no free slot fits anybody.

    Only a slot that the person could book is offered: every rule is asked, for the person and payer.
    """
    for _ in range(ATTEMPTS):
        if not waiting.next_in_line(instrument_id, now).exists():
            return None
        try:
            with transaction.atomic():
                instrument = lock_instrument(instrument_id)
                lapse_due(instrument, now)
                return slot_offer_locked(instrument, now)
        except Outrun:  # the lock on the person ended with the transaction: look again
            continue
    return None


def wishes_settle(*, now: datetime, most: int = 500) -> int:
    """Store the end of waiting-list entries that were fulfilled or whose window is over; return how many."""
    due = waiting.ended_wishes(now)
    return work_through(job="settle waiting", due=due, act=lambda pk: _settle(pk, now), now=now, most=most)


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
    """Look for slots that are free for other reasons (hours changed, the horizon moved on, a rule was
    relaxed), for the waiting-list entries that were not looked at for the longest; return the number of
    offers. The instruments that each entry accepts are determined again. If a worker dies, its entries are
    looked at again when their turn comes."""
    due = waiting.unoffered(waiting.open_wishes(now), now).filter(looked_at__lte=now - rules.LOOK_EVERY)
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
    """Claim a waiting-list entry whose turn it is, and return the instruments that it accepts; empty if
    another worker has it."""
    wish = (
        WaitingWish.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .select_related("instrument")
        .filter(pk=wish_id, looked_at__lte=now - rules.LOOK_EVERY)
        .first()
    )
    if wish is None:
        return []
    instruments = waiting.load_instruments(wish)
    WaitingWish.objects.filter(pk=wish.pk).update(instruments=instruments, looked_at=now)
    return instruments


def _end(by: By, wish: WaitingWish, state: str, ended_at: datetime) -> None:
    """Give a waiting entry its final state; raise `WrongVersion` if its state has changed meanwhile."""
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


def _facts(wish: WaitingWish, regions: Sequence[Region]) -> dict[str, object]:
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


def wishes_end(wishes: QuerySet[WaitingWish], now: datetime) -> None:
    """End these waiting-list entries, whose organisation is being closed."""
    wishes.update(state="withdrawn", ended_at=now, version=F("version") + 1)
