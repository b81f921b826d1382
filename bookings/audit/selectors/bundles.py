"""Bundles of the trail that a person has requested."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.domain.errors import NotFound
from accounts.domain.roles import Actor
from bookings.audit.models import TrailBundle


def bundles_of(actor: Actor) -> QuerySet[TrailBundle]:
    """Return the actor's own bundles, the newest first."""
    return TrailBundle.objects.filter(user_id=actor.person).order_by("-created_at", "-id")


def bundle_for(actor: Actor, bundle_id: UUID) -> TrailBundle:
    """Return a bundle of the actor's own; `NotFound` for others, and once the actor may no longer read the
    trail."""
    row = bundles_of(actor).filter(pk=bundle_id).first()
    if row is None or not set(row.region_ids) <= actor.regions_where("read-trail"):
        raise NotFound
    return row
