"""Saved searches: one's own, and what they find."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from accounts.domain.roles import Actor
from accounts.selectors.rows import visible
from bookings.browsing.models import SavedSearch
from bookings.catalogue.domain.searches import MOST_MATCHES, from_json
from bookings.catalogue.selectors.catalogue import free_between
from instruments.selectors.search import entries


def own_searches(actor: Actor) -> QuerySet[SavedSearch]:
    """Return one's own searches, the newest first."""
    return (
        SavedSearch.objects.filter(user_id=actor.person)
        .select_related("organisation__region")
        .order_by("-created_at", "-id")
    )


def own_search(actor: Actor, search_id: UUID) -> SavedSearch:
    """`NotFound` if there is none, or it is somebody else's."""
    return visible(own_searches(actor), pk=search_id)


def load_matches(search: SavedSearch, now: datetime) -> list[UUID]:
    """The ids of what it finds now, one more than `MOST_MATCHES` at most."""
    criteria = from_json(search.criteria)
    if not (criteria.wants_time or criteria.wants_price):
        return list(entries(criteria).values_list("pk", flat=True)[: MOST_MATCHES + 1])
    offers = free_between(
        Actor(search.user_id),
        criteria,
        search.organisation,
        now,
        after=None,
        size=MOST_MATCHES + 1,
    )
    return [instrument.pk for instrument, _ in offers]
