"""Publish a need as an enquiry, accept a bid, and close an enquiry without one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from accounts import trail
from accounts.domain.errors import FieldProblem, Invalid, NotFound, NotPermitted, WrongState, invalid
from accounts.domain.roles import PLATFORM, By
from accounts.models import Organisation, Region, User
from accounts.notifications import Effect, enqueue
from accounts.selectors.organisations import organisation_by_code, region_by_code
from accounts.services.jobs import work_through
from bookings.board.domain import enquiries as rules
from bookings.board.locks import lock_bids, lock_enquiry, lock_slots, standing_bids
from bookings.board.models import Bid, BidSlot, Enquiry
from bookings.board.selectors.enquiries import booking_of, bookings_for, enquiry_to, own_enquiry
from bookings.catalogue.services.demand import demand_unanswered, guarded
from bookings.funding.domain.funding import Share
from bookings.needs.domain.needs import MET, need_state
from bookings.needs.models import Need
from bookings.needs.selectors.needs import load_chosen, outcome_of, own_need
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
    """The values of an enquiry. is_confidential: None for the default of the payer's kind; sample: the
    description that hosts see; regions, hosts: codes, empty for all."""

    is_confidential: bool | None = None
    sample: str = ""
    closes_at: datetime | None = None
    regions: Sequence[str] = ()
    hosts: Sequence[str] = ()


@transaction.atomic
def enquiry_make(by: By, *, need_id: UUID, values: EnquiryValues) -> Enquiry:
    """Publish the actor's own need to hosts as an enquiry. `WrongState` (need-withdrawn, need-met,
    already-an-enquiry); `Invalid` (no-terms: of a need that was not understood hosts could read nothing)."""
    mine = Need.objects.filter(pk=need_id, user_id=by.actor.person)
    need = mine.select_for_update(no_key=True).first()
    if need is None:
        raise NotFound
    outcome = outcome_of(own_need(by.actor, need_id))
    if need.state != Need.State.OPEN:
        raise WrongState("need-withdrawn")
    live = Q(state__in=rules.LIVE, closes_at__gt=by.now) | Q(state=Enquiry.State.AWARDED)
    if Enquiry.objects.filter(live, need=need).exists():
        raise WrongState("already-an-enquiry")
    if need_state(outcome, by.now) in MET:
        raise WrongState("need-met")
    for closed in Enquiry.objects.filter(need=need, state__in=rules.LIVE):
        _settle(closed.pk, by.now)  # the earlier enquiry is past its deadline, but not settled yet
    regions, hosts = _audience(values)
    is_confidential = is_firm(need.organisation) if values.is_confidential is None else values.is_confidential
    if not need.terms and (is_confidential or not hosts):
        raise invalid("is_confidential" if hosts else "hosts", "no-terms")
    terms = load_chosen(need.terms)
    enquiry = Enquiry.objects.create(
        need=need,
        user=need.user,
        organisation=need.organisation,
        region=need.organisation.region,
        is_confidential=is_confidential,
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
    """Return whether an organisation's enquiries are confidential by default: those of enterprises are."""
    return organisation.kind == Organisation.Kind.ENTERPRISE


def enquiry_accept(
    by: By,
    *,
    enquiry_id: UUID,
    slot_id: UUID,
    house_rules: int | None = None,
    purpose: str = "research",
    at_most: tuple[Decimal, str] | None = None,
    reason: str = "",
    funding: Sequence[Share] | None = (),
) -> Reservation:
    """Book the slot of a bid for the actor's own enquiry, decline the other bids and free their slots, all in
    one transaction. The hosts of the others read `reason`, a code of `DECLINING`, or else that another bid
    was chosen. `WrongState` if the enquiry or the bid is no longer open, or more is payable than `at_most`
    (price-changed), `RulesRefuse` as for any booking."""
    _check_reason(reason)
    own_enquiry(by.actor, enquiry_id)
    with guarded():
        enquiry, bids, held = _locked(by, enquiry_id)
        if booked_for(enquiry):
            raise WrongState("enquiry-closed", state="withdrawn")
        slot = BidSlot.objects.filter(pk=slot_id, bid__in=bids).select_related("bid").first()
        if slot is None:
            raise WrongState("bid-gone")
        bid = next(one for one in bids if one.pk == slot.bid_id)
        if not rules.is_standing(bid.state, bid.valid_until, by.now):
            raise WrongState("bid-gone")
        hold = next(one for one in held[bid.pk] if one.pk == slot.reservation_id)
        booking = replace(
            booking_of(enquiry, bid, hold),
            purpose=purpose,
            house_rules=house_rules,
            at_most=at_most,
            funding=None if funding is None else tuple(funding),
        )
        parties = parties_of(by.actor, booking)
        (reservation,) = reservations_put(by, parties=[parties], bookings=[booking])
        bid.state = Bid.State.ACCEPTED
        bid_store(by, "bid.accept", bid, after={"reservation": reservation.pk})
        _end(by, [one for one in bids if one != bid], held, reason=reason or Bid.Reason.OTHER_CHOSEN)
        for other in held[bid.pk]:
            if other.pk != hold.pk and other.state == "held":
                hold_give_back(by, reservation=other)
        enquiry.state, enquiry.reservation = Enquiry.State.AWARDED, reservation
        _store(by, "enquiry.award", enquiry, after={"bid": bid.pk, "reservation": reservation.pk})
        enqueue([told("bid.accepted", bid)], now=by.now)
    return reservation


