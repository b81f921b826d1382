"""Agreements in force between a payer's region and those of hosts, and agreements as people may see them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Actor, By, Place
from accounts.models import Region
from accounts.prepared import Prepared
from accounts.selectors.organisations import sharing_regions
from accounts.selectors.rows import visible
from bookings.pricing.domain.agreements import AgreementValues, agreement_state
from bookings.pricing.models import Agreement, AgreementMember
from bookings.record.selectors.lists import DAY, Column, Filter, Listing
from instruments.reading.domain.clock import local_date

Agreements = Mapping[UUID, tuple[AgreementValues, ...]]


def load_agreements(region_id: UUID, others: Iterable[UUID] | None = None) -> Agreements:
    """Return, by the other region, the agreements, past and to come, that a region has signed with it; only
    those with `others`, if given. One statement."""
    named = {} if others is None else {"others": sorted(others)}
    by_region: dict[UUID, list[AgreementValues]] = {}
    for member in _PARTNERS.rows(region_id=region_id, **named):
        by_region.setdefault(member.region_id, []).append(load_agreement(member.agreement))
    return {region: tuple(agreements) for region, agreements in by_region.items()}


def _partners(*, region_id: Any, others: Any = None) -> QuerySet[AgreementMember]:
    mine = AgreementMember.objects.filter(region_id=region_id, agreement__signed_at__isnull=False)
    partners = AgreementMember.objects.filter(
        ~Q(region_id=region_id), agreement__in=mine.values("agreement")
    ).select_related("agreement")
    return partners if others is None else partners.filter(region_id__one_of=others)


_PARTNERS = Prepared(_partners)


_VALUES = tuple(field.name for field in fields(AgreementValues) if field.name != "id")


def load_agreement(row: Agreement) -> AgreementValues:
    """Return an agreement as a value."""
    return AgreementValues(row.pk, **{name: getattr(row, name) for name in _VALUES})


def load_recognised(
    regions: set[UUID], issuers: set[UUID]
) -> dict[tuple[UUID, UUID], list[tuple[date, date | None]]]:
    """Return the days [first, until) on which some regions recognise certificates that others issued, by
    region and issuer's region, from the fully signed agreements that provide for it. One statement. This
    function is passed to `load_qualified`, which lies in a lower area and cannot import it."""
    rows = AgreementMember.objects.filter(
        region__in=regions,
        agreement__signed_at__isnull=False,
        agreement__recognises_qualifications=True,
        agreement__members__region__in=issuers,
    ).values_list(
        "region_id", "agreement__members__region_id", "agreement__valid_from", "agreement__valid_until"
    )
    days: dict[tuple[UUID, UUID], list[tuple[date, date | None]]] = {}
    for region, issuer, first, until in rows:
        if region != issuer and (until is None or until > first):
            days.setdefault((region, issuer), []).append((first, until))
    return days


def recognised_regions(region_id: UUID, day: date) -> list[Region]:
    """Return the regions whose organisations' certificates for a technique are recognised in a region on a
    day, by code. One statement."""
    mine = AgreementMember.objects.filter(region_id=region_id).values("agreement")
    agreements = agreements_on(Agreement.objects.filter(pk__in=mine, recognises_qualifications=True), day)
    members = AgreementMember.objects.filter(agreement__in=agreements.values("pk"))
    regions = Region.objects.filter(pk__in=members.exclude(region_id=region_id).values("region"))
    return list(regions.order_by("code"))


# As people see them


def coordinates(actor: Actor, region: Region) -> bool:
    """Say whether the actor coordinates a region, or one above it."""
    return actor.may("coordinate", Place(None, frozenset(region.lineage)))


def own_regions(actor: Actor) -> list[Region]:
    """Return the sharing regions that the actor coordinates. One statement."""
    above = list(actor.regions_where("coordinate"))
    return list(sharing_regions().filter(lineage__overlap=above)) if above else []


def members_of(agreement_id: UUID) -> list[AgreementMember]:
    """Return the members of an agreement with region and signer, in the order of the regions'
    codes. One statement."""
    return list(
        AgreementMember.objects.filter(agreement_id=agreement_id)
        .select_related("region", "signed_by")
        .order_by("region__code", "region__scheme")
    )


def today_in(places: Iterable[AgreementMember | Region], now: datetime) -> date:
    """Return the latest local day of some regions: a day before it is past in at least one of them."""
    regions = [place if isinstance(place, Region) else place.region for place in places]
    zones = {region.time_zone for region in regions} or {"UTC"}
    return max(local_date(ZoneInfo(zone), now) for zone in zones)


def state_on(row: Agreement, today: date) -> str:
    """Return the state of an agreement on a day (`pricing/domain/agreements.py`)."""
    return agreement_state(
        is_signed=row.signed_at is not None,
        is_ended=row.ended_by_id is not None,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        today=today,
    )


def agreements_for(actor: Actor) -> QuerySet[Agreement]:
    """Return the agreements that the actor may see, the newest first: the signed ones of regions in which
    they belong to an organisation; all, proposals included, of regions that they coordinate or audit."""
    above = list(actor.regions_where("coordinate") | actor.regions_where("read-money"))
    theirs = AgreementMember.objects.filter(region__lineage__overlap=above)
    own = AgreementMember.objects.filter(region__organisations__in=sorted(actor.own_organisations))
    seen = Q(pk__in=theirs.values("agreement")) | Q(pk__in=own.values("agreement"), signed_at__isnull=False)
    members = AgreementMember.objects.select_related("region", "signed_by")
    return (
        Agreement.objects.filter(seen)
        .select_related("proposed_by", "ended_by")
        .prefetch_related(Prefetch("members", members.order_by("region__code", "region__scheme")))
        .order_by("-proposed_at", "-id")
    )


def agreement_by_id(actor: Actor, agreement_id: UUID) -> Agreement:
    """Return an agreement with its members; raise `NotFound` if the actor may not see it."""
    return visible(agreements_for(actor), pk=agreement_id)


def agreements_alike(row: Agreement, region_ids: Collection[UUID]) -> list[Agreement]:
    """Return other agreements that exactly these regions have all signed and that are in force on some of the
    same days, by code. One statement."""
    is_inside = Q(members__region__in=region_ids)
    lasts = Q(valid_until__gt=F("valid_from")) & Q(valid_until__gt=row.valid_from)
    others = Agreement.objects.exclude(pk=row.pk).filter(Q(valid_until=None) | lasts, signed_at__isnull=False)
    if row.valid_until is not None:
        others = others.filter(valid_from__lt=row.valid_until)
    return list(
        others.alias(all=Count("members"), inside=Count("members", filter=is_inside))
        .filter(all=len(region_ids), inside=len(region_ids))
        .order_by("code")
    )


def agreements_on(rows: QuerySet[Agreement], day: date) -> QuerySet[Agreement]:
    """Narrow agreements to those in force on a day."""
    return rows.filter(
        Q(valid_until=None) | Q(valid_until__gt=day), signed_at__isnull=False, valid_from__lte=day
    )


def agreements_to_sign(actor: Actor, now: datetime) -> QuerySet[Agreement]:
    """Return the proposals that a region coordinated by the actor has not signed yet."""
    mine = AgreementMember.objects.filter(
        agreement=OuterRef("pk"),
        region__lineage__overlap=list(actor.regions_where("coordinate")),
        signed_at=None,
    )
    return agreements_for(actor).filter(Exists(mine), signed_at=None, ended_by=None)


def _regions(row: Agreement, by: By) -> str:
    return ", ".join(member.region.name for member in row.members.all())


AGREEMENTS = Listing(
    "agreements",
    agreements_for,
    (
        Column("agreement", "pk"),
        Column("name", "name", sort="name"),
        Column("state", lambda row, by: state_on(row, today_in(row.members.all(), by.now))),
        Column("valid_from", "valid_from", sort="valid_from"),
        Column("valid_until", "valid_until", sort="valid_until"),
        Column("regions", _regions),
    ),
    waits={"sign": agreements_to_sign},
    waits_help="Only agreements that a region you coordinate has not signed yet.",
    words=("name", "name_zh"),
    q_help="Part of the agreement's name.",
    day="valid_from",
    filters=(
        Filter("region", "members__region__code", help="Code of a member region."),
        Filter("in_force_on", lambda rows, day, by: agreements_on(rows, day), DAY, _("In force on")),
    ),
)
