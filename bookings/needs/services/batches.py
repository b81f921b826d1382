"""Batches: placing a region's flexible needs together, and what people do with their offers."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import Exists

from accounts import trail
from accounts.domain.errors import NotFound, Refused, WrongState, invalid
from accounts.domain.roles import PLATFORM, By, Place
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.memberships import load_actor
from accounts.selectors.organisations import region_by_code
from accounts.services.jobs import work_alone, work_through
from bookings.catalogue.selectors.parties import Booking
from bookings.catalogue.services.demand import guarded
from bookings.needs.adapters.highs import Unsolved, solver
from bookings.needs.domain import batches as rules
from bookings.needs.locks import lock_place
from bookings.needs.models import Batch, BatchPlace, Need
from bookings.needs.selectors import batches
from bookings.needs.selectors.needs import booked_for
from bookings.pricing.selectors.exchange_rates import load_worths
from bookings.record.domain.periods import Period
from bookings.record.locks import claim_reservation
from bookings.record.models import Reservation
from bookings.reserving.domain.holds import SLOTS_HELD
from bookings.reserving.selectors.placing import Price
from bookings.reserving.services.holds import hold_give_back, slot_keep
from bookings.reserving.services.placing import parties_of
from bookings.reserving.services.reservations import reservations_put
from instruments.reading.domain.clock import local_date
from instruments.register.locks import lock_instrument

MEANWHILE = rules.Reason("meanwhile")
USUAL_WINDOW = timedelta(days=21)


class _Lost(Refused):
    """The time cannot be offered: need, room or price have changed since the decision."""


@transaction.atomic
def batch_start(by: By, *, region: str, starts_at: datetime, ends_at: datetime) -> Batch:
    """Have the flexible needs of a region placed in a window, for its coordinator; a job does so within
    minutes. Raises `Invalid`, `NotPermitted`, `WrongState` (batch-waiting: one is waiting already)."""
    try:
        row = region_by_code(region)
    except NotFound:
        raise invalid("region", "unknown-value") from None
    require(by.actor, "coordinate", Place(None, frozenset(row.lineage)))
    if not by.now < ends_at <= by.now + rules.LONGEST_WINDOW:
        most = (by.now + rules.LONGEST_WINDOW).isoformat()
        raise invalid("ends_at", "out-of-range", least=by.now.isoformat(), most=most)
    if starts_at >= ends_at:
        raise invalid("ends_at", "not-after-start")
    try:
        with transaction.atomic():
            batch = Batch.objects.create(
                region=row,
                starts_at=max(starts_at, by.now),
                ends_at=ends_at,
                made_by_id=by.actor.person,
                created_at=by.now,
            )
    except IntegrityError:
        raise WrongState("batch-waiting") from None
    after = {"region": row.pk, "starts": batch.starts_at, "ends": ends_at}
    trail.record(by, "batch.start", batch, after=after)
    return batch


def batches_place(*, now: datetime) -> int:
    """Assign times to the needs of all batches that are waiting; return how many batches were placed."""
    due = Batch.objects.filter(state=Batch.State.WAITING).select_related("region")
    return work_alone(
        job="batches", due=due.order_by("created_at", "pk"), act=partial(_place, now=now), now=now
    )


def _place(batch: Batch, now: datetime) -> int:
    """Decide who gets which time, then hold the times one after the other, each in a transaction of its own.
    Needs that lose their time to somebody else meanwhile are decided about once more. After an interruption,
    the next call goes on with the needs that have no place yet."""
    batch_places_settle(now=now)
    market = batches.load_market(batch, batches.load_flexible(batch, now), now)
    decision = _decided(market)
    lost = _offered(batch, decision, market, now)
    if lost:
        again = batches.load_market(batch, lost, now)
        second = _decided(again)
        lost = [need for need in lost if need.pk in second.unplaced]
        lost += _offered(batch, second, again, now)
    unplaced = dict(decision.unplaced) | {need.pk: MEANWHILE for need in lost}
    _finish(batch, [n for n in market.needs if n.pk in unplaced], unplaced, decision, now)
    return 1


def _decided(market: batches.Market) -> rules.Decision:
    needs = [need.pk for need in market.needs]
    try:
        return rules.decide(needs, market.options, market.rooms, solver())
    except Unsolved:
        return rules.decide(needs, market.options, market.rooms)


def _offered(batch: Batch, decision: rules.Decision, market: batches.Market, now: datetime) -> list[Need]:
    """Offer what was decided, instrument by instrument; return the needs whose time was lost meanwhile."""
    needs = {need.pk: need for need in market.needs}
    order = sorted(decision.placed, key=lambda one: (str(one.option.instrument), one.option.period))
    lost = []
    for placed in order:
        need = needs[placed.option.need]
        mode = market.modes[need.pk, placed.option.instrument]
        try:
            _offer(batch, need, placed, mode, now)
        except Refused:  # a rule refuses, or the need has changed meanwhile
            lost.append(need)
    return lost


def _offer(batch: Batch, need: Need, placed: rules.Placed, mode: str, now: datetime) -> None:
    by, option, reason = By(PLATFORM, now), placed.option, placed.reason
    with guarded():
        instrument = lock_instrument(option.instrument)
        unmet = Need.objects.exclude(Exists(booked_for()))
        present = unmet.select_for_update(no_key=True).filter(pk=need.pk).first()
        if (
            present is None
            or (present.state, present.version) != (Need.State.OPEN, need.version)
            or BatchPlace.objects.filter(need=need, state=BatchPlace.State.OFFERED).exists()
        ):
            raise _Lost
        if option.period.minutes > batches.load_rooms([instrument], batch, now)[instrument.pk].minutes:
            raise _Lost
        person = load_actor(need.user)
        booking = _booking(need, instrument.pk, option.period, mode)
        hold, price = slot_keep(
            by,
            person=person,
            parties=parties_of(person, booking),
            booking=booking,
            instrument=instrument,
            until=now + SLOTS_HELD,
        )
        if need.budget is not None and not _is_within(need, price, now):
            raise _Lost
        place = BatchPlace.objects.create(
            batch=batch,
            need=need,
            organisation=need.organisation,
            reservation=hold,
            state=BatchPlace.State.OFFERED,
            reason=reason.code,
            others=reason.others,
            instrument=instrument,
            day=option.day,
            currency=price.quote.currency,
            payable=price.quote.payable,
            created_at=now,
            changed_at=now,
        )
        after = {"batch": batch.pk, "reservation": hold.pk, "state": place.state}
        trail.record(by, "batch.offer", place, after=after)
        enqueue([_told("batch.offered", place)], now=now)


def _is_within(need: Need, price: Price, now: datetime) -> bool:
    """Say whether a price is known to keep to the budget, at the payer's exchange rates."""
    today = local_date(ZoneInfo(need.organisation.region.time_zone), now)
    worths = load_worths(need.organisation, need.currency, today)
    worth = worths.get(price.quote.currency)
    return worth is not None and price.quote.payable * worth <= (need.budget or 0)


