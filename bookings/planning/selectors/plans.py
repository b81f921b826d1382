"""Planned purchases, as far as each person may see them; neighbours see them before the order."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import ADMINISTRATOR, Actor
from accounts.models import Organisation, Region, User
from accounts.selectors.memberships import coordinators_of, place_of
from accounts.selectors.organisations import organisations
from accounts.selectors.rows import among, visible
from bookings.planning.models import PlannedPurchase
from bookings.pricing.models import Agreement, AgreementMember
from bookings.pricing.selectors.agreements import agreements_on, today_in
from bookings.record.selectors.lists import CHOICE, Column, Filter, Listing, amount_of
from bookings.reviews.models import PurchaseCase
from instruments.register.models import Instrument
from instruments.search.selectors.search import branch
from instruments.vocabulary.models import Technique

MOST_TOLD = 200  # people are told of a plan


def regions_around(regions: Collection[Region], now: datetime) -> QuerySet[Region]:
    """Return the regions, and those with which they have an agreement in force on their own local day."""
    mine = AgreementMember.objects.filter(region__in=regions).values("agreement")
    agreements = agreements_on(Agreement.objects.filter(pk__in=mine), today_in(regions, now))
    members = AgreementMember.objects.filter(agreement__in=agreements.values("pk"))
    own = [region.pk for region in regions]
    return Region.objects.filter(Q(pk__in=own) | Q(pk__in=members.values("region")))


def own_regions(actor: Actor) -> QuerySet[Region]:
    """Return the regions whose hours the actor may read, for the whole region or for an organisation in
    it."""
    above = list(actor.regions_where("read-hours"))
    within = Organisation.objects.filter(pk__in=actor.organisations_where("read-hours"))
    return Region.objects.filter(Q(lineage__overlap=above) | Q(pk__in=within.values("region")))


def regions_told(actor: Actor, now: datetime) -> QuerySet[Region]:
    """Return the regions whose plans the actor may see: those whose hours they read, and the regions around
    these; for administrators all. One additional statement."""
    if actor.has(ADMINISTRATOR):
        return Region.objects.all()
    own = list(own_regions(actor))
    return regions_around(own, now) if own else Region.objects.none()


def plans_for(actor: Actor, now: datetime) -> QuerySet[PlannedPurchase]:
    """Return the plans of the regions that `regions_told` gives, the soonest first."""
    rows = PlannedPurchase.objects.select_related("organisation__region", "technique", "user")
    told = regions_told(actor, now).values("pk")
    return rows.filter(among("organisation__region", told)).order_by("year", "quarter", "-id")


def planned_in(regions: Collection[UUID]) -> QuerySet[PlannedPurchase]:
    """Return the plans of some regions that are neither dropped nor a case yet, the soonest first."""
    rows = PlannedPurchase.objects.select_related("organisation__region", "technique")
    rows = rows.filter(state=PlannedPurchase.State.PLANNED, organisation__region__in=regions)
    return rows.order_by("year", "quarter", "-id")


def plan_by_id(actor: Actor, plan_id: UUID, now: datetime) -> PlannedPurchase:
    """Return a planned purchase that the actor may see; raise `NotFound` otherwise."""
    return visible(plans_for(actor, now), pk=plan_id)


def plans_of_class(rows: QuerySet[PlannedPurchase], technique: str) -> QuerySet[PlannedPurchase]:
    """Narrow plans to those for a technique (a code) or a narrower one."""
    return rows.filter(technique__in=branch(technique))


def may_plan(actor: Actor, organisation: Organisation) -> bool:
    """Say whether the actor may enter plans of an organisation: its managers, and the coordinators of its
    region."""
    place = place_of(organisation)
    return actor.may("manage-instruments", place) or actor.may("coordinate", place)


def planning_organisations(actor: Actor) -> QuerySet[Organisation]:
    """Return the open organisations for which the actor may enter plans, by code."""
    managed = Q(pk__in=actor.organisations_where("manage-instruments"))
    above = list(actor.regions_where("coordinate"))
    within = Q(region__lineage__overlap=above) if above else Q(pk=None)
    return organisations().filter(managed | within, closed_at=None)


def cases_to_name(plan: PlannedPurchase) -> QuerySet[PurchaseCase]:
    """Return the purchase cases that a plan may have become: of the same organisation, the newest
    first."""
    return PurchaseCase.objects.filter(organisation=plan.organisation_id).order_by("-created_at")


def told_of(plan: PlannedPurchase) -> list[User]:
    """Return the people to notify that an organisation plans to buy: the coordinators of its region and of
    those around it, then managers of other organisations there that have published instruments of the class;
    at most `MOST_TOLD`."""
    around = list(regions_around([plan.organisation.region], plan.changed_at))
    coordinators = coordinators_of({pk for region in around for pk in region.lineage})
    hosts = Instrument.objects.filter(
        region__in=around, publication=Instrument.Publication.PUBLISHED, pk__in=_of_class(plan.technique)
    ).exclude(organisation=plan.organisation_id)
    managers = User.objects.filter(
        is_active=True,
        role_grants__role="manager",
        role_grants__revoked_at=None,
        role_grants__organisation__in=hosts.values("organisation"),
        role_grants__facility_id=None,
        role_grants__instrument_id=None,
    )
    people = [*coordinators[:MOST_TOLD], *managers.distinct().order_by("email")[:MOST_TOLD]]
    return list(dict.fromkeys(people))[:MOST_TOLD]


def _of_class(technique: Technique) -> QuerySet[Instrument]:
    tagged = Instrument.techniques.through.objects.filter(technique__in=branch(technique.code))
    return tagged.values("instrument")  # type: ignore[return-value]


PLANS = Listing(
    "planned-purchases",
    lambda actor: PlannedPurchase.objects.none(),  # depends on the moment: see `plans_for`
    (
        Column("organisation", "organisation.code", _("Who buys")),
        Column("organisation_name", "organisation.name"),
        Column("region", "organisation.region.code"),
        Column("technique", "technique.code", _("Class of instrument")),
        Column("technique_name", "technique.name"),
        Column("name", "name", _("What"), "name"),
        Column("year", "year", _("When"), "year"),
        Column("quarter", "quarter"),
        Column("price", amount_of("price"), _("Price"), kind="end"),
        Column("currency", "currency"),
        Column("hours", "hours", _("Hours a year"), "hours", kind="end"),
        Column("place", "place"),
        Column("confidence", "confidence"),
        Column("state", "state"),
    ),
    words=("name", "organisation__name", "organisation__name_zh", "technique__name", "technique__name_zh"),
    q_help="Part of the name of the planned purchase, its organisation or its class.",
    filters=(
        Filter(
            "technique",
            lambda rows, code, by: plans_of_class(rows, code),
            label=_("Class of instrument"),
            help="Code of a technique; narrower techniques are included.",
            most=60,
        ),
        Filter("state", "state", CHOICE, _("State"), choices=PlannedPurchase.State.choices),
    ),
)
