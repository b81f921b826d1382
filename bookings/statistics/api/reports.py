"""A year's report, through the API."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.schema import operation
from accounts.api.shapes import Query, Text, Whole, query_values
from accounts.replica import from_replica
from bookings.statistics.domain.reports import FIRST_YEAR, LAST_YEAR, Cell, Report
from bookings.statistics.selectors.reports import ABOUT, load_report


class ReportQuery(Query):
    year = Whole(min_value=FIRST_YEAR, max_value=LAST_YEAR)
    region = Text(20, default="", help_text="Code of a region; the regions within it are included.")
    organisation = Text(40, default="", help_text="Code of the host organisation.")
    facility = serializers.UUIDField(required=False)
    instrument = serializers.UUIDField(required=False)


class SectionShape(serializers.Serializer[Any]):
    """A table of the report. Values of the kind `hours` are minutes, `percent` fractions; decimals are
    strings, null where there is no denominator."""

    code = serializers.CharField()
    title = serializers.CharField()
    heads = serializers.ListField(child=serializers.DictField())
    rows = serializers.ListField(child=serializers.ListField())
    notes = serializers.ListField(child=serializers.CharField())


class ReportShape(serializers.Serializer[Any]):
    """The report of a year in the language of the request."""

    title = serializers.CharField()
    subtitle = serializers.CharField()
    facts = serializers.ListField(child=serializers.ListField())
    sections = SectionShape(many=True)


class YearReport(Endpoint):
    @from_replica
    @operation(
        "statistics_report",
        _("Report of a year"),
        tag="statistics",
        query=ReportQuery,
        gives=ReportShape,
        refuses=[404],
    )
    def get(self, request: Request) -> Response:
        """Return the report of a year about exactly one instrument, facility, organisation or region: for
        managers and finance of the host, auditors and coordinators of the region; money for those who read
        it. As PDF, DOCX or XLSX a worker writes it: `POST statistics/exports/` with `table` `report` and the
        days of the year."""
        query = query_values(ReportQuery, request.query_params)
        about = {name: str(query[name]) for name in ABOUT if query.get(name)}
        year = query["year"]
        return Response(report_json(load_report(self.actor, about, date(year, 1, 1), date(year + 1, 1, 1))))


def report_json(report: Report) -> dict[str, Any]:
    """Return a report as `ReportShape` describes it."""
    return {
        "title": report.title,
        "subtitle": report.subtitle,
        "facts": [list(fact) for fact in report.facts],
        "sections": [
            {
                "code": section.code,
                "title": section.title,
                "heads": [vars(head) for head in section.heads],
                "rows": [[_plain(value) for value in row] for row in section.rows],
                "notes": list(section.notes),
            }
            for section in report.sections
        ],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Cell):
        value = value.value
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date) else value
