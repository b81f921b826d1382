"""Read enquiries and bids, as far as each person may see them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    Func,
    Min,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    TextField,
    UUIDField,
    When,
)
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.domain.roles import Actor, By
from accounts.models import Organisation, Region, User
from accounts.selectors.memberships import in_scope, load_actor
from accounts.selectors.rows import visible
from bookings.availability.domain.availability import Wish
from bookings.availability.selectors.availability import load_calendar
from bookings.board.domain import enquiries
from bookings.board.models import Bid, BidSlot, Enquiry
from bookings.catalogue.selectors.askers import load_asker
from bookings.catalogue.selectors.parties import Booking
from bookings.needs.selectors.matches import Wanted, load_matches, wanted_of
from bookings.needs.selectors.needs import load_chosen
from bookings.pricing.domain.quotes import input_from_json
from bookings.pricing.models import Quote
from bookings.pricing.selectors.fees import group_of, load_backing, load_terms
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import Refusal
from bookings.record.models import Reservation
from bookings.record.selectors.lists import CHOICE, Column, Filter, Listing, amount_cell
from bookings.record.selectors.reservations import shown
from bookings.reserving.selectors.placing import Price, price_of, terms_held
from instruments.house_rules.models import HouseRules
from instruments.house_rules.selectors.house_rules import load_house_rules, rules_to_accept
from instruments.rates.domain.ratecards import CancellationTier
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.register.selectors.registry import WITH
from instruments.search.domain.search import key
from instruments.search.models import SearchEntry
from instruments.vocabulary.models import Technique

MOST_TOLD = 5
MOST_CHOICES, MOST_FOUND = 12, 8  # hosts to tick, and hosts found by a name
MOST_TRIED = 400  # times at which it is looked why none can be bid
_CLOSED = {"outside-opening-hours", "off-grid"}
MEETING = (
    "confirmed",
    "in_use",
    "completed",
)  # states in which a booking meets the need that it was made for
# The keys under which instruments of an enquiry's techniques are filed.
_TECHNIQUE_KEYS = Func(
    F("techniques"),
    template="ARRAY(SELECT 'technique:' || code FROM unnest(%(expressions)s) AS code)",
    output_field=ArrayField(TextField()),
)


def enquiries_for(actor: Actor) -> QuerySet[Enquiry]:
    """Return the actor's own enquiries, and those of organisations they manage, newest first."""
    managed = actor.organisations_where("book-for-members")
    return _all().filter(Q(user=actor.user_id) | Q(organisation_id__in=managed))


def enquiry_by_id(actor: Actor, enquiry_id: UUID) -> Enquiry:
    """Return an enquiry that the actor may read; raise `NotFound` otherwise."""
    return visible(enquiries_for(actor), pk=enquiry_id)


def own_enquiry(actor: Actor, enquiry_id: UUID) -> Enquiry:
    """Return an enquiry of the actor's own; `NotFound` if there is none."""
    return visible(_all().filter(user_id=actor.person), pk=enquiry_id)


def enquiries_to(actor: Actor, now: datetime) -> QuerySet[Enquiry]:
    """Return those of `_sent_to` that some organisation of `_hosts_to_ask` has not put aside."""
    return _sent_to(actor, now).exclude(_put_aside(actor))


def enquiries_aside(actor: Actor, now: datetime) -> QuerySet[Enquiry]:
    """Return those of `_sent_to` that all organisations of `_hosts_to_ask` have put aside."""
    return _sent_to(actor, now).filter(_put_aside(actor))


def _put_aside(actor: Actor) -> Q:
    return Q(put_aside_by__contains=sorted(_hosts_to_ask(actor)))


def is_put_aside(actor: Actor, enquiry: Enquiry) -> bool:
    """Say whether all organisations of `_hosts_to_ask` have put an enquiry aside."""
    return _hosts_to_ask(actor) <= set(enquiry.put_aside_by)


def _hosts_to_ask(actor: Actor) -> frozenset[UUID]:
    """Return the hosts for which the actor puts enquiries aside: those managed as a whole or, for somebody
    who manages none, those whose managers do it for them."""
    scope = actor.scope_where("manage-instruments")
    return scope.organisations or scope.hosts


