"""The trail: who did what, when, to which record."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import Instant, Text, asked, rfc3339
from accounts.models import TrailEntry
from bookings.audit.selectors.trail import TrailQuery, entries_where
from bookings.charging.selectors.stories import Step, steps_of


class ActorShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class ObjectShape(serializers.Serializer[Any]):
    type = serializers.CharField()
    id = serializers.UUIDField()


class TrailEntryShape(serializers.Serializer[Any]):
    """One entry. `actor` null: the platform itself. `digest` is over its canonical JSON."""

    id = serializers.UUIDField()
    at = Instant()
    actor = ActorShape(allow_null=True)
    action = serializers.CharField()
    object = ObjectShape()
    before = serializers.DictField()
    after = serializers.DictField()
    reason = serializers.CharField(allow_null=True)
    organisations = serializers.ListField(child=serializers.UUIDField())
    regions = serializers.ListField(child=serializers.UUIDField())
    request = serializers.CharField()
    digest = serializers.CharField()


class EntryQuery(Pages):
    def get_fields(self) -> Any:
        return {
            "from": Instant(required=False),
            "until": Instant(required=False),
            **super().get_fields(),
        }

    object = serializers.UUIDField(required=False, help_text="The id of the record.")
    actor = Text(254, default="", help_text="The person's id or e-mail address.")
    action = Text(60, default="", help_text="Prefix of the action: `reservation.`")
    region = Text(20, default="", help_text="A code; regions below it are included.")


def entry_json(step: Step) -> dict[str, Any]:
    entry: TrailEntry = step.entry
    return {
        "id": str(entry.pk),
        "at": rfc3339(entry.at),
        "actor": {"id": str(entry.actor_id), "name": step.person} if entry.actor_id else None,
        "action": entry.action,
        "object": {"type": entry.object_type, "id": str(entry.object_id)},
        "before": entry.before,
        "after": entry.after,
        "reason": step.reason or None,
        "organisations": [str(pk) for pk in entry.organisation_ids],
        "regions": [str(pk) for pk in entry.region_ids],
        "request": entry.request_id,
        "digest": bytes(entry.digest).hex(),
    }


class Entries(Endpoint):
    needs_person = True

    @operation(
        "trail_entries",
        _("Entries of the trail"),
        tag="trail",
        query=EntryQuery,
        gives=page(TrailEntryShape),
    )
    def get(self, request: Request) -> Response:
        """The newest first: for auditors those of their regions, for everybody their own acts."""
        query = asked(EntryQuery, request.query_params)
        wanted = TrailQuery(
            object_id=query.get("object"),
            actor=query["actor"],
            action=query["action"],
            region=query["region"],
            since=query.get("from"),
            until=query.get("until"),
        )
        rows = entries_where(self.actor, wanted)
        return paginated(
            request,
            rows,
            query,
            ("-at", "-id"),
            lambda found: [entry_json(step) for step in steps_of(found)],
        )