@transaction.atomic
def enquiry_withdraw(by: By, *, enquiry_id: UUID) -> Enquiry:
    """Withdraw an enquiry: its bids are declined, and it does not count as unmet demand."""
    own_enquiry(by.actor, enquiry_id)
    enquiry, bids, held = _locked(by, enquiry_id)
    _end(by, bids, held, reason=Bid.Reason.WITHDRAWN)
    enquiry.state = Enquiry.State.WITHDRAWN
    _store(by, "enquiry.withdraw", enquiry)
    return enquiry


@transaction.atomic
def enquiry_put_aside(by: By, *, enquiry_id: UUID, is_back: bool = False) -> Enquiry:
    """Put an enquiry aside for all organisations whose instruments the actor manages, so that it is no longer
    among those that they answer; or take it back. The person who enquired is not told. `NotFound` if it does
    not go to them."""
    enquiry_to(by.actor, enquiry_id, by.now)
    hosts = by.actor.organisations_where("manage-instruments")
    if not hosts:  # they do not speak for the rest of a host
        raise NotPermitted(capability="manage-instruments")
    enquiry = lock_enquiry(enquiry_id)
    before = set(enquiry.put_aside_by)
    after = before - hosts if is_back else before | hosts
    if after != before:
        enquiry.put_aside_by = sorted(after)
        enquiry.save(update_fields=["put_aside_by"])
        said = {"hosts": sorted(str(pk) for pk in hosts)}
        trail.record(by, "enquiry.take-back" if is_back else "enquiry.put-aside", enquiry, after=said)
    return enquiry


@transaction.atomic
def enquiry_close(by: By, *, enquiry_id: UUID, reason: str) -> Enquiry:
    """Close the actor's own enquiry as unmet, with the reason as a code."""
    own_enquiry(by.actor, enquiry_id)
    if reason not in CLOSING:
        raise invalid("reason", "unknown-choice", allowed=", ".join(CLOSING))
    enquiry, bids, held = _locked(by, enquiry_id)
    _end(by, bids, held, reason=reason if reason in DECLINING else Bid.Reason.CLOSED)
    _unmet(by, enquiry, reason)
    return enquiry


def enquiries_forget(by: By, *, user: User) -> None:
    """Withdraw a person's enquiries, and delete what they wrote about these and in their bids."""
    mine = Enquiry.objects.filter(user=user)
    live = mine.filter(state__in=rules.LIVE, closes_at__gt=by.now)
    for pk in list(live.order_by("pk").values_list("pk", flat=True)):
        enquiry_withdraw(by, enquiry_id=pk)
    mine.update(sample="", need=None)
    Bid.objects.filter(user=user).update(text="", discount_reason="")


DECLINING = ("price", "time", "conditions")
CLOSING = ("no-bid", *DECLINING)


@transaction.atomic
def bid_decline(by: By, *, bid_id: UUID, reason: str = "") -> Bid:
    """Decline a bid for the actor's own enquiry, with or without a reason as a code; its slots are
    released."""
    _check_reason(reason)
    row = Bid.objects.filter(pk=bid_id, enquiry__user_id=by.actor.person).first()
    if row is None:
        raise NotFound
    held = lock_slots([row.pk])
    lock_enquiry(row.enquiry_id)
    bids = lock_bids([row.pk])
    if not rules.is_standing(bids[0].state, bids[0].valid_until, by.now):
        raise WrongState("bid-gone")
    _end(by, bids, held, reason=reason)
    return bids[0]


def _check_reason(reason: str) -> None:
    if reason and reason not in DECLINING:
        raise invalid("reason", "unknown-choice", allowed=", ".join(DECLINING))


@transaction.atomic
def enquiries_of_need_settle(*, need_id: UUID, now: datetime) -> int:
    """Close the open enquiry of a need for which something is booked, and return how many were open."""
    live = Enquiry.objects.filter(need=need_id, state__in=rules.LIVE)
    ids = list(live.values_list("pk", flat=True))
    for pk in ids:
        _settle(pk, now)
    return len(ids)


