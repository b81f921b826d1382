"""Exchange rates, as far as each person may see them."""

from django.db.models import Q, QuerySet

from accounts.domain.roles import Actor
from accounts.models import Organisation
from bookings.models import ExchangeRate


def rates_for_actor(actor: Actor) -> QuerySet[ExchangeRate]:
    """Those of the actor's organisations, for finance and managers, and of an auditor's
    regions; the newest first."""
    seen = Q(organisation_id__in=actor.organisations_where("read-money"))
    regions = list(actor.regions_where("read-money"))
    if regions:
        seen |= Q(organisation__region__lineage__overlap=regions)
    return (
        ExchangeRate.objects.filter(seen)
        .select_related("organisation", "entered_by")
        .order_by("-entered_at", "-id")
    )


def accounted_by(actor: Actor) -> QuerySet[Organisation]:
    """The organisations whose finance the actor is."""
    return (
        Organisation.objects.filter(pk__in=actor.organisations_where("account"))
        .select_related("region")
        .order_by("name")
    )