def _sent_to(actor: Actor, now: datetime) -> QuerySet[Enquiry]:
    """Return open enquiries that go to organisations whose instruments the actor manages, the first to close
    first: those that name one of these organisations, for managers of it as a whole, and those for techniques
    of instruments that the actor manages; never the actor's own, nor those for whose need something is
    booked."""
    scope = actor.scope_where("manage-instruments")
    entries = SearchEntry.objects.filter(in_scope(scope, "organisation_id"), is_published=True)
    lineages = Region.objects.filter(pk__in=entries.values("region")).annotate(
        one=Func(F("lineage"), function="unnest", output_field=UUIDField())
    )
    keys = entries.annotate(one=Func(F("keys"), function="unnest", output_field=TextField()))
    of_regions = Enquiry.regions.through.objects.filter(enquiry_id=OuterRef("pk"))
    of_hosts = Enquiry.hosts.through.objects.filter(enquiry_id=OuterRef("pk"))
    is_named = Exists(of_hosts.filter(organisation_id__in=scope.organisations))
    may_match = Exists(of_hosts.filter(organisation_id__in=scope.hosts))
    to_them = (
        ~Exists(of_regions) & ~Exists(of_hosts)
        | may_match
        | Exists(of_regions.filter(region_id__in=lineages.values("one")))
    )
    return (
        _all()
        .alias(asked_keys=_TECHNIQUE_KEYS)
        .filter(to_them)
        .filter(
            is_named | Q(asked_keys__overlap=ArraySubquery(keys.values("one"))),
            state__in=enquiries.LIVE,
            closes_at__gt=now,
        )
        .exclude(user_id=actor.person)
        .exclude(Exists(bookings_for(OuterRef("need_id"), OuterRef("user_id"))))
        .order_by("closes_at", "id")
    )


def enquiries_to_answer(actor: Actor, now: datetime) -> QuerySet[Enquiry]:
    """Return those of `enquiries_to` for which no instrument that the actor manages is offered in an open
    bid."""
    bids = Bid.objects.filter(
        in_scope(actor.scope_where("manage-instruments"), "host_id"),
        enquiry=OuterRef("pk"),
        state__in=enquiries.STANDING,
        valid_until__gt=now,
    )
    return enquiries_to(actor, now).exclude(Exists(bids))


def bookings_for(need: Any, person: Any) -> QuerySet[Reservation]:
    """Return the confirmed bookings that a person made directly for a need: they meet it."""
    return Reservation.objects.filter(for_need=need, user_id=person, state__in=MEETING)


def enquiries_in(rows: QuerySet[Enquiry], state: str, now: datetime) -> QuerySet[Enquiry]:
    """Return the enquiries whose present state, according to `enquiry_state`, is this one."""
    over = Q(state__in=enquiries.LIVE, closes_at__lte=now)
    if state == Enquiry.State.UNMET:
        return rows.filter(Q(state=state) | over)
    return rows.filter(state=state).exclude(over)


def enquiry_to(actor: Actor, enquiry_id: UUID, now: datetime) -> Enquiry:
    """Return an enquiry that goes to a host managed by the actor, put aside or not; raise `NotFound`
    otherwise."""
    return visible(_sent_to(actor, now), pk=enquiry_id)


def goes_to(person: User, enquiry: Enquiry) -> bool:
    """Say whether an enquiry went to a person as somebody who manages instruments when it was made."""
    return _sent_to(load_actor(person), enquiry.created_at).filter(pk=enquiry.pk).exists()


def instruments_for(actor: Actor, enquiry: Enquiry) -> list[Instrument]:
    """Return the instruments with which the actor, as their manager, may bid: those that match, by name, and
    after them the others of hosts that the enquiry names, who know best what they can do."""
    scope = actor.scope_where("manage-instruments")
    named = {host.pk for host in enquiry.hosts.all()}
    regions = {region.pk for region in enquiry.regions.all()}
    matching = Exists(_matching(enquiry.techniques).filter(pk=OuterRef("pk")))
    rows = Instrument.objects.select_related(*WITH).filter(
        Q(matching) | Q(organisation_id__in=named & scope.hosts),
        in_scope(scope, "organisation_id", None),
        publication=Instrument.Publication.PUBLISHED,
    )
    return [
        one
        for one in rows.order_by(matching.desc(), "name", "pk")
        if not (named or regions) or one.organisation_id in named or regions & set(one.region.lineage)
    ]


