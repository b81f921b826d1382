"""Tables of hours as files that a worker writes."""

from typing import Any
from uuid import UUID

from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import Choice, Day, Instant, Shape, Text, asked, checked, rfc3339
from accounts.domain.errors import invalid
from bookings.hours.api.utilisation import NARROWED_BY, groups_of, span_of
from bookings.hours.domain.norms import FIRST, USUAL_SCHEME
from bookings.hours.models import HoursExport
from bookings.hours.selectors.flows import MEASURES
from bookings.hours.selectors.utilisation_payers import PAYERS_BY
from bookings.hours.selectors.utilisation_tables import PAYERS, STATES, TABLES, Asked
from bookings.hours.services.exports import (
    XLSX,
    export_for,
    export_name,
    export_open,
    export_start,
    exports_of,
    media_of,
)
from bookings.record.api.files import FileEndpoint

FORMATS = ("csv", "xlsx")


class HoursExportShape(serializers.Serializer[Any]):
    """A table that a worker writes: fetch `file/` once it is `done`. `asked` is what it was asked
    with; `rows_total` is 0 where it is not known before the end."""

    id = serializers.UUIDField()
    table = serializers.ChoiceField(TABLES)
    format = serializers.ChoiceField(FORMATS)
    state = serializers.ChoiceField(HoursExport.State.choices)
    asked = serializers.DictField()
    rows_done = serializers.IntegerField()
    rows_total = serializers.IntegerField()
    created_at = Instant()
    ended_at = Instant(allow_null=True)


class HoursExportBody(Shape):
    table = Choice(list(TABLES), help_text="`days`: the instrument-days behind a number.")
    format = Choice(list(FORMATS), default="csv")
    by = Text(100, default="", allow_blank=True, help_text="Of hours and payers; commas between.")
    region = Text(20, default="", allow_blank=True)
    organisation = Text(40, default="", allow_blank=True)
    facility = serializers.UUIDField(required=False)
    instrument = serializers.UUIDField(required=False)
    technique = Text(60, default="", allow_blank=True)
    scheme = Choice(list(FIRST), default=USUAL_SCHEME)
    measure = Choice(list(MEASURES), default="hours", help_text="Of flows.")
    currency = Text(3, default="", allow_blank=True, help_text="Of flows of money.")
    state = Choice(list(STATES), default="productive", help_text="What days must have some of.")
    price_group = Text(
        10, default="", allow_blank=True, help_text="For days: the payers that used it."
    )
    payer_region = Text(20, default="", allow_blank=True, help_text="The same; a code.")
    payer = Text(40, default="", allow_blank=True, help_text="The same; a code.")

    def get_fields(self) -> Any:
        return {
            "from": Day(help_text="The first local day."),
            "until": Day(help_text="The first local day no longer counted."),
            **super().get_fields(),
        }


def export_json(row: HoursExport) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "table": row.table,
        "format": row.format,
        "state": row.state,
        "asked": row.asked,
        "rows_done": row.rows_done,
        "rows_total": row.rows_total,
        "created_at": rfc3339(row.created_at),
        "ended_at": rfc3339(row.ended_at) if row.ended_at else None,
    }


def asked_in(data: dict[str, Any]) -> Asked:
    """`Invalid` for days out of order and for what a table cannot be summed up by."""
    span_of(data["from"], data["until"])
    by: tuple[str, ...] = ()
    if data["table"] == "hours":
        by = tuple(groups_of(data["by"]))
    elif data["table"] == "payers":
        named = (name.strip() for name in (data["by"] or "price_group").split(","))
        by = tuple(dict.fromkeys(name for name in named if name))
        if not set(by) <= set(PAYERS_BY):
            raise invalid("by", "unknown-choice", allowed=", ".join(PAYERS_BY))
    return Asked(
        since=data["from"],
        until=data["until"],
        narrowed={name: str(data[name]) for name in NARROWED_BY if data.get(name)},
        by=by,
        scheme=data["scheme"],
        measure=data["measure"],
        currency=data["currency"],
        state=data["state"] if data["table"] == "days" else "",
        payers={name: data[name] for name in PAYERS if data["table"] == "days" and data[name]},
    )


class HoursExports(Endpoint):
    needs_person = True

    @operation(
        "statistics_exports",
        _("Exports of hours"),
        tag="statistics",
        query=Pages,
        gives=page(HoursExportShape),
    )
    def get(self, request: Request) -> Response:
        """One's own, the newest first."""
        query = asked(Pages, request.query_params)
        return paginated(
            request,
            exports_of(self.actor),
            query,
            ("-created_at", "-pk"),
            lambda found: [export_json(row) for row in found],
        )

    @operation(
        "statistics_export_start",
        _("Start an export of hours"),
        tag="statistics",
        takes=HoursExportBody,
        gives=HoursExportShape,
        status=202,
        refuses=[409],
        once=True,
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Of what one may read, as the table's own address gives it; `days` for whoever reads
        hours. A worker writes it and keeps it a week; one person has five at work at most."""
        data = checked(HoursExportBody, request.data)
        wanted = asked_in(data)

        def start() -> Response:
            row = export_start(
                actor=self.actor,
                table=data["table"],
                format=data["format"],
                asked=wanted,
                now=self.now,
            )
            return Response(export_json(row), status=202)

        return self.once(start)


class HoursExportDetail(Endpoint):
    only_reads = True
    needs_person = True

    @operation(
        "statistics_export",
        _("Progress of an export of hours"),
        tag="statistics",
        gives=HoursExportShape,
        refuses=[404],
    )
    def get(self, request: Request, export_id: UUID) -> Response:
        """One's own."""
        return Response(export_json(export_for(self.actor, export_id)))


class HoursExportFile(FileEndpoint):
    @operation(
        "statistics_export_file",
        _("Download an export of hours"),
        tag="statistics",
        gives=OpenApiTypes.BINARY,
        media=["text/csv", XLSX],
        refuses=[404, 409],
    )
    def get(self, request: Request, export_id: UUID) -> HttpResponseBase:
        """Once it is done: CSV or XLSX, with what it was asked with."""
        job = export_for(self.actor, export_id)
        return FileResponse(
            export_open(job),
            as_attachment=True,
            filename=export_name(job),
            content_type=media_of(job.format),
        )
