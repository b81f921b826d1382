"""Enquiries and bids, as far as each person may see them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from accounts.domain.roles import Actor
from accounts.models import Region
from accounts.selectors.rows import visible
from bookings.board.domain.enquiries import (
    LIVE,
    STANDING,
    Asked,
    Cluster,
    bid_state,
    clusters,
    enquiry_state,
    quarter_of,
)
from bookings.board.models import Bid, BidSlot, Enquiry
from bookings.needs.selectors.matches import Wanted, load_matches, wanted_of
from bookings.needs.selectors.needs import load_chosen
from bookings.pricing.selectors.fees import group_of, load_backing
from instruments.domain.opening import local_date
from instruments.domain.search import key, techniques_in
from instruments.models import Instrument, SearchEntry, Technique
from instruments.selectors.registry import WITH

MOST_TOLD = 5


def enquiries_for(actor: Actor) -> QuerySet[Enquiry]:
    """One's own, and those of organisations whose manager one is; the newest first."""
    managed = actor.organisations_where("book-for-members")
    return _all().filter(Q(user=actor.user_id) | Q(organisation_id__in=managed))


def enquiry_by_id(actor: Actor, enquiry_id: UUID) -> Enquiry:
    """One of them; `NotFound` if there is none, or it is not the actor's to read."""
    return visible(enquiries_for(actor), pk=enquiry_id)


def own_enquiry(actor: Actor, enquiry_id: UUID) -> Enquiry:
    """One's own; `NotFound` if there is none."""
    return visible(_all().filter(user_id=actor.person), pk=enquiry_id)


def enquiries_to(actor: Actor, now: datetime) -> QuerySet[Enquiry]:
    """Those open that go to organisations whose instruments the actor manages, of techniques that
    some of these have; the first to close first. Two statements. Nobody answers their own."""
    hosts = actor.organisations_where("manage-instruments")
    entries = SearchEntry.objects.filter(is_published=True, organisation_id__in=hosts)
    codes: set[str] = set()
    regions: set[UUID] = set()
    for keys, lineage in entries.values_list("keys", "region__lineage"):
        codes |= set(techniques_in(keys))
        regions |= set(lineage)
    of_regions = Enquiry.regions.through.objects.filter(enquiry_id=OuterRef("pk"))
    of_hosts = Enquiry.hosts.through.objects.filter(enquiry_id=OuterRef("pk"))
    to_them = (
        ~Exists(of_regions) & ~Exists(of_hosts)
        | Exists(of_regions.filter(region_id__in=regions))
        | Exists(of_hosts.filter(organisation_id__in=hosts))
    )
    return (
        _all()
        .filter(to_them)
        .filter(state__in=LIVE, closes_at__gt=now, techniques__overlap=sorted(codes))
        .exclude(user_id=actor.person)
        .order_by("closes_at", "id")
    )


def enquiries_in(rows: QuerySet[Enquiry], state: str, now: datetime) -> QuerySet[Enquiry]:
    """Those of them that are in a state at this moment, as `enquiry_state` says."""
    over = Q(state__in=LIVE, closes_at__lte=now)
    if state == Enquiry.State.UNMET:
        return rows.filter(Q(state=state) | over)
    return rows.filter(state=state).exclude(over)


def enquiry_to(actor: Actor, enquiry_id: UUID, now: datetime) -> Enquiry:
    """One of them; `NotFound` else."""
    return visible(enquiries_to(actor, now), pk=enquiry_id)


def instruments_for(actor: Actor, enquiry: Enquiry) -> list[Instrument]:
    """The instruments that the actor manages and may bid with, by name."""
    hosts = set(actor.organisations_where("manage-instruments"))
    keys = [key("technique", code) for code in enquiry.techniques]
    entries = SearchEntry.objects.filter(is_published=True, keys__overlap=keys)
    rows = Instrument.objects.select_related(*WITH).filter(
        pk__in=entries.values("pk"),
        organisation_id__in=hosts,
        publication=Instrument.Publication.PUBLISHED,
    )
    named = {host.pk for host in enquiry.hosts.all()}
    regions = {region.pk for region in enquiry.regions.all()}
    return [
        one
        for one in rows.order_by("name", "pk")
        if not (named or regions)
        or one.organisation_id in named
        or regions & set(one.region.lineage)
    ]


def bids_for(actor: Actor) -> QuerySet[Bid]:
    """Those of hosts whose instruments the actor manages, and those for their own enquiries; the
    newest first."""
    hosts = actor.organisations_where("manage-instruments")
    mine = enquiries_for(actor).order_by().values("pk")
    return (
        Bid.objects.filter(Q(host_id__in=hosts) | Q(enquiry__in=mine))
        .select_related("enquiry__organisation", "enquiry__user", "instrument__facility", "host")
        .prefetch_related(_SLOTS)
        .order_by("-created_at", "-id")
    )