@dataclass(frozen=True)
class HostChoice:
    """A host to which an enquiry can go, and how many of its instruments match."""

    organisation: Organisation
    matching: int = 0


def hosts_to_choose(techniques: Sequence[str]) -> list[HostChoice]:
    """Return the hosts with the most published instruments of these techniques. It takes two statements."""
    by_host = _matching(techniques).values("organisation_id").annotate(n=Count("pk"))
    numbers = dict(
        by_host.order_by("-n", "organisation_id").values_list("organisation_id", "n")[:MOST_CHOICES]
    )
    rows = Organisation.objects.select_related("region").in_bulk(list(numbers))
    return [HostChoice(rows[pk], n) for pk, n in numbers.items()]


def hosts_found(text: str, *, ticked: Sequence[str] = (), besides: Collection[UUID] = ()) -> list[HostChoice]:
    """Return other hosts than `besides`: those whose codes are ticked, and the first with a text in their
    name. One statement, none if nothing is asked for."""
    text = text.replace("\0", "").strip()
    if not text and not ticked:
        return []
    hosts = Exists(SearchEntry.objects.filter(is_published=True, organisation_id=OuterRef("pk")))
    is_found = Q(name__icontains=text) | Q(name_zh__icontains=text) if text else Q(pk=None)
    rows = (
        Organisation.objects.select_related("region")
        .annotate(is_ticked=Case(When(code__in=ticked, then=0), default=1))
        .filter(Q(is_ticked=0) | is_found & hosts)
        .exclude(pk__in=besides)
    )
    return [HostChoice(row) for row in rows.order_by("is_ticked", "name", "pk")[: MOST_FOUND + len(ticked)]]


def _matching(techniques: Sequence[str]) -> QuerySet[SearchEntry]:
    keys = [key("technique", code) for code in techniques]
    return SearchEntry.objects.filter(is_published=True, keys__overlap=keys)


def bids_for(actor: Actor) -> QuerySet[Bid]:
    """Return the bids with instruments that the actor manages, and those for the actor's own enquiries,
    newest first."""
    hosted = in_scope(actor.scope_where("manage-instruments"), "host_id")
    mine = enquiries_for(actor).order_by().values("pk")
    return (
        Bid.objects.filter(hosted | Q(enquiry__in=mine))
        .select_related("enquiry__organisation", "enquiry__user", "instrument__facility", "host")
        .prefetch_related(_SLOTS)
        .order_by("-created_at", "-id")
    )


def bids_to_decide(actor: Actor, now: datetime) -> QuerySet[Bid]:
    """Return the bids for the actor's own open enquiries that still hold a time, a row for each such time."""
    return Bid.objects.filter(
        enquiry__user_id=actor.person,
        enquiry__state__in=enquiries.LIVE,
        enquiry__closes_at__gt=now,
        state__in=enquiries.STANDING,
        valid_until__gt=now,
        slots__reservation__state="held",
        slots__reservation__deadline_at__gt=now,
    )


def enquiries_to_decide(actor: Actor, now: datetime) -> QuerySet[Enquiry]:
    """Return the actor's own enquiries that have open bids, each with the moment at which the first of their
    times is given up."""
    bids = bids_to_decide(actor, now)
    first = bids.filter(enquiry=OuterRef("pk")).order_by().values("enquiry")
    deadline = first.annotate(at=Min("slots__reservation__deadline_at")).values("at")
    rows = enquiries_for(actor).filter(pk__in=bids.values("enquiry"))
    return rows.annotate(decide_by=Subquery(deadline))


def bids_in(rows: QuerySet[Bid], state: str, now: datetime) -> QuerySet[Bid]:
    """Return the bids whose present state, according to `bid_state`, is this one."""
    over = Q(state__in=enquiries.STANDING, valid_until__lte=now)
    if state == Bid.State.LAPSED:
        return rows.filter(Q(state=state) | over)
    return rows.filter(state=state).exclude(over)