def enquiries_settle(*, now: datetime, most: int = 500) -> int:
    """Carry out what deadlines have decided, and return how many changed: closed enquiries become unmet
    demand, bids lapse, an award whose booking took place is fulfilled, and enquiries of needs that were
    withdrawn or booked directly are withdrawn."""
    closed = Q(state__in=rules.LIVE, closes_at__lte=now)
    ended = Q(state="awarded", reservation__state__in=[*RELEASED, "completed", "no_show"])
    lapsed = Q(bids__state__in=rules.STANDING, bids__valid_until__lte=now)
    dropped = Q(state__in=rules.LIVE, need__state=Need.State.WITHDRAWN)
    met = Q(Exists(bookings_for(OuterRef("need_id"), OuterRef("user_id"))), state__in=rules.LIVE)
    due = Enquiry.objects.filter(closed | ended | lapsed | dropped | met).distinct().order_by("pk")

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
    booking = booked_for(enquiry) if enquiry.state in rules.LIVE else None
    if booking is not None:
        _end(by, bids, held, reason=Bid.Reason.WITHDRAWN)
        enquiry.state, enquiry.reservation = Enquiry.State.WITHDRAWN, booking
        _store(by, "enquiry.withdraw", enquiry, after={"reservation": booking.pk})
    elif state == "unmet" and enquiry.state in rules.LIVE:
        _end(by, bids, held, state=Bid.State.LAPSED, reason=Bid.Reason.CLOSED)
        has_bids = Bid.objects.filter(enquiry=enquiry).exists()
        _unmet(by, enquiry, "not-chosen" if has_bids else "no-bid")
    elif enquiry.state in rules.LIVE and enquiry.need and enquiry.need.state == Need.State.WITHDRAWN:
        _end(by, bids, held, reason=Bid.Reason.WITHDRAWN)
        enquiry.state = Enquiry.State.WITHDRAWN
        _store(by, "enquiry.withdraw", enquiry)
    elif over:
        _end(by, over, held, state=Bid.State.LAPSED, reason=Bid.Reason.UNANSWERED)
    elif enquiry.state == Enquiry.State.AWARDED and enquiry.reservation is not None:
        if enquiry.reservation.state == "completed":
            enquiry.state = Enquiry.State.FULFILLED
            _store(by, "enquiry.fulfil", enquiry)
        elif enquiry.reservation.state in {*RELEASED, "no_show"}:
            _unmet(by, enquiry, "fell-through")


def booked_for(enquiry: Enquiry) -> Reservation | None:
    """Return the booking with which the need of an enquiry was met directly, if there is one. No bid is made
    or accepted any more then."""
    if enquiry.need_id is None:
        return None
    return bookings_for(enquiry.need_id, enquiry.user_id).order_by("confirmed_at", "pk").first()


def _locked(by: By, enquiry_id: UUID) -> tuple[Enquiry, list[Bid], dict[UUID, list[Reservation]]]:
    """Return an open enquiry, its open bids and the slots these hold, all locked in the usual order. Raise
    `WrongState`, `WrongVersion`."""
    ids = standing_bids(enquiry_id)
    held = lock_slots(ids)
    enquiry = lock_enquiry(enquiry_id)
    by.require_version(enquiry.version)
    state = rules.enquiry_state(enquiry.state, enquiry.closes_at, by.now)
    if state not in rules.LIVE:
        raise WrongState("enquiry-closed", state=state)
    if standing_bids(enquiry_id) != ids:  # the instruments of new bids are not locked
        raise WrongState("bids-changed")
    return enquiry, lock_bids(ids), held


def _end(
    by: By,
    bids: Iterable[Bid],
    held: dict[UUID, list[Reservation]],
    *,
    state: str = Bid.State.DECLINED,
    reason: str,
) -> None:
    """End bids, for a reason that their hosts read, and release their slots."""
    for bid in bids:
        for hold in held.get(bid.pk, ()):
            if hold.state == "held" and hold.held_for:
                hold_give_back(by, reservation=hold)
        bid.state, bid.reason = state, reason
        # Recorded without an actor: the host does not learn who enquired.
        has_lapsed = state == Bid.State.LAPSED
        bid_store(By(PLATFORM, by.now), "bid.lapse" if has_lapsed else "bid.decline", bid)
        enqueue([told("bid.lapsed" if has_lapsed else "bid.declined", bid)], now=by.now)


def bid_store(by: By, action: str, bid: Bid, *, after: dict[str, Any] | None = None) -> None:
    """Store a locked bid in its new state, with an entry in the host's trail. The locked enquiry, whose
    copies have its bids, is modified with it."""
    bid.changed_at = by.now
    bid.version += 1
    bid.save()
    Enquiry.objects.filter(pk=bid.enquiry_id).update(state=F("state"))
    said = {"state": bid.state} | ({"reason": bid.reason} if bid.reason else {})
    trail.record(by, action, bid, after=said | (after or {}))


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
    """Return a message about the present state of an enquiry or a bid."""
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
