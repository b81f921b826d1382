"""Bringing in regions and organisations from a file."""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.schema import FieldProblemShape, operation
from accounts.api.shapes import Flag, Shape, Text, checked
from accounts.domain.errors import invalid
from bookings.organisations.domain.register_files import Outcome, RegisterReport, Result
from bookings.organisations.services.register_imports import organisations_import, regions_import
from bookings.plans.domain.imports import MOST_BYTES
from bookings.record.messages import sentence


class RegisterChangeShape(serializers.Serializer[Any]):
    """One field of a record that a row changes."""

    field = serializers.CharField()
    before = serializers.JSONField()
    after = serializers.JSONField()


class RegisterRowShape(serializers.Serializer[Any]):
    """What becomes of a row. `problems` are by column."""

    line = serializers.IntegerField(help_text="Line in the file, from 1.")
    result = serializers.ChoiceField([(result.value, result.value) for result in Result])
    code = serializers.CharField()
    name = serializers.CharField()
    changes = RegisterChangeShape(many=True)
    problems = FieldProblemShape(many=True)


class RegisterReportShape(serializers.Serializer[Any]):
    """Every row of the file, in its order."""

    new = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = serializers.IntegerField()
    columns_ignored = serializers.ListField(child=serializers.CharField())
    rows = RegisterRowShape(many=True)


class RegisterImportBody(Shape):
    file = Text(
        MOST_BYTES * 4 // 3 + 4,
        help_text="The table, CSV or .xlsx, in base64; at most 700 kB and 1000 rows.",
    )
    dry_run = Flag(default=False, help_text="Only say what would become of each row.")


def register_report_json(report: RegisterReport) -> dict[str, Any]:
    return {
        "new": report.new,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "refused": report.refused,
        "columns_ignored": list(report.ignored),
        "rows": [_row_json(outcome) for outcome in report.outcomes],
    }


def _row_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "line": outcome.line,
        "result": outcome.result.value,
        "code": outcome.code,
        "name": outcome.name,
        "changes": [
            {"field": field, "before": before, "after": after}
            for field, before, after in outcome.changes
        ],
        "problems": [
            {"field": p.field, "code": p.code, "message": sentence(p.code, p.numbers)}
            for p in outcome.problems
        ],
    }


class RegisterImport(Endpoint):
    needs_person = True

    def answer(self, request: Request, act: Callable[..., RegisterReport]) -> HttpResponseBase:
        data = checked(RegisterImportBody, request.data)
        try:
            content = base64.b64decode(data["file"], validate=True)
        except (binascii.Error, ValueError):
            raise invalid("file", "not-base64") from None

        def run() -> Response:
            report = act(actor=self.actor, content=content, dry_run=data["dry_run"], now=self.now)
            return Response(register_report_json(report))

        return self.once(run)


class OrganisationsImport(RegisterImport):
    @operation(
        "organisations_import",
        _("Import organisations from a file"),
        tag="reference",
        takes=RegisterImportBody,
        gives=RegisterReportShape,
        refuses=[422],
        once=True,
        sends={
            "file": "Y29kZSxuYW1lLGtpbmQscmVnaW9uCmZpcnN0LHVuaXZlcnNpdHksdW5pdmVyc2l0eSxDTi1BSAo=",
            "dry_run": True,
        },
    )
    def post(self, request: Request) -> HttpResponseBase:
        """A table whose first line names its columns: `code, name, name_zh, kind, is_small,
        region, ror, legal_name, address, tax_number, bank_account, invoice_email`; Chinese names
        do as well. A row whose code stands changes that organisation, any other enters one; an
        empty cell leaves what is stored. Coordinators those of their regions, administrators
        all. All rows or none: 422 with every row where one is refused. The same file again
        changes nothing."""
        return self.answer(request, organisations_import)


class RegionsImport(RegisterImport):
    @operation(
        "regions_import",
        _("Import regions from a file"),
        tag="reference",
        takes=RegisterImportBody,
        gives=RegisterReportShape,
        refuses=[422],
        once=True,
        sends={"file": "c2NoZW1lLGNvZGUKaXNvLTMxNjYtMixDTi1KUwo=", "dry_run": True},
    )
    def post(self, request: Request) -> HttpResponseBase:
        """As organisations, for administrators, with the columns `scheme, code, parent, name,
        name_zh, time_zone, currency, holiday_calendar, shares`. Of a place in a shipped list the
        code is enough. Parents stand before what lies in them."""
        return self.answer(request, regions_import)
