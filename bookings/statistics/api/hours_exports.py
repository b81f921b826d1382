"""Tables of hours as files that a worker writes."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request

from accounts.api.resource import Resource, creates, lists, reads
from accounts.api.schema import operation
from accounts.api.shapes import Choice, Day, Instant, Shape, Text
from accounts.domain.errors import invalid
from bookings.catalogue.api.asking import codes_in
from bookings.hours.domain.norms import FIRST, USUAL_SCHEME
from bookings.hours.selectors.hours import BY
from bookings.record.api.files import FileEndpoint
from bookings.statistics.adapters.reports import MEDIA
from bookings.statistics.api.hours import narrowed_in, span_of
from bookings.statistics.models import HoursExport
from bookings.statistics.selectors.flows import MEASURES
from bookings.statistics.selectors.payers import PAYERS_BY
from bookings.statistics.selectors.tables import PAYERS, STATES, TABLES, TableQuery
from bookings.statistics.services import exports

FORMATS = ("csv", "xlsx", "pdf", "docx")
ASKED = (*TABLES, exports.REPORT)


class HoursExportShape(serializers.Serializer[Any]):
    """A table that a worker writes: download `file/` once it is `done`. `asked` is the query; `rows_total` is
    0 if it is not known before the end."""

    id = serializers.UUIDField()
    table = serializers.ChoiceField(ASKED)
    format = serializers.ChoiceField(FORMATS)
    state = serializers.ChoiceField(HoursExport.State.choices)
    asked = serializers.DictField()
    rows_done = serializers.IntegerField()
    rows_total = serializers.IntegerField()
    created_at = Instant()
    ended_at = Instant(allow_null=True)


class HoursExportBody(Shape):
    table = Choice(
        list(ASKED),
        help_text="`days` lists the instrument days behind a figure; `report` is that of a whole year about"
        " one region, organisation, facility or instrument.",
    )
    format = Choice(
        list(FORMATS), default="csv", help_text="Tables: csv or xlsx; the report: pdf, docx or xlsx."
    )
    by = Text(
        100,
        default="",
        allow_blank=True,
        help_text="Grouping of the tables of hours and payers, separated by commas.",
    )
    region = Text(20, default="", allow_blank=True)
    organisation = Text(40, default="", allow_blank=True)
    facility = serializers.UUIDField(required=False)
    instrument = serializers.UUIDField(required=False)
    technique = Text(60, default="", allow_blank=True)
    scheme = Choice(list(FIRST), default=USUAL_SCHEME)
    measure = Choice(list(MEASURES), default="hours", help_text="What the table of flows measures.")
    currency = Text(3, default="", allow_blank=True, help_text="Currency, if flows of money are measured.")
    state = Choice(list(STATES), default="productive", help_text="Only days with some time in this state.")
    price_group = Text(
        10,
        default="",
        allow_blank=True,
        help_text="For `days`: only days on which this price group used the instrument.",
    )
    payer_region = Text(
        20,
        default="",
        allow_blank=True,
        help_text="For `days`: code of a region whose organisations used it.",
    )
    payer = Text(
        40,
        default="",
        allow_blank=True,
        help_text="For `days`: id of an organisation that used it; its code for one version and a year.",
    )

    def get_fields(self) -> Any:
        return {
            "from": Day(help_text="First day counted, in local time."),
            "until": Day(help_text="First day that is no longer counted, in local time."),
            **super().get_fields(),
        }


def query_in(data: dict[str, Any]) -> TableQuery:
    """Return the query of a body; raise `Invalid` for days that are not in order, and for groups that the
    table does not have."""
    span_of(data["from"], data["until"])
    by: tuple[str, ...] = ()
    if data["table"] == "hours":
        by = tuple(codes_in(data["by"], "by", BY))
    elif data["table"] == "payers":
        named = (name.strip() for name in (data["by"] or "price_group").split(","))
        by = tuple(dict.fromkeys(name for name in named if name))
        if not set(by) <= set(PAYERS_BY):
            raise invalid("by", "unknown-choice", allowed=", ".join(PAYERS_BY))
    return TableQuery(
        since=data["from"],
        until=data["until"],
        narrowed={name: str(value) for name, value in narrowed_in(data).items()},
        by=by,
        scheme=data["scheme"],
        measure=data["measure"],
        currency=data["currency"],
        state=data["state"] if data["table"] == "days" else "",
        payers={name: data[name] for name in PAYERS if data["table"] == "days" and data[name]},
    )


class HoursExports(Resource):
    at, key, tag, needs_person = "statistics/exports/", "export_id", "statistics", True
    name, many, shape = "statistics_export", "statistics_exports", HoursExportShape

    def visible(self, pk: UUID) -> HoursExport:
        return exports.export_for(self.actor, pk)

    @lists(_("Exports of hours"))
    def rows(self, query: dict[str, Any]) -> QuerySet[HoursExport]:
        """Return your own exports, the newest first."""
        return exports.exports_of(self.actor)

    @creates(_("Start an export of hours"), HoursExportBody, named="_start", status=202, refuses=[409])
    def start(self, data: dict[str, Any]) -> HoursExport:
        """Start an export of figures that you may read, with the parameters of the table's own address;
        `days` only for people who read hours. A worker writes the file and keeps it for a week; at most five
        exports of a person are in progress."""
        table, form = data["table"], data["format"]
        return exports.export_start(self.by, table=table, format=form, query=query_in(data))

    @reads(_("Progress of an export of hours"))
    def detail(self, pk: UUID) -> None:
        """Return one of your own exports."""


class HoursExportFile(FileEndpoint):
    @operation(
        "statistics_export_file",
        _("Download an export of hours"),
        tag="statistics",
        gives=OpenApiTypes.BINARY,
        media=["text/csv", *MEDIA.values()],
        refuses=[404, 409],
    )
    def get(self, request: Request, export_id: UUID) -> HttpResponseBase:
        """Return the finished file. Tables state the query as well."""
        job = exports.export_for(self.actor, export_id)
        return FileResponse(
            exports.export_open(job),
            as_attachment=True,
            filename=exports.export_name(job),
            content_type=exports.media_of(job.format),
        )