def bid_by_id(actor: Actor, bid_id: UUID) -> Bid:
    """Return a bid that the actor may read; raise `NotFound` otherwise."""
    return visible(bids_for(actor), pk=bid_id)


def host_bids(actor: Actor) -> QuerySet[Bid]:
    """Return the bids with instruments that the actor manages."""
    return bids_for(actor).filter(in_scope(actor.scope_where("manage-instruments"), "host_id"))


def bids_among(actor: Actor, bids: Iterable[Bid]) -> list[Bid]:
    """Return those of some loaded bids that are with instruments that the actor manages."""
    holds = actor.scope_where("manage-instruments").holds
    return [bid for bid in bids if holds(bid.host_id, bid.instrument.facility_id, bid.instrument_id)]


def host_bid(actor: Actor, bid_id: UUID) -> Bid:
    """Return a bid with an instrument that the actor manages; raise `NotFound` otherwise."""
    return visible(host_bids(actor), pk=bid_id)


def load_why_not(
    enquiry: Enquiry, instrument: Instrument, mode: str, now: datetime, *, without: Collection[UUID] = ()
) -> tuple[datetime, tuple[Refusal, ...]] | None:
    """Return the time within the window of an enquiry that comes closest to being allowed for the person who
    enquired, with the rules that refuse it, as far as the host may read them. None if the instrument is
    not published, or nothing refuses it.
    Five statements at most, and one for each certificate that is required."""
    window = Period(max(enquiry.earliest, now), enquiry.latest)
    if window.length < enquiry.length:
        return None
    calendar = load_calendar(instrument, window, now, without=without)
    if calendar is None:
        return None
    terms = load_terms(instrument, enquiry.organisation, window.start)
    asker = load_asker(instrument, enquiry.organisation, terms, user_id=enquiry.user_id, mode=mode)
    step = max(timedelta(hours=1), window.length / MOST_TRIED)
    first = window.start.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    starts = [first + n * step for n in range(MOST_TRIED)]

    def tried(start: datetime) -> tuple[datetime, tuple[Refusal, ...]]:
        return start, calendar.check(Wish(Period(start, start + enquiry.length), asker), now)

    def distance(each: tuple[datetime, tuple[Refusal, ...]]) -> tuple[int, bool, datetime]:
        # A night says less than a day on which the instrument is open.
        return len(each[1]), any(refusal.code in _CLOSED for refusal in each[1]), each[0]

    fitting = [start for start in starts if start + enquiry.length <= enquiry.latest] or [window.start]
    closest = min(map(tried, fitting), key=distance)
    start, refusals = closest
    told = enquiries.told_to_host(refusals, is_confidential=enquiry.is_confidential)
    return (start, told) if told else None


@dataclass(frozen=True)
class Acceptance:
    """The booking that accepting a time of a bid would make: its price by now, the cost of cancelling, and
    the house rules that the person has still to accept. others: how many other bids are declined with it."""

    bid: Bid
    slot: BidSlot
    price: Price
    cancellation: Sequence[CancellationTier]
    house_rules: HouseRules | None
    others: int


def load_acceptance(enquiry: Enquiry, slot_id: UUID, now: datetime) -> Acceptance | None:
    """Return what accepting a slot of an open enquiry would book; None if it is no longer available. The
    enquiry must be loaded with its bids."""
    if enquiries.enquiry_state(enquiry.state, enquiry.closes_at, now) not in enquiries.LIVE:
        return None
    bids: Any = [bid for bid in shown_bids(enquiry.bids.all(), now) if bid.shown_state in enquiries.STANDING]  # type: ignore[attr-defined]
    found = next(((b, s) for b in bids for s in b.shown_slots if s.pk == slot_id), None)
    if found is None:
        return None
    bid, slot = found
    instrument = Instrument.objects.select_related(*WITH).get(pk=bid.instrument_id)
    hold = slot.reservation
    terms = terms_held(hold, instrument, load_backing(enquiry.organisation, instruments=[instrument]), now)
    price = price_of(instrument, terms, booking_of(enquiry, bid, hold).enquiry)
    rules = rules_to_accept(load_house_rules(instrument, enquiry.user_id))
    tiers = terms.card.values.cancellation if terms.card else ()
    bid.instrument = instrument
    return Acceptance(bid, slot, price, tiers, rules, len(bids) - 1)


