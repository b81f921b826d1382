"""Enquiries: making a need visible, accepting a bid, and closing without one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts import trail
from accounts.domain.errors import FieldProblem, Invalid, NotFound, WrongState, invalid
from accounts.domain.roles import PLATFORM, By
from accounts.models import Organisation, Region
from accounts.notifications import Effect, enqueue
from accounts.selectors.organisations import organisation_by_code, region_by_code
from accounts.services.jobs import work_through
from bookings.board.domain import enquiries as rules
from bookings.board.locks import lock_bids, lock_enquiry, lock_slots, standing_bids
from bookings.board.models import Bid, BidSlot, Enquiry
from bookings.board.selectors.enquiries import own_enquiry
from bookings.catalogue.selectors.parties import Booking
from bookings.catalogue.services.demand import demand_unanswered, guarded
from bookings.needs.models import Need
from bookings.needs.selectors.needs import load_chosen, own_need
from bookings.record.domain.periods import Period
from bookings.record.domain.reservations import RELEASED
from bookings.record.models import Reservation
from bookings.reserving.services.holds import hold_give_back
from bookings.reserving.services.placing import parties_of
from bookings.reserving.services.reservations import reservations_put

OPEN_FOR = timedelta(days=14)  # unless said
MOST_NAMED = 20


@dataclass(frozen=True)
class EnquiryValues:
    """To whom a need is shown, and how. is_confidential: None for what the kind of the payer
    suggests; sample: as hosts read it; regions, hosts: codes, none for all."""

    is_confidential: bool | None = None
    sample: str = ""
    closes_at: datetime | None = None
    regions: Sequence[str] = ()
    hosts: Sequence[str] = ()


@transaction.atomic
def enquiry_make(by: By, *, need_id: UUID, values: EnquiryValues) -> Enquiry:
    """Show one's own need to hosts. `WrongState` (need-withdrawn, already-an-enquiry)."""
    own_need(by.actor, need_id)
    need = Need.objects.select_for_update(no_key=True).get(pk=need_id)
    if need.state != Need.State.OPEN:
        raise WrongState("need-withdrawn")
    live = Q(state__in=rules.LIVE, closes_at__gt=by.now) | Q(state=Enquiry.State.AWARDED)
    if Enquiry.objects.filter(live, need=need).exists():
        raise WrongState("already-an-enquiry")
    for closed in Enquiry.objects.filter(need=need, state__in=rules.LIVE):
        _settle(closed.pk, by.now)  # what has closed has only not been tidied up yet
    regions, hosts = _audience(values)
    terms = load_chosen(need.terms)
    enquiry = Enquiry.objects.create(
        need=need,
        user=need.user,
        organisation=need.organisation,
        region=need.organisation.region,
        is_confidential=is_firm(need.organisation)
        if values.is_confidential is None
        else values.is_confidential,
        terms=need.terms,
        techniques=list(dict.fromkeys(code for term in terms for code in term.techniques)),
        sample=values.sample.strip(),
        quantity=need.quantity,
        modes=need.modes,
        earliest=need.earliest,
        latest=need.latest,
        minutes=need.minutes,
        closes_at=_closing(need, values, by.now),
        created_at=by.now,
        changed_at=by.now,
    )
    enquiry.regions.set(regions)
    enquiry.hosts.set(hosts)
    facts = {
        "need": need.pk,
        "terms": enquiry.terms,
        "confidential": enquiry.is_confidential,
        "closes": enquiry.closes_at,
        "regions": sorted(region.code for region in regions),
        "hosts": sorted(host.code for host in hosts),
    }
    trail.record(by, "enquiry.make", enquiry, after=facts)
    enqueue([told("enquiry.made", enquiry)], now=by.now)
    return enquiry


def is_firm(organisation: Organisation) -> bool:
    """Whether what an organisation asks for is confidential unless it says otherwise."""
    return organisation.kind == Organisation.Kind.ENTERPRISE


