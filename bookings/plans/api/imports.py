"""Importing a calendar that was kept elsewhere."""

import base64
import binascii
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.memberships import PersonShape
from accounts.api.resource import rendered
from accounts.api.schema import FieldProblemShape, operation
from accounts.api.shapes import Choice, Flag, Instant, Money, Shape, Text, checked, replaced_by, shown_by
from accounts.domain.errors import FieldProblem, invalid
from accounts.domain.roles import By
from bookings.catalogue.api.refusals import Refusals
from bookings.plans.adapters.tables import ENCODINGS
from bookings.plans.domain.imports import MOST_BYTES, ON_REFUSED, ImportReport, Result
from bookings.plans.selectors.imports import load_shown
from bookings.plans.services.imports import bookings_import
from bookings.questions.selectors.questions import owing_at_booking
from bookings.record.messages import sentence
from instruments.register.models import Instrument


def _problems(problems: Iterable[FieldProblem]) -> list[dict[str, str]]:
    return [{"field": p.field, "code": p.code, "message": sentence(p.code, p.numbers)} for p in problems]


Problems = shown_by(_problems, FieldProblemShape(many=True))


AsPerson = shown_by(dict, PersonShape)


class BookingImportRowShape(serializers.Serializer[Any]):
    """The outcome of a row. `refusals` come from the rules; `problems` concern the row itself or permissions,
    by column."""

    line = serializers.IntegerField(help_text="Line number in the file, from 1.")
    result = serializers.ChoiceField(
        [(result.value, result.value) for result in Result], source="result.value"
    )
    reference = serializers.CharField(help_text="Identifies the row in later imports.")
    instrument = serializers.UUIDField(allow_null=True)
    start = Instant(allow_null=True, source="period.start")
    end = Instant(allow_null=True, source="period.end")
    user = AsPerson(allow_null=True, default=None, help_text="Whose booking it is; null if not found.")
    person = serializers.UUIDField(allow_null=True, style=replaced_by("user"))
    needs_approval = serializers.BooleanField()
    total = Money(
        allow_null=True,
        source="quote.total",
        currency="quote.currency",
        help_text="With tax, before vouchers.",
    )
    payable = Money(
        allow_null=True, source="quote.payable", currency="quote.currency", help_text="After vouchers."
    )
    reservation = serializers.UUIDField(allow_null=True, help_text="Null in a dry run.")
    refusals = Refusals()
    problems = Problems()


class ImportReportShape(serializers.Serializer[Any]):
    """Every row of the file, in its order."""

    id = serializers.UUIDField(allow_null=True, help_text="Null if nothing was saved.")
    sha256 = serializers.CharField(help_text="SHA-256 digest of the file.")
    booked = serializers.IntegerField()
    unchanged = serializers.IntegerField(
        help_text="Number of rows skipped because they were imported before."
    )
    refused = serializers.IntegerField()
    owes_answers = serializers.SerializerMethodField(
        help_text="Whether owners' questions must be answered for some rows before check-in."
    )
    columns_ignored = serializers.ListField(child=serializers.CharField(), source="ignored")
    rows = BookingImportRowShape(many=True, source="outcomes")

    def get_owes_answers(self, report: ImportReport) -> bool:
        ids = {each.instrument for each in report.outcomes if each.instrument}
        return bool(ids and owing_at_booking(Instrument.objects.only("booking_questions").filter(pk__in=ids)))


def report_json(report: ImportReport) -> Any:
    """Return the report with the reservations that were made, by line."""
    answer = rendered(ImportReportShape, report)
    _instruments, people = load_shown(report)
    for row in answer["rows"]:
        reservation_id = report.reservation_ids.get(row["line"])
        row["reservation"] = reservation_id and str(reservation_id)
        row["user"] = rendered(PersonShape, people[UUID(row["person"])]) if row["person"] else None
    return answer


class BookingImportBody(Shape):
    organisation = Text(40, required=False, help_text="Who pays: a code. Your only one, unless named.")
    file = Text(
        MOST_BYTES * 4 // 3 + 4,
        help_text="The table as CSV or .xlsx, encoded in base64; at most 700 kB and 1000 rows.",
    )
    file_name = Text(200, required=False, allow_blank=True, default="")
    encoding = Choice(
        [(name, name) for name in ENCODINGS], default="utf-8", help_text="Text encoding of a CSV file."
    )
    on_refused = Choice(
        [(way, way) for way in ON_REFUSED],
        default="refuse",
        help_text="`refuse`: book all rows or none. `skip`: book only the rows that can be booked.",
    )
    dry_run = Flag(default=False, help_text="Only compute the result; nothing is saved.")


class ReservationsImport(Endpoint):
    write_scope = "book"
    needs_person = True

    @operation(
        "reservations_import",
        _("Import bookings from a file"),
        tag="reservations",
        takes=BookingImportBody,
        gives=ImportReportShape,
        status=201,
        also={200: ImportReportShape},
        refuses=[404, 422],
        once=True,
        sends={
            "organisation": "wusong-tech",
            "file": "aW5zdHJ1bWVudCxzdGFydHMsZW5kcyxyZWZlcmVuY2UNClRFTSwyMDI2LTAzLTA5IDA5OjAwLDIw"
            "MjYtMDMtMDkgMTE6MDAsQi0xNw0K",
            "file_name": "bookings.csv",
            "on_refused": "skip",
            "dry_run": True,
        },
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Import bookings from a table whose first line names its columns: `instrument` (id, identifier,
        number or name), `starts`, `ends` or `minutes`, and optionally `person` (an e-mail address; empty:
        yourself), `service mode`, `purpose`, `subject`, `options`, `samples`, `quantity`, `reference`;
        Chinese names work as well. Times are in the instrument's time zone unless they have an offset. Every
        row is booked by the same rules and permissions as a single booking, counting the rows before it;
        rules cannot be overridden here. A row whose reference was already imported for this payer is left
        alone, so the same file may be sent twice.

        With `dry_run` 200 and the result of each row. Otherwise 201; 200 if the file contained nothing new;
        or 422 with all rows if some are refused.
        """
        data = checked(BookingImportBody, request.data)
        try:
            content = base64.b64decode(data["file"], validate=True)
        except (binascii.Error, ValueError):
            raise invalid("file", "not-base64") from None

        def act() -> Response:
            report = bookings_import(
                By(self.actor, self.now),
                content=content,
                file_name=data["file_name"],
                organisation=data.get("organisation"),
                on_refused=data["on_refused"],
                dry_run=data["dry_run"],
                encoding=data["encoding"],
            )
            return Response(report_json(report), status=201 if report.id else 200)

        return self.once(act)