def booking_of(enquiry: Enquiry, bid: Bid, hold: Reservation) -> Booking:
    """Return the booking that accepting a bid makes of a time that it holds."""
    return Booking(
        bid.instrument_id,
        Period(hold.start_at, hold.end_at),
        enquiry.organisation.code,
        bid.service_mode,
        samples=enquiry.sample,
        quantity=None if enquiry.quantity is None else Decimal(enquiry.quantity),
        hold=hold.pk,
        held_for=Reservation.HeldFor.BID,
        bid_discount_percent=bid.discount_percent,
    )


def quote_and_bid(reservation: Reservation) -> tuple[Quote | None, Bid | None]:
    """Return the current quote of a booking, and the accepted bid that it was made from, if any. It takes one
    statement."""
    rows = Quote.objects.filter(reservation=reservation, is_current=True)
    quote = rows.select_related("reservation__bid_slot__bid").first()
    slot = getattr(quote.reservation, "bid_slot", None) if quote else None
    return quote, slot.bid if slot and slot.bid.state == Bid.State.ACCEPTED else None


def standing_bid(enquiry: Enquiry, instrument: Instrument, now: datetime) -> Bid | None:
    """Return the open bid with an instrument at this moment, or None; the enquiry must be loaded with its
    bids."""
    mine = [bid for bid in enquiry.bids.all() if bid.instrument_id == instrument.pk]
    return next((bid for bid in shown_bids(mine, now) if bid.shown_state in enquiries.STANDING), None)  # type: ignore[attr-defined]


def shown_enquiries(rows: Iterable[Enquiry], now: datetime) -> list[Enquiry]:
    """Return the enquiries with their terms and their present state."""
    result = list(rows)
    for row in result:
        row.shown_state = enquiries.enquiry_state(row.state, row.closes_at, now)  # type: ignore[attr-defined]
        row.shown_label = Enquiry.State(row.shown_state).label  # type: ignore[attr-defined]
        row.chosen = load_chosen(row.terms)  # type: ignore[attr-defined]
    return result


def shown_bids(rows: Iterable[Bid], now: datetime) -> list[Bid]:
    """Return the bids with their present state and the slots that they still hold (for an accepted bid, the
    one that was booked)."""
    result = list(rows)
    for row in result:
        state = enquiries.bid_state(row.state, row.valid_until, now)
        slots = [slot for slot in row.slots.all() if slot_stands(slot, now)]
        if state in ("made", "amended") and not slots:
            state = "lapsed"
        if state == "accepted":
            slots = [slot for slot in row.slots.all() if not slot.reservation.held_for]
        row.shown_state, row.shown_label = state, Bid.Shown(state).label  # type: ignore[attr-defined]
        row.shown_slots = slots  # type: ignore[attr-defined]
        row.shown_reason = reason_of(row, now)  # type: ignore[attr-defined]
        row.shown_reason_label = Bid.Reason(row.shown_reason).label if row.shown_reason else ""  # type: ignore[attr-defined]
    return result


@dataclass(frozen=True)
class Booked:
    """The present price and state of the booking that an accepted bid became. agreed: the time that
    was accepted, if the booking was moved since; is_other_price: whether the price differs from that of the
    bid."""

    booking: Reservation
    currency: str
    total: Decimal
    payable: Decimal
    agreed: Period | None
    is_other_price: bool


def load_booked(bids: Iterable[Bid], now: datetime) -> None:
    """Give the slots of accepted bids, which `shown_bids` has returned, the present state of their booking as
    `booked`; None for the slots of other bids. One statement if a bid is accepted."""
    slots: dict[UUID, BidSlot] = {}
    for bid in bids:
        for slot in bid.shown_slots:  # type: ignore[attr-defined]
            slot.booked = None
            if bid.state == Bid.State.ACCEPTED:
                slots[slot.reservation_id] = slot
    quotes = Quote.objects.filter(reservation__in=slots).order_by("created_at", "is_current", "pk")
    first: dict[UUID, Quote] = {}
    for quote in quotes if slots else ():
        accepted = first.setdefault(quote.reservation_id, quote)
        if not quote.is_current:
            continue
        slot = slots[quote.reservation_id]
        row, given = shown(slot.reservation, now), input_from_json(accepted.inputs)
        agreed = Period(given.start, given.end)
        slot.booked = Booked(  # type: ignore[attr-defined]
            row,
            quote.currency,
            quote.total,
            quote.payable,
            None if agreed == Period(row.start_at, row.end_at) else agreed,
            (quote.currency, quote.total, quote.payable) != (slot.currency, slot.total, slot.payable),
        )