def enquiry_accept(
    by: By,
    *,
    enquiry_id: UUID,
    slot_id: UUID,
    house_rules: int | None = None,
    purpose: str = "research",
) -> Reservation:
    """Book the slot of a bid for one's own enquiry; the other bids are declined and their slots
    come free, all in one transaction. `WrongState` where the enquiry or the bid stands no more,
    `RulesRefuse` as of any booking."""
    own_enquiry(by.actor, enquiry_id)
    with guarded():
        enquiry, bids, held = _locked(by, enquiry_id)
        slot = BidSlot.objects.filter(pk=slot_id, bid__in=bids).select_related("bid").first()
        if slot is None:
            raise WrongState("bid-gone")
        bid = next(one for one in bids if one.pk == slot.bid_id)
        if rules.bid_state(bid.state, bid.valid_until, by.now) not in rules.STANDING:
            raise WrongState("bid-gone")
        hold = next(one for one in held[bid.pk] if one.pk == slot.reservation_id)
        booking = Booking(
            bid.instrument_id,
            Period(hold.start_at, hold.end_at),
            enquiry.organisation.code,
            bid.service_mode,
            purpose=purpose,
            samples=enquiry.sample,
            quantity=None if enquiry.quantity is None else Decimal(enquiry.quantity),
            hold=hold.pk,
            held_for=Reservation.HeldFor.BID,
            house_rules=house_rules,
        )
        parties = parties_of(by.actor, booking)
        (reservation,) = reservations_put(by, parties=[parties], bookings=[booking])
        bid.state = Bid.State.ACCEPTED
        bid_store(by, "bid.accept", bid, after={"reservation": reservation.pk})
        _end(by, [one for one in bids if one != bid], held)
        for other in held[bid.pk]:
            if other.pk != hold.pk and other.state == "held":
                hold_give_back(by, reservation=other)
        enquiry.state, enquiry.reservation = Enquiry.State.AWARDED, reservation
        _store(by, "enquiry.award", enquiry, after={"bid": bid.pk, "reservation": reservation.pk})
        enqueue([told("bid.accepted", bid)], now=by.now)
    return reservation


@transaction.atomic
def enquiry_withdraw(by: By, *, enquiry_id: UUID) -> Enquiry:
    """Ask no more: what was offered is declined, and nothing is remembered as unmet."""
    own_enquiry(by.actor, enquiry_id)
    enquiry, bids, held = _locked(by, enquiry_id)
    _end(by, bids, held)
    enquiry.state = Enquiry.State.WITHDRAWN
    _store(by, "enquiry.withdraw", enquiry)
    return enquiry


@transaction.atomic
def enquiry_close(by: By, *, enquiry_id: UUID, reason: str) -> Enquiry:
    """Close one's own enquiry as unmet, with the reason as a code."""
    own_enquiry(by.actor, enquiry_id)
    if reason not in CLOSING:
        raise invalid("reason", "unknown-choice", allowed=", ".join(CLOSING))
    enquiry, bids, held = _locked(by, enquiry_id)
    _end(by, bids, held)
    _unmet(by, enquiry, reason)
    return enquiry


def enquiries_forget(by: By) -> None:
    """Withdraw what a person asks for, and forget what they wrote about it and in their bids."""
    mine = Enquiry.objects.filter(user_id=by.actor.person)
    live = mine.filter(state__in=rules.LIVE, closes_at__gt=by.now)
    for pk in list(live.order_by("pk").values_list("pk", flat=True)):
        enquiry_withdraw(by, enquiry_id=pk)
    mine.update(sample="", need=None)
    Bid.objects.filter(user_id=by.actor.person).update(text="")


CLOSING = ("no-bid", "price", "time", "conditions")


@transaction.atomic
def bid_decline(by: By, *, bid_id: UUID) -> Bid:
    """Decline a bid for one's own enquiry; its slots come free."""
    row = Bid.objects.filter(pk=bid_id, enquiry__user_id=by.actor.person).first()
    if row is None:
        raise NotFound
    held = lock_slots([row.pk])
    lock_enquiry(row.enquiry_id)
    bids = lock_bids([row.pk])
    if rules.bid_state(bids[0].state, bids[0].valid_until, by.now) not in rules.STANDING:
        raise WrongState("bid-gone")
    _end(by, bids, held)
    return bids[0]


def enquiries_settle(*, now: datetime, most: int = 500) -> int:
    """Tidy up what deadlines have decided: enquiries that closed become unmet demand, bids lapse,
    an award whose booking took place is fulfilled; how many."""
    closed = Q(state__in=rules.LIVE, closes_at__lte=now)
    ended = Q(state="awarded", reservation__state__in=[*RELEASED, "completed", "no_show"])
    lapsed = Q(bids__state__in=rules.STANDING, bids__valid_until__lte=now)
    due = Enquiry.objects.filter(closed | ended | lapsed).distinct().order_by("pk")

    def act(pk: UUID) -> int:
        _settle(pk, now)
        return 1

    ids = list(due.values_list("pk", flat=True)[:most])
    return work_through(job="enquiries", due=ids, act=act, now=now)


def _settle(enquiry_id: UUID, now: datetime) -> None:
    by = By(PLATFORM, now)
    ids = standing_bids(enquiry_id)
    held = lock_slots(ids)
    enquiry = lock_enquiry(enquiry_id)
    bids = lock_bids(ids)
    state = rules.enquiry_state(enquiry.state, enquiry.closes_at, now)
    over = [b for b in bids if rules.bid_state(b.state, b.valid_until, now) == "lapsed"]
    if state == "unmet" and enquiry.state in rules.LIVE:
        _end(by, bids, held, state=Bid.State.LAPSED)
        has_bids = Bid.objects.filter(enquiry=enquiry).exists()
        _unmet(by, enquiry, "not-chosen" if has_bids else "no-bid")
    elif over:
        _end(by, over, held, state=Bid.State.LAPSED)
    elif enquiry.state == Enquiry.State.AWARDED and enquiry.reservation is not None:
        if enquiry.reservation.state == "completed":
            enquiry.state = Enquiry.State.FULFILLED
            _store(by, "enquiry.fulfil", enquiry)
        elif enquiry.reservation.state in {*RELEASED, "no_show"}:
            _unmet(by, enquiry, "fell-through")


