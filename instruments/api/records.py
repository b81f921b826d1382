"""The catalogue for other registers: every public record, and which are gone."""

import hashlib
from typing import Any

from django.db.models import Prefetch
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import http_date
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.resource import rendered
from accounts.api.schema import operation, page
from accounts.api.shapes import Instant, Text, query_values
from accounts.replica import from_replica
from instruments.api.attachments import AttachmentShape
from instruments.api.registry import InstrumentShape, with_quality
from instruments.models import Attachment, Instrument
from instruments.selectors.registry import PUBLIC, catalogue_records

KEPT_FOR = 60  # seconds that anybody between may keep an answer
PRESENT, GONE = "present", "gone"


class PublicRecordShape(InstrumentShape):
    """A record with its photos and documents."""

    attachments = AttachmentShape(many=True)


class CatalogueRecordShape(serializers.Serializer[Any]):
    """A record, or that it is gone."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField([PRESENT, GONE])
    updated_at = Instant()
    merged_into = serializers.UUIDField(
        source="merged_into_id",
        allow_null=True,
        help_text="Of one that is gone: the record that stands for it.",
    )
    record = PublicRecordShape(allow_null=True, help_text="Null for one that was removed.")


class CatalogueRecordsQuery(Pages):
    updated_since = Instant(
        required=False, help_text="Only what changed, came or went at this instant or later."
    )
    region = Text(20, default="", help_text="A code; regions below it are included.")


class CatalogueRecords(Endpoint):
    only_reads = True
    http_method_names = ["get", "head"]

    @from_replica
    @operation(
        "catalogue_records",
        _("The whole catalogue, to keep a copy"),
        tag="instruments",
        query=CatalogueRecordsQuery,
        gives=page(CatalogueRecordShape),
        also={304: None},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Nobody need be signed in. Published and suspended records, and those that are gone
        (retired, or merged into another), what changed last comes last: follow `next` to the end,
        and come back with `updated_since` a few minutes before the last `updated_at` you saw, as
        changes that are made at once may become visible out of order. `ETag` and `Last-Modified`
        make asking again cheap: `If-None-Match` is answered 304."""
        query = query_values(CatalogueRecordsQuery, request.query_params)
        photos = Attachment.objects.order_by("-kind", "position", "id")
        rows = catalogue_records(query.get("updated_since"), query["region"]).prefetch_related(
            "techniques", Prefetch("attachments", photos)
        )
        newest: list[Instrument] = []

        def show(piece: list[Instrument]) -> list[dict[str, Any]]:
            newest.extend(piece[-1:])
            return self._shown(piece)

        answer = paginated(request, rows, query, ("updated_at", "id"), show)
        content = JSONRenderer().render(answer.data)
        etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        modified = int(newest[0].updated_at.timestamp()) if newest else None
        same = get_conditional_response(request._request, etag=etag, last_modified=modified)
        final: HttpResponseBase = same if same is not None else answer
        final["ETag"] = etag
        if modified is not None:
            final["Last-Modified"] = http_date(modified)
        patch_cache_control(final, public=True, max_age=KEPT_FOR)
        return final

    def _shown(self, rows: list[Any]) -> list[dict[str, Any]]:
        for row in rows:
            row.record = row if row.publication in PUBLIC else None
            row.state = PRESENT if row.record else GONE
        with_quality([row for row in rows if row.record], self.now)
        return [rendered(CatalogueRecordShape, row) for row in rows]