def reason_of(bid: Bid, now: datetime) -> str:
    """Return why a bid was declined or has lapsed, also if a deadline has decided it and no job yet; empty if
    nobody said."""
    has_lapsed = enquiries.bid_state(bid.state, bid.valid_until, now) == Bid.State.LAPSED
    return Bid.Reason.UNANSWERED if has_lapsed and bid.state in enquiries.STANDING else bid.reason


def slot_stands(slot: BidSlot, now: datetime) -> bool:
    """Return whether the slot is held at this moment."""
    row = slot.reservation
    return row.state == "held" and row.deadline_at is not None and row.deadline_at > now


def groups_at(enquiry: Enquiry, instruments: Sequence[Instrument]) -> dict[UUID, str]:
    """Return the price group of the enquiry's payer at each instrument."""
    backing = load_backing(enquiry.organisation, instruments=instruments)
    return {
        one.pk: group_of(one, backing, local_date(one.facility.zone, enquiry.earliest)) for one in instruments
    }


def hosts_matched(enquiry: Enquiry, now: datetime) -> list[UUID]:
    """Return the hosts to tell of an enquiry: those named in it and the first with matching instruments."""
    hosts, regions = list(enquiry.hosts.all()), tuple(enquiry.regions.all())
    if enquiry.need is None or (hosts and not regions):
        return [host.pk for host in hosts]
    question: Wanted = wanted_of(enquiry.need)
    found = [a.instrument for a in load_matches(question, now) if a.match is not None]
    wanted = {region.pk for region in regions}
    fitting = [one.organisation_id for one in found if not wanted or wanted & set(one.region.lineage)]
    return list(dict.fromkeys([*(host.pk for host in hosts), *fitting]))[: MOST_TOLD + len(hosts)]


def load_clusters(actor: Actor) -> list[tuple[enquiries.Cluster, Technique | None, Region]]:
    """Return the clusters in the regions that the actor coordinates. Which ones are hidden is decided over
    all regions, so that readers cannot learn more by combining what they see."""
    # What was withdrawn because it was booked directly was asked for all the same.
    rows = Enquiry.objects.exclude(state="withdrawn", reservation=None).values_list(
        "techniques", "region_id", "created_at", "organisation_id", "minutes"
    )
    asked = [
        enquiries.EnquiryPart(codes[0], region, enquiries.quarter_of(at.date()), organisation, minutes)
        for codes, region, at, organisation, minutes in rows
        if codes
    ]
    mine = Region.objects.filter(lineage__overlap=list(actor.regions_where("coordinate")))
    regions = Region.objects.in_bulk() if actor.has("administrator") else {r.pk: r for r in mine}
    shown = [one for one in enquiries.clusters(asked) if one.region in regions]
    codes = {one.technique for one in shown}
    techniques = {each.code: each for each in Technique.objects.filter(code__in=codes)}
    return [(one, techniques.get(one.technique), regions[one.region]) for one in shown]


_SLOTS: Any = Prefetch(
    "slots", BidSlot.objects.select_related("reservation__rate_card").order_by("reservation__start_at", "id")
)
_BIDS: Any = Prefetch(
    "bids",
    Bid.objects.select_related("instrument__facility", "instrument__region", "host")
    .prefetch_related(_SLOTS)
    .order_by("created_at", "id"),
)


def _all() -> QuerySet[Enquiry]:
    return (
        Enquiry.objects.select_related("need", "user", "organisation__region", "region")
        .prefetch_related("regions", "hosts", _BIDS)
        .order_by("-created_at", "-id")
    )