def _booking(need: Need, instrument_id: UUID, period: Period, mode: str, **more: Any) -> Booking:
    return Booking(
        instrument_id,
        period,
        need.organisation.code,
        mode,
        samples=need.sample,
        quantity=None if need.quantity is None else Decimal(need.quantity),
        held_for=Reservation.HeldFor.BATCH,
        **more,
    )


@transaction.atomic
def _finish(
    batch: Batch,
    needs: Sequence[Need],
    unplaced: dict[Any, rules.Reason],
    decision: rules.Decision,
    now: datetime,
) -> None:
    """Record which needs of a batch got no place and why, and tell whoever started the batch."""
    row = Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
    BatchPlace.objects.bulk_create(
        [
            BatchPlace(
                batch=row,
                need=need,
                organisation=need.organisation,
                state=BatchPlace.State.UNPLACED,
                reason=unplaced[need.pk].code,
                others=unplaced[need.pk].others,
                instrument_id=unplaced[need.pk].instrument,
                day=unplaced[need.pk].day,
                created_at=now,
                changed_at=now,
            )
            for need in needs
        ],
        ignore_conflicts=True,
    )
    row.state, row.placed_at = Batch.State.PLACED, now
    row.figures = {
        "is_first_come": decision.is_first_come,
        "worth": decision.worth,
        "bound": decision.bound,
        "scarce": [
            {
                "instrument": str(one.instrument),
                "day": one.day.isoformat() if one.day else None,
                "needs": one.needs,
                "price": round(one.price, 3),
            }
            for one in decision.scarce
        ],
    }
    row.save()
    places = BatchPlace.objects.filter(batch=row)
    after = {
        "state": row.state,
        "needs": places.count(),
        "offered": places.exclude(state=BatchPlace.State.UNPLACED).count(),
    }
    trail.record(By(PLATFORM, now), "batch.place", row, after=after)
    enqueue([Effect("batch.placed", f"batch.placed:{row.pk}", {"batch": str(row.pk)})], now=now)


