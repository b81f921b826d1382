"""Save filtered and sorted lists under names. They are private, so the trail does not record them."""

from uuid import UUID

from django.db import transaction

from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import By
from accounts.models import SavedView
from accounts.selectors.rows import visible
from accounts.services.memberships import lock_user

MOST = 30  # of one page
LONGEST_NAME, LONGEST_QUERY = 60, 1000


@transaction.atomic
def view_save(by: By, *, page: str, query: str, name: str) -> SavedView:
    """Save the query of a page under a name, replacing one of the same name. Raise `Invalid` (required,
    too-long), `WrongState` (too-many-views)."""
    name = name.strip()
    if not name:
        raise invalid("name", "required")
    if len(name) > LONGEST_NAME:
        raise invalid("name", "too-long", most=LONGEST_NAME)
    if len(query) > LONGEST_QUERY:
        raise invalid("query", "too-long", most=LONGEST_QUERY)
    lock_user(by.actor.person)
    own = SavedView.objects.filter(user_id=by.actor.person, page=page)
    if not own.filter(name=name).exists() and own.count() >= MOST:
        raise WrongState("too-many-views", most=MOST)
    row, _ = SavedView.objects.update_or_create(
        user_id=by.actor.person,
        page=page,
        name=name,
        defaults={"query": query},
        create_defaults={"query": query, "created_at": by.now},
    )
    return row


@transaction.atomic
def view_delete(by: By, *, view_id: UUID) -> SavedView:
    """Delete one of the actor's own views and return it. Raise `NotFound` if there is none."""
    row = visible(SavedView.objects.filter(user_id=by.actor.person), pk=view_id)
    SavedView.objects.filter(pk=row.pk).delete()
    return row
