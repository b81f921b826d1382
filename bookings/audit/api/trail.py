"""The trail: who did what, when, to which record."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.resource import rendered
from accounts.api.schema import operation, page
from accounts.api.shapes import Instant, Text, TextOrNull, query_values, shown_by
from bookings.audit.selectors.trail import TrailQuery, entries_where
from bookings.charging.selectors.stories import StoryEntry, steps_of
from bookings.record.api.shapes import Hex


class ActorShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


def _actor(step: StoryEntry) -> dict[str, str | None] | None:
    actor_id = step.entry.actor_id
    return {"id": str(actor_id), "name": step.person} if actor_id else None


Acting = shown_by(_actor, ActorShape)


class ObjectShape(serializers.Serializer[Any]):
    type = serializers.CharField(source="object_type")
    id = serializers.UUIDField(source="object_id")


class TrailEntryShape(serializers.Serializer[Any]):
    """An entry of the trail. `actor` is null if the platform itself acted. `digest` is taken over its
    canonical JSON."""

    id = serializers.UUIDField(source="entry.pk")
    at = Instant(source="entry.at")
    actor = Acting(allow_null=True, source="*")
    action = serializers.CharField(source="entry.action")
    object = ObjectShape(source="entry")
    before = serializers.DictField(source="entry.before")
    after = serializers.DictField(source="entry.after")
    reason = TextOrNull()
    organisations = serializers.ListField(child=serializers.UUIDField(), source="entry.organisation_ids")
    regions = serializers.ListField(child=serializers.UUIDField(), source="entry.region_ids")
    request = serializers.CharField(source="entry.request_id")
    digest = Hex(source="entry.digest")


class EntryQuery(Pages):
    def get_fields(self) -> Any:
        return {"from": Instant(required=False), "until": Instant(required=False), **super().get_fields()}

    object = serializers.UUIDField(required=False, help_text="Id of the record.")
    actor = Text(254, default="", help_text="The person's id or e-mail address.")
    action = Text(60, default="", help_text="Beginning of the action's name, such as `reservation.`")
    region = Text(20, default="", help_text="Code of a region; the regions within it are included.")


class Entries(Endpoint):
    needs_person = True

    @operation(
        "trail_entries", _("Entries of the trail"), tag="trail", query=EntryQuery, gives=page(TrailEntryShape)
    )
    def get(self, request: Request) -> Response:
        """List entries, newest first: auditors see those of their regions, everybody else their own acts."""
        query = query_values(EntryQuery, request.query_params)
        where = TrailQuery(
            object_id=query.get("object"),
            actor=query["actor"],
            action=query["action"],
            region=query["region"],
            since=query.get("from"),
            until=query.get("until"),
        )
        rows = entries_where(self.actor, where)
        return paginated(
            request,
            rows,
            query,
            ("-at", "-id"),
            lambda page: [rendered(TrailEntryShape, step) for step in steps_of(page)],
        )
