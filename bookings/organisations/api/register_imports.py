"""Importing regions and organisations from a file."""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import Resource, acts
from accounts.api.shapes import Flag, Shape, Text
from accounts.domain.errors import invalid
from bookings.organisations.domain.register_files import RegisterReport, Result
from bookings.organisations.services.register_imports import organisations_import, regions_import
from bookings.plans.domain.imports import MOST_BYTES
from bookings.record.api.shapes import FieldProblems


class RegisterChangeShape(serializers.Serializer[Any]):
    """One field of a record, as a row changes it."""

    field = serializers.CharField()
    before = serializers.JSONField()
    after = serializers.JSONField()

    def to_representation(self, change: Any) -> dict[str, Any]:
        return dict(zip(self.fields, change, strict=True))


class RegisterRowShape(serializers.Serializer[Any]):
    """The outcome of a row; its `problems` are listed by column."""

    line = serializers.IntegerField(help_text="Line number in the file, from 1.")
    result = serializers.ChoiceField([(result.value, result.value) for result in Result])
    code = serializers.CharField()
    name = serializers.CharField()
    changes = RegisterChangeShape(many=True)
    problems = FieldProblems()


class RegisterReportShape(serializers.Serializer[Any]):
    """Every row of the file, in its order."""

    new = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = serializers.IntegerField()
    columns_ignored = serializers.ListField(child=serializers.CharField(), source="ignored")
    rows = RegisterRowShape(many=True, source="outcomes")


class RegisterImportBody(Shape):
    file = Text(
        MOST_BYTES * 4 // 3 + 4,
        help_text="The table as CSV or .xlsx, encoded in base64; at most 700 kB and 1000 rows.",
    )
    dry_run = Flag(default=False, help_text="Only report the result of each row; nothing is saved.")


HOW: dict[str, Any] = {"gives": RegisterReportShape, "refuses": [422], "versioned": False}


class RegisterImports(Resource):
    at, name, tag = "imports/", "import", "reference"
    needs_person = True

    @acts(
        _("Import organisations from a file"),
        RegisterImportBody,
        below="*organisations",
        address="api-organisations-import",
        named="organisations_import",
        sends={
            "file": "Y29kZSxuYW1lLGtpbmQscmVnaW9uCmZpcnN0LHVuaXZlcnNpdHksdW5pdmVyc2l0eSxDTi1BSAo=",
            "dry_run": True,
        },
        **HOW,
    )
    def organisations(self, data: dict[str, Any]) -> RegisterReport:
        """Import organisations from a table whose first line names its columns: `code, name, name_zh, kind,
        is_small, region, ror, legal_name, address, tax_number, bank_name, account_number,
        iban, bic, bank_account, invoice_email, order_number`; Chinese names
        work as well. A row whose code exists changes that organisation, any other row creates one; an empty
        cell leaves what is stored. Coordinators import those of their regions, administrators all. Either all
        rows are imported or none: 422 with every row if one is refused. Sending the same file again changes
        nothing."""
        return self._brought_in(organisations_import, data)

    @acts(
        _("Import regions from a file"),
        RegisterImportBody,
        below="*regions",
        address="api-regions-import",
        named="regions_import",
        sends={"file": "c2NoZW1lLGNvZGUKaXNvLTMxNjYtMixDTi1KUwo=", "dry_run": True},
        **HOW,
    )
    def regions(self, data: dict[str, Any]) -> RegisterReport:
        """Import regions as organisations are imported, with the columns `scheme, code, parent, name,
        name_zh, time_zone, currency, holiday_calendar, shares`. Only administrators may do this. For a place
        in a shipped list the code is enough. Parents come before the regions in them."""
        return self._brought_in(regions_import, data)

    def _brought_in(self, bring_in: Callable[..., RegisterReport], data: dict[str, Any]) -> RegisterReport:
        try:
            content = base64.b64decode(data["file"], validate=True)
        except (binascii.Error, ValueError):
            raise invalid("file", "not-base64") from None
        return bring_in(self.by, content=content, dry_run=data["dry_run"])
