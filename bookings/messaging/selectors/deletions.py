"""Deletions from lists of which other systems keep copies, for those who saw what is gone."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.domain.roles import Actor
from accounts.selectors.memberships import in_scope
from bookings.needs.selectors.needs import needs_for
from bookings.record.models import Deletion
from bookings.samples.selectors.samples import samples_for

KEPT_FOR = timedelta(days=90)
# The rows that are in each list now.
_LISTS: dict[str, Callable[[Actor], QuerySet[Any]]] = {
    Deletion.Kind.NEED: needs_for,
    Deletion.Kind.SAMPLE: samples_for,
}


def deletions_for(actor: Actor) -> QuerySet[Deletion]:
    """Return what the actor saw in a list and sees no longer. What they see for another reason, or again, is
    left out. One statement."""
    saw = (
        Q(person=actor.person)
        | Q(payer__in=actor.organisations_where("book-for-members"))
        | in_scope(actor.scope_where("operate-instruments"), "host", "instrument")
    )
    rows = Deletion.objects.filter(saw)
    for kind, listed in _LISTS.items():
        # Narrowed twice, so that the database need not go through the whole list of a large organisation.
        noted = Deletion.objects.filter(kind=kind).values("about")
        there = listed(actor).order_by().filter(pk=OuterRef("about"), pk__in=noted)
        rows = rows.exclude(Q(Exists(there)), kind=kind)
    return rows


def deletions_past(before: datetime) -> QuerySet[Deletion]:
    """Return the notes that have been kept long enough."""
    return Deletion.objects.filter(modified__lt=before)
