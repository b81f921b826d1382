"""Read harvests for the managers of their organisations."""

from dataclasses import fields
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from accounts.domain.roles import Actor
from accounts.selectors.rows import visible
from instruments.exchange.domain.harvests import Plan
from instruments.exchange.models import Fetching, Harvest


def harvests_for(actor: Actor) -> QuerySet[Harvest]:
    """Return the harvests of organisations whose instruments the actor manages, with `last_at` and
    `last_outcome` of the latest fetching."""
    last = Fetching.objects.filter(harvest=OuterRef("pk")).order_by("-at", "-pk")
    return (
        Harvest.objects.filter(organisation_id__in=actor.organisations_where("manage-instruments"))
        .select_related("organisation__region", "user")
        .annotate(last_at=Subquery(last.values("at")[:1]), last_outcome=Subquery(last.values("outcome")[:1]))
    )


def harvest_by_id(actor: Actor, harvest_id: UUID) -> Harvest:
    """Return a harvest. `NotFound` if there is none, or the actor may not see it."""
    return visible(harvests_for(actor), pk=harvest_id)


def fetchings_of(harvest: Harvest) -> QuerySet[Fetching]:
    """Return the fetchings of a harvest, the latest first, each with its import."""
    return harvest.fetchings.select_related("job").order_by("-at", "-pk")


def load_plan(harvest: Harvest) -> Plan:
    return Plan(**{field.name: getattr(harvest, field.name) for field in fields(Plan)})
