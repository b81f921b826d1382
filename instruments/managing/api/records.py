"""The catalogue for other registers: every public record, and which ones are gone."""

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
from instruments.attachments.api.attachments import AttachmentShape
from instruments.attachments.models import Attachment
from instruments.managing.api.registry import InstrumentShape, with_quality
from instruments.register.models import Instrument
from instruments.register.selectors.registry import PUBLIC, catalogue_records

KEPT_FOR = 60  # seconds for which caches may keep an answer
PRESENT, GONE = "present", "gone"


class PublicRecordShape(InstrumentShape):
    """A record with its photos and documents."""

    attachments = AttachmentShape(many=True)


class CatalogueRecordShape(serializers.Serializer[Any]):
    """A public record, or a note that it is gone."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField([PRESENT, GONE])
    updated_at = Instant()
    merged_into = serializers.UUIDField(
        source="merged_into_id",
        allow_null=True,
        help_text="For a record that was merged: the record that replaces it.",
    )
    record = PublicRecordShape(allow_null=True, help_text="Null if the record was removed.")


class CatalogueRecordsQuery(Pages):
    updated_since = Instant(
        required=False, help_text="Only records that changed, appeared or disappeared at this time or later."
    )
    region = Text(20, default="", help_text="Code of a region; the regions within it are included.")
    code = Text(20, default="", help_text="Only the instrument with this code, as on its label.")


class CatalogueRecords(Endpoint):
    only_reads = True
    http_method_names = ["get", "head"]

    @from_replica
    @operation(
        "catalogue_records",
        _("The whole catalogue, for keeping a copy"),
        tag="instruments",
        query=CatalogueRecordsQuery,
        gives=page(CatalogueRecordShape),
        also={304: None},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Lists published and suspended records and those that are gone (retired, or merged into another),
        ordered by their last change, the latest last. Anybody may read this without signing in. Follow `next`
        to the end; next time send `updated_since`, a few minutes before the last `updated_at` you saw,
        because simultaneous changes may become visible out of order. A change is whatever is in the record,
        what it can do, its photos and documents, its state and its host; opening hours, prices, rules of
        booking and ratings are none. `ETag` and `Last-Modified` make repeated requests cheap: one with a
        matching `If-None-Match` is answered 304."""
        query = query_values(CatalogueRecordsQuery, request.query_params)
        photos = Attachment.objects.order_by("-kind", "position", "id")
        rows = catalogue_records(query.get("updated_since"), query["region"]).prefetch_related(
            "techniques", Prefetch("attachments", photos)
        )
        if code := query["code"]:
            rows = rows.filter(short_code=code.upper())
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
