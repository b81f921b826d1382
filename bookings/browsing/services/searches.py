"""Save searches, and tell people what they newly find."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models.expressions import RawSQL

from accounts import trail
from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import By
from accounts.models import Organisation, User
from accounts.notifications import Effect, enqueue
from accounts.services.jobs import work_through
from bookings.browsing.models import SavedSearch, SearchMatch
from bookings.browsing.selectors.searches import load_matches, own_search
from bookings.catalogue.domain.searches import MOST_MATCHES, MOST_SEARCHES, from_json, is_over, to_json
from instruments.search.domain.search import Criteria


@transaction.atomic
def search_save(by: By, *, name: str, criteria: Criteria, organisation: Organisation | None) -> SavedSearch:
    """Save a search. Instruments that it finds now count as known; the person is told of those that come
    later. Raise `WrongState` (too-many-searches), `Invalid` (too-broad, name-taken, nothing-asked,
    in-the-past)."""
    User.objects.select_for_update(no_key=True).get(pk=by.actor.person)
    if SavedSearch.objects.filter(user_id=by.actor.person).count() >= MOST_SEARCHES:
        raise WrongState("too-many-searches", most=MOST_SEARCHES)
    values = to_json(criteria)
    if not values.keys() - {"minutes", "sort"}:
        raise invalid("", "nothing-asked")
    if is_over(criteria, by.now):
        raise invalid("free_until", "in-the-past")
    search = SavedSearch(
        user_id=by.actor.person,
        organisation=organisation,
        name=name,
        criteria=values,
        created_at=by.now,
        looked_on=by.now.date(),
    )
    matches = load_matches(search, by.now)
    if len(matches) > MOST_MATCHES:
        raise invalid("", "too-broad", most=MOST_MATCHES)
    try:
        with transaction.atomic():
            search.save(force_insert=True)
    except IntegrityError:
        raise invalid("name", "name-taken") from None
    SearchMatch.objects.bulk_create(SearchMatch(search=search, instrument_id=pk) for pk in matches)
    trail.record(by, "search.save", search, after={"criteria": values})
    return search


@transaction.atomic
def search_pause(by: By, *, search_id: UUID, is_paused: bool) -> SavedSearch:
    """Pause or resume a saved search. After resuming, the next run of `searches_tell` that looks at it tells
    the person of what has come meanwhile."""
    search = own_search(by.actor, search_id)
    by.require_version(search.version)
    if search.is_paused != is_paused:
        search.is_paused = is_paused
        search.save(update_fields=["is_paused"])
        trail.record(by, "search.pause", search, after={"is_paused": is_paused})
    return search


@transaction.atomic
def search_delete(by: By, *, search_id: UUID) -> None:
    search = own_search(by.actor, search_id)
    by.require_version(search.version)
    trail.record(by, "search.delete", search)
    search.delete()


def searches_follow(*, facet: str, old: str, new: str) -> int:
    """Replace the old code of a host or a region in saved searches by the new one; return how many
    changed."""
    if old == new:
        return 0
    value = RawSQL("jsonb_set(criteria, ARRAY[%s], to_jsonb(%s::text))", [facet, new])
    return SavedSearch.objects.filter(**{f"criteria__{facet}": old}).update(criteria=value)


def searches_tell(*, now: datetime) -> int:
    """Look for new matches of every search not looked at today (UTC) and tell people of them, in a
    transaction each. Return how many searches had new matches."""
    due = SavedSearch.objects.filter(is_paused=False, looked_on__lt=now.date())
    return work_through(job="saved searches", due=due.order_by("pk"), act=lambda pk: _told(pk, now), now=now)


def _told(search_id: UUID, now: datetime) -> bool:
    search = (
        SavedSearch.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("organisation__region")
        .filter(pk=search_id, is_paused=False, looked_on__lt=now.date())
        .first()
    )
    if search is None:
        return False
    search.looked_on = now.date()
    search.save(update_fields=["looked_on"])
    if is_over(from_json(search.criteria), now):
        return False
    known = set(search.matches.values_list("instrument_id", flat=True))
    new = [pk for pk in load_matches(search, now) if pk not in known]
    if not new:
        return False
    SearchMatch.objects.bulk_create(SearchMatch(search=search, instrument_id=pk) for pk in new)
    enqueue(
        [
            Effect(
                kind="search.matches",
                key=f"search.matches:{search.pk}:{now.date()}",
                payload={"search": str(search.pk), "instruments": [str(pk) for pk in new]},
            )
        ],
        now=now,
    )
    return True