def _locked(by: By, enquiry_id: UUID) -> tuple[Enquiry, list[Bid], dict[UUID, list[Reservation]]]:
    """An open enquiry and its bids that stand, with the slots they keep, all locked in order."""
    ids = standing_bids(enquiry_id)
    held = lock_slots(ids)
    enquiry = lock_enquiry(enquiry_id)
    by.require_version(enquiry.version)
    state = rules.enquiry_state(enquiry.state, enquiry.closes_at, by.now)
    if state not in rules.LIVE:
        raise WrongState("enquiry-closed", state=state)
    if standing_bids(enquiry_id) != ids:  # whose instruments are not locked
        raise WrongState("bids-changed")
    return enquiry, lock_bids(ids), held


def _end(
    by: By,
    bids: Iterable[Bid],
    held: dict[UUID, list[Reservation]],
    *,
    state: str = Bid.State.DECLINED,
) -> None:
    """End bids and give their slots back."""
    for bid in bids:
        for hold in held.get(bid.pk, ()):
            if hold.state == "held" and hold.held_for:
                hold_give_back(by, reservation=hold)
        bid.state = state
        # In nobody's name: the host does not learn who asked.
        has_lapsed = state == Bid.State.LAPSED
        bid_store(By(PLATFORM, by.now), "bid.lapse" if has_lapsed else "bid.decline", bid)
        enqueue([told("bid.lapsed" if has_lapsed else "bid.declined", bid)], now=by.now)


def bid_store(by: By, action: str, bid: Bid, *, after: dict[str, Any] | None = None) -> None:
    """Store a locked bid in its new state, with its entry in the trail of the host."""
    bid.changed_at = by.now
    bid.version += 1
    bid.save()
    trail.record(by, action, bid, after={"state": bid.state} | (after or {}))


def _unmet(by: By, enquiry: Enquiry, reason: str) -> None:
    enquiry.state, enquiry.reason = Enquiry.State.UNMET, reason
    _store(by, "enquiry.close", enquiry, after={"reason": reason})
    demand_unanswered(
        by,
        person=enquiry.user_id,
        organisation=enquiry.organisation,
        technique=next(iter(enquiry.techniques), ""),
        period=Period(enquiry.earliest, enquiry.latest),
        minutes=enquiry.minutes,
        reason=reason,
    )
    enqueue([told("enquiry.unmet", enquiry)], now=by.now)


def _store(by: By, action: str, enquiry: Enquiry, after: dict[str, Any] | None = None) -> None:
    enquiry.changed_at = by.now
    enquiry.version += 1
    enquiry.save()
    trail.record(by, action, enquiry, after={"state": enquiry.state} | (after or {}))


def told(kind: str, row: Enquiry | Bid) -> Effect:
    """A message about an enquiry or a bid as it is now."""
    name = kind.partition(".")[0]
    return Effect(kind=kind, key=f"{kind}:{row.pk}:{row.version}", payload={name: str(row.pk)})


def _closing(need: Need, values: EnquiryValues, now: datetime) -> datetime:
    latest = min(need.latest, now + rules.LONGEST_OPEN)
    closes_at = values.closes_at or min(latest, now + OPEN_FOR)
    if need.latest <= now:
        raise WrongState("enquiry-closed", state="unmet")
    if not now < closes_at <= latest:
        raise invalid("closes_at", "out-of-range", least=now.isoformat(), most=latest.isoformat())
    return closes_at


def _audience(values: EnquiryValues) -> tuple[list[Region], list[Organisation]]:
    regions: list[Region] = []
    hosts: list[Organisation] = []
    problems = []
    parts: tuple[tuple[str, Sequence[str], Callable[[str], Any], list[Any]], ...] = (
        ("regions", values.regions, region_by_code, regions),
        ("hosts", values.hosts, organisation_by_code, hosts),
    )
    for field, codes, find, rows in parts:
        if len(codes) > MOST_NAMED:
            raise invalid(field, "too-many", most=MOST_NAMED)
        for n, code in enumerate(dict.fromkeys(codes)):
            try:
                rows.append(find(code))
            except NotFound:
                problems.append(FieldProblem(f"{field}[{n}]", "unknown-value", {}))
    if problems:
        raise Invalid(problems)
    return regions, hosts