def bids_in(rows: QuerySet[Bid], state: str, now: datetime) -> QuerySet[Bid]:
    """Those of them that are in a state at this moment, as `bid_state` says."""
    over = Q(state__in=STANDING, valid_until__lte=now)
    if state == Bid.State.LAPSED:
        return rows.filter(Q(state=state) | over)
    return rows.filter(state=state).exclude(over)


def bid_by_id(actor: Actor, bid_id: UUID) -> Bid:
    """One of them; `NotFound` else."""
    return visible(bids_for(actor), pk=bid_id)


def host_bids(actor: Actor) -> QuerySet[Bid]:
    """Those of hosts whose instruments the actor manages."""
    return bids_for(actor).filter(host_id__in=actor.organisations_where("manage-instruments"))


def host_bid(actor: Actor, bid_id: UUID) -> Bid:
    """One of them; `NotFound` else."""
    return visible(host_bids(actor), pk=bid_id)


def standing_bid(enquiry: Enquiry, instrument: Instrument, now: datetime) -> Bid | None:
    """The bid with an instrument that stands at this moment, of an enquiry loaded with its bids."""
    mine = [bid for bid in enquiry.bids.all() if bid.instrument_id == instrument.pk]
    return next((bid for bid in shown_bids(mine, now) if bid.shown_state in STANDING), None)  # type: ignore[attr-defined]


def shown_enquiries(rows: Iterable[Enquiry], now: datetime) -> list[Enquiry]:
    """Enquiries with their terms, and the state they have at this moment."""
    result = list(rows)
    for row in result:
        row.shown_state = enquiry_state(row.state, row.closes_at, now)  # type: ignore[attr-defined]
        row.shown_label = Enquiry.State(row.shown_state).label  # type: ignore[attr-defined]
        row.chosen = load_chosen(row.terms)  # type: ignore[attr-defined]
    return result


def shown_bids(rows: Iterable[Bid], now: datetime) -> list[Bid]:
    """Bids with the state they have at this moment, and those of their slots that are kept."""
    result = list(rows)
    for row in result:
        state = bid_state(row.state, row.valid_until, now)
        slots = [slot for slot in row.slots.all() if slot_stands(slot, now)]
        if state in ("made", "amended") and not slots:
            state = "lapsed"
        if state == "accepted":
            slots = [slot for slot in row.slots.all() if not slot.reservation.held_for]
        row.shown_state, row.shown_label = state, Bid.State(state).label  # type: ignore[attr-defined]
        row.shown_slots = slots  # type: ignore[attr-defined]
    return result


def slot_stands(slot: BidSlot, now: datetime) -> bool:
    """Whether the slot is kept at this moment."""
    row = slot.reservation
    return row.state == "held" and row.deadline_at is not None and row.deadline_at > now


def group_at(enquiry: Enquiry, instrument: Instrument) -> str:
    """The price group of who asks, at an instrument."""
    backing = load_backing(enquiry.organisation, instruments=[instrument])
    return group_of(instrument, backing, local_date(instrument.facility.zone, enquiry.earliest))


def hosts_matched(enquiry: Enquiry, now: datetime) -> list[UUID]:
    """The hosts of the first matches among those to whom an enquiry goes."""
    hosts, regions = list(enquiry.hosts.all()), tuple(enquiry.regions.all())
    if enquiry.need is None or (hosts and not regions):
        return [host.pk for host in hosts]
    question: Wanted = wanted_of(enquiry.need)
    found = [a.instrument for a in load_matches(question, now) if a.match is not None]
    wanted = {region.pk for region in regions}
    fitting = [
        one.organisation_id for one in found if not wanted or wanted & set(one.region.lineage)
    ]
    return list(dict.fromkeys([*(host.pk for host in hosts), *fitting]))[: MOST_TOLD + len(hosts)]


def load_clusters(actor: Actor) -> list[tuple[Cluster, Technique | None, Region]]:
    """What was asked for together in the regions that the actor coordinates; which are shown is
    decided over all regions, so that no two readers know more together."""
    rows = Enquiry.objects.exclude(state="withdrawn").values_list(
        "techniques", "region_id", "created_at", "organisation_id", "minutes"
    )
    asked = [
        Asked(codes[0], region, quarter_of(at.date()), organisation, minutes)
        for codes, region, at, organisation, minutes in rows
        if codes
    ]
    mine = Region.objects.filter(lineage__overlap=list(actor.regions_where("coordinate")))
    regions = Region.objects.in_bulk() if actor.has("administrator") else {r.pk: r for r in mine}
    shown = [one for one in clusters(asked) if one.region in regions]
    codes = {one.technique for one in shown}
    techniques = {each.code: each for each in Technique.objects.filter(code__in=codes)}
    return [(one, techniques.get(one.technique), regions[one.region]) for one in shown]


_SLOTS: Any = Prefetch(
    "slots",
    BidSlot.objects.select_related("reservation").order_by("reservation__start_at", "id"),
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