def batch_place_accept(
    by: By, *, place_id: UUID, house_rules: int | None = None, purpose: str = "research"
) -> Reservation:
    """Book the time that a batch holds for the actor's own need; if the host's policy says so, it needs
    approval. Raises `WrongState` (place-gone), and `RulesRefuse` as for any booking."""
    batches.own_place(by.actor, place_id)
    with guarded():
        place, hold = _locked(by, place_id)
        assert place.need is not None
        booking = _booking(
            place.need,
            hold.instrument_id,
            Period(hold.start_at, hold.end_at),
            hold.service_mode,
            purpose=purpose,
            hold=hold.pk,
            house_rules=house_rules,
        )
        booking = replace(booking, need=place.need.pk)
        parties = parties_of(by.actor, booking)
        (reservation,) = reservations_put(by, parties=[parties], bookings=[booking])
        place.state = BatchPlace.State.ACCEPTED
        _store(by, "batch.accept", place, reservation=reservation.pk)
    return reservation


@transaction.atomic
def batch_place_give_back(by: By, *, place_id: UUID) -> BatchPlace:
    """Give back the time that a batch holds for the actor's own need. Raises `WrongState` (place-gone)."""
    batches.own_place(by.actor, place_id)
    place, hold = _locked(by, place_id)
    hold_give_back(by, reservation=hold)
    place.state = BatchPlace.State.GIVEN_BACK
    _store(by, "batch.give-back", place)
    return place


def need_places_give_back(by: By, *, need_id: UUID) -> None:
    """Release what a batch holds for a need, in the caller's transaction, before the need is locked."""
    for pk in batches.standing(by.now).filter(need=need_id).values_list("pk", flat=True):
        place, hold = _locked(By(by.actor, by.now), pk)
        hold_give_back(by, reservation=hold)
        place.state = BatchPlace.State.GIVEN_BACK
        _store(by, "batch.give-back", place)


def batch_places_settle(*, now: datetime, most: int = 500) -> int:
    """Mark offers whose time is no longer held as lapsed; return how many."""

    def act(pk: UUID) -> int:
        row = BatchPlace.objects.filter(pk=pk).values_list("reservation_id", flat=True).get()
        if row is not None:
            claim_reservation(row)
        place, _ = lock_place(pk)
        if not batches.places_over(now).filter(pk=pk).exists():
            return 0
        place.state = BatchPlace.State.LAPSED
        _store(By(PLATFORM, now), "batch.lapse", place)
        if place.need_id:
            enqueue([_told("batch.lapsed", place)], now=now)
        return 1

    due = list(batches.places_over(now).values_list("pk", flat=True)[:most])
    return work_through(job="batch places", due=due, act=act, now=now)


def _locked(by: By, place_id: UUID) -> tuple[BatchPlace, Reservation]:
    """Return a place whose time is held, with its hold, both locked. Raise `WrongState` (place-gone)
    otherwise."""
    place, hold = lock_place(place_id)
    by.require_version(place.version)
    if hold is None or not batches.standing(by.now).filter(pk=place.pk).exists():
        raise WrongState("place-gone")
    return place, hold


def _store(by: By, action: str, place: BatchPlace, **more: Any) -> None:
    place.changed_at = by.now
    place.version += 1
    place.save(update_fields=["state", "changed_at", "version"])
    trail.record(by, action, place, after={"state": place.state} | more)


def _told(kind: str, place: BatchPlace) -> Effect:
    return Effect(kind, f"{kind}:{place.pk}", {"batchplace": str(place.pk)})