def _own_states(row: Enquiry, by: By) -> str:
    bids: Any = shown_bids(bids_among(by.actor, row.bids.all()), by.now)
    return ", ".join(bid.shown_state for bid in bids)


def _bid_state(row: Any, by: By) -> str:
    shown_bids([row], by.now)
    return str(row.shown_state)


def _starts(row: Bid, by: By) -> str:
    return ", ".join(slot.reservation.start_at.isoformat() for slot in row.slots.all())


def _total(row: Bid, by: By) -> Any:
    return next((amount_cell(slot.total, slot.currency) for slot in row.slots.all()), "")


ENQUIRIES = Listing(
    "enquiries",
    enquiries_for,
    (
        Column("enquiry", "pk"),
        Column("need", lambda row, by: row.need.text if row.need else "", _("Need")),
        Column("techniques", lambda row, by: ", ".join(row.techniques)),
        Column("person", "user.name"),
        Column("payer", "organisation.code"),
        Column("earliest", "earliest", _("When"), "earliest"),
        Column("latest", "latest"),
        Column("minutes", "minutes"),
        Column("closes", "closes_at", _("Open until"), "closes_at"),
        Column(
            "state",
            lambda row, by: enquiries.enquiry_state(row.state, row.closes_at, by.now),
            _("State"),
            "state",
        ),
        Column("bids", lambda row, by: len(row.bids.all())),
        Column("made", "created_at", sort="created_at"),
    ),
    waits={"bids": enquiries_to_decide},
    waits_help="Only enquiries of your own with open bids.",
    words=("need__text", "user__name", "organisation__name", "organisation__name_zh"),
    q_help="Part of the need's text or of the enquirer's name.",
    day="created_at",
    filters=(
        Filter(
            "state",
            lambda rows, state, by: enquiries_in(rows, state, by.now),
            CHOICE,
            _("State"),
            choices=Enquiry.State.choices,
        ),
    ),
    copied=Q(),
)
# Not by words of the need or by name: both are the secret of who asks in confidence.
OPEN_ENQUIRIES = Listing(
    "open-enquiries",
    lambda actor: Enquiry.objects.none(),  # of a moment: `enquiries_to`
    (
        Column("enquiry", "pk", _("What is asked for")),
        Column("techniques", lambda row, by: ", ".join(row.techniques)),
        Column("sample", "sample"),
        Column("quantity", "quantity"),
        Column("minutes", "minutes"),
        Column("earliest", "earliest", _("When"), "earliest"),
        Column("latest", "latest"),
        Column("closes", "closes_at", _("Open until"), "closes_at"),
        Column(
            "organisation",
            lambda row, by: "" if row.is_confidential else row.organisation.code,
            _("Enquirer"),
        ),
        Column("own_bids", _own_states),
    ),
    waits={"enquiries": enquiries_to_answer, "aside": enquiries_aside},
    waits_help="Only enquiries for which your organisations have no open bid; or only those put aside.",
    words=("sample",),
    q_help="Part of the description of the sample.",
    day="closes_at",
)
BIDS = Listing(
    "bids",
    host_bids,
    (
        Column("bid", "pk"),
        Column("enquiry", "enquiry_id"),
        Column("instrument", "instrument_id", _("Instrument"), "instrument__name"),
        Column("instrument_name", "instrument.name"),
        Column("state", _bid_state, _("State"), "state"),
        Column("reason", lambda row, by: reason_of(row, by.now)),
        Column("valid_until", "valid_until"),
        Column("starts", _starts, pgettext_lazy("bid", "Times")),
        Column("currency", lambda row, by: next((slot.currency for slot in row.slots.all()), "")),
        Column("total", _total),
        Column(
            "organisation",
            lambda row, by: row.enquiry.organisation.code if row.state == Bid.State.ACCEPTED else "",
        ),
        Column("made", "created_at", _("Submitted"), "created_at"),
    ),
    words=("instrument__name", "instrument__name_zh"),
    q_help="Part of the instrument's name.",
    day="created_at",
    filters=(
        Filter(
            "state",
            lambda rows, state, by: bids_in(rows, state, by.now),
            CHOICE,
            _("State"),
            choices=Bid.Shown.choices,
        ),
    ),
)
