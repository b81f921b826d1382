"""Auditors' reports of a year, and archives of working papers."""

from datetime import date
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
from accounts.api.resource import Resource, creates, reads
from accounts.api.schema import operation
from accounts.api.shapes import Choice, Day, Instant, Query, Shape, Text, Whole, query_values
from accounts.domain.roles import By
from accounts.permissions import require_somewhere
from bookings.audit.models import AuditPaper
from bookings.audit.selectors.audit import AUDIT
from bookings.audit.selectors.papers import paper_for, year_report
from bookings.audit.services.papers import Wanted, paper_media, paper_name, paper_open, paper_start
from bookings.record.api.files import FileEndpoint
from bookings.statistics.api.reports import ReportShape, report_json
from bookings.statistics.domain.reports import FIRST_YEAR, LAST_YEAR


class AuditReportQuery(Query):
    year = Whole(min_value=FIRST_YEAR, max_value=LAST_YEAR)
    region = Text(20, help_text="Code of a region that you audit; the regions within it are included.")


class AuditReport(Endpoint):
    needs_person = True
    only_reads = True

    @operation(
        "audit_report",
        _("Auditor's report of a year"),
        tag="audit",
        query=AuditReportQuery,
        gives=ReportShape,
        refuses=[403, 404],
    )
    def get(self, request: Request) -> Response:
        """Return the auditor's report of a year about a region: what was examined, exceptions and what was
        decided, findings, actions, money and hours, seals. As PDF, DOCX or XLSX a worker writes it:
        `POST audit/papers/` with the subject `year`."""
        query = query_values(AuditReportQuery, request.query_params)
        require_somewhere(self.actor, AUDIT)
        return Response(report_json(year_report(self.actor, query["region"], query["year"], self.now)))


class PaperShape(serializers.Serializer[Any]):
    """A file that a worker writes: fetch `file/` once it is `done`. `digest` is its SHA-256."""

    id = serializers.UUIDField()
    subject = serializers.ChoiceField(AuditPaper.Subject.choices)
    format = serializers.ChoiceField(AuditPaper.Format.choices)
    region = serializers.CharField(source="region.code", allow_null=True)
    since = serializers.DateField(allow_null=True)
    until = serializers.DateField(allow_null=True)
    finding = serializers.UUIDField(source="finding_id", allow_null=True)
    sample = serializers.UUIDField(source="sample_id", allow_null=True)
    state = serializers.ChoiceField(AuditPaper.State.choices)
    digest = serializers.CharField()
    created_at = Instant()


class PaperBody(Shape):
    subject = Choice(AuditPaper.Subject.choices)
    format = Choice(
        AuditPaper.Format.choices,
        default="zip",
        help_text="The report of a year: pdf, docx or xlsx; all working papers: zip.",
    )
    region = Text(20, default="", allow_blank=True, help_text="For `year` and `period`: its code.")
    year = Whole(min_value=FIRST_YEAR, max_value=LAST_YEAR, required=False, help_text="For `year`.")
    since = Day(required=False, allow_null=True, help_text="For `period`.")
    until = Day(required=False, allow_null=True, help_text="For `period`: the first day after it.")
    finding = serializers.UUIDField(required=False, allow_null=True)
    sample = serializers.UUIDField(required=False, allow_null=True)


class Papers(Resource):
    at, key, tag, needs_person = "audit/papers/", "paper_id", "audit", True
    name, many, shape = "audit_paper", "audit_papers", PaperShape

    def visible(self, pk: UUID) -> AuditPaper:
        return paper_for(self.actor, pk)

    @creates(_("Start a report or working papers"), PaperBody, named="_start", status=202, refuses=[404, 409])
    def start(self, data: dict[str, Any]) -> AuditPaper:
        """Request a file, as an auditor: the report of a year about a region, or an archive with the working
        papers of a finding, a sample or a period of at most a year. A worker writes it, and it is kept for a
        week."""
        for name in ("finding", "sample"):
            data[f"{name}_id"] = data.pop(name, None)
        if (year := data.pop("year", None)) and data["subject"] == AuditPaper.Subject.YEAR:
            data |= {"since": date(year, 1, 1), "until": date(year + 1, 1, 1)}
        return paper_start(self.by, wanted=Wanted(**data))

    @reads(_("Progress of a report or working papers"))
    def detail(self, pk: UUID) -> None:
        """Return the progress of your own file."""


class PaperFile(FileEndpoint):
    @operation(
        "audit_paper_file",
        _("Download a report or working papers"),
        tag="audit",
        gives=OpenApiTypes.BINARY,
        media="application/zip",
        refuses=[404, 409],
    )
    def get(self, request: Request, paper_id: UUID) -> HttpResponseBase:
        """Return the finished file. The trail has each download."""
        row, file = paper_open(By(self.actor, self.now), paper_id=paper_id)
        return FileResponse(file, as_attachment=True, filename=paper_name(row), content_type=paper_media(row))
