"""Deletions from lists of which programs keep copies."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.pagination import Pages
from accounts.api.resource import Resource, lists
from accounts.api.shapes import Choice, Instant
from accounts.domain.errors import NoLongerKept
from bookings.messaging.selectors.deletions import KEPT_FOR, deletions_for
from bookings.record.models import Deletion
from bookings.record.selectors.copies import IN_ORDER, changed_since


class DeletionsQuery(Pages):
    """The choice of deletions, and from when on."""

    updated_since = Instant(
        required=False,
        help_text="Only what went at this moment or later. Default: all that is kept. Ask from a day before "
        "you last asked: what comes again changes nothing.",
    )
    kind = Choice(Deletion.Kind.choices, required=False, help_text="Only from this list.")


class DeletionShape(serializers.Serializer[Any]):
    """A thing that is gone from a list."""

    kind = serializers.ChoiceField(Deletion.Kind.choices)
    id = serializers.UUIDField(source="about", help_text="Id of the need or the sample.")
    deleted_at = Instant(source="modified", help_text="When it went, by the clock of the database.")


class Deletions(Resource):
    at, name, many, tag = "deletions/", "deletion", "deletions", "webhooks"
    shape, order, needs_person, only_reads = DeletionShape, IN_ORDER, True, True

    @lists(_("Deletions"), query=DeletionsQuery, refuses=[410])
    def rows(self, query: dict[str, Any]) -> QuerySet[Deletion]:
        """Return what is gone from `needs/` and `samples/` for you, the earliest first: a need or sample that
        was deleted with the account of its person, a need of which you are no longer a reader, a sample that
        was taken off the booking for which your facility saw it. What you still see for another reason is
        not here. Deletions are kept for ninety days: with an older `updated_since` the answer is 410
        (`no-longer-kept`); then read the lists anew. From other lists with `updated_since` nothing is ever
        removed."""
        since = query.get("updated_since")
        if since is not None and since < self.now - KEPT_FOR:
            raise NoLongerKept
        rows = deletions_for(self.actor)
        if kind := query.get("kind"):
            rows = rows.filter(kind=kind)
        return changed_since(rows, Q(), {"updated_since": since or self.now - KEPT_FOR})
