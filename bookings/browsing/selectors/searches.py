"""Read a person's saved searches, and what they find."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from accounts.domain.roles import Actor
from accounts.selectors.rows import visible
from bookings.browsing.models import SavedSearch
from bookings.catalogue.domain.searches import MOST_MATCHES, from_json
from bookings.catalogue.selectors.catalogue import free_between
from bookings.catalogue.selectors.needs import load_reading
from instruments.search.selectors.search import entries


def own_searches(actor: Actor) -> QuerySet[SavedSearch]:
    """Return the actor's own saved searches, newest first."""
    return (
        SavedSearch.objects.filter(user_id=actor.person)
        .select_related("organisation__region")
        .order_by("-created_at", "-id")
    )


def own_search(actor: Actor, search_id: UUID) -> SavedSearch:
    """Return a saved search; `NotFound` if there is none or it is another person's."""
    return visible(own_searches(actor), pk=search_id)


def load_matches(search: SavedSearch, now: datetime) -> list[UUID]:
    """Return the ids of the instruments that a search finds now, at most one more than `MOST_MATCHES`."""
    criteria = load_reading(from_json(search.criteria)).criteria
    if not (criteria.wants_time or criteria.wants_price):
        return list(entries(criteria).values_list("pk", flat=True)[: MOST_MATCHES + 1])
    offers = free_between(
        Actor(search.user_id), criteria, search.organisation, now, after=None, size=MOST_MATCHES + 1
    )
    return [instrument.pk for instrument, _ in offers]
