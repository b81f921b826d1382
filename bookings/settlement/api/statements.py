"""Statements: what a payer owes a host for a month."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request

from accounts.api.pagination import Pages
from accounts.api.resource import Resource, acts, lists, reads
from accounts.api.schema import operation
from accounts.api.shapes import Choice, Day, Instant, Money, Number, Shape, Text, TextOrNull
from bookings.record.api.files import CSV, PDF, FileEndpoint
from bookings.record.api.shapes import Month, PlainNumber, month_named
from bookings.settlement.adapters.sheets import statement_csv
from bookings.settlement.domain.statements import OVERDUE, statement_number
from bookings.settlement.models import Statement
from bookings.settlement.selectors.books import check_statement
from bookings.settlement.selectors.papers import load_statement_paper
from bookings.settlement.selectors.statements import (
    in_state,
    shown_state,
    statement_by_id,
    statements_for,
)
from bookings.settlement.services.exchange_rates import statement_convert
from bookings.settlement.services.papers import statement_file
from bookings.settlement.services.payments import Paid, statement_pay
from bookings.settlement.services.statements import statement_void

STATES = [*Statement.State.choices, (OVERDUE, _("overdue"))]


class StatementNumber(serializers.CharField):
    """The number of a statement, as it is printed."""

    def to_representation(self, statement: Any) -> str:
        return statement_number(statement.host.code, statement.year, statement.number)


class ShownAtShape(serializers.Serializer[Any]):
    """At which stored rate an amount is shown in another currency."""

    exchange_rate = serializers.UUIDField(source="id")
    rate = PlainNumber()
    valid_on = serializers.DateField()
    source = serializers.CharField()  # type: ignore[assignment]


class StatementShape(serializers.Serializer[Any]):
    """`payable` is owed in the host's currency; `payer_payable` is the same for the payer's
    books, at a rate that its finance entered."""

    id = serializers.UUIDField()
    number = StatementNumber(source="*", help_text="As printed on the statement: `USTC-2026-0007`.")
    host = serializers.CharField(source="host.code")
    payer = serializers.CharField(source="payer.code")
    month = Month(help_text="`2026-03`")
    state = serializers.ChoiceField(STATES, source="shown_state")
    charges = serializers.IntegerField(help_text="How many.")
    tax = Money()
    total = Money()
    covered = Money(help_text="Paid by vouchers; settled between the regions.")
    payable = Money()
    paid = Money()
    issued_at = Instant()
    due_date = serializers.DateField()
    payer_payable = Money(allow_null=True, currency="payer_currency")
    shown_at = ShownAtShape(source="exchange_rate", allow_null=True)
    void_reason = TextOrNull()
    replaces = serializers.UUIDField(source="replaces_id", allow_null=True)
    replaced_by = serializers.UUIDField(source="replaced_by.pk", allow_null=True)
    version = serializers.IntegerField()


class StatementLineShape(serializers.Serializer[Any]):
    """One charge."""

    position = serializers.IntegerField()
    charge = serializers.UUIDField()
    reservation = serializers.UUIDField()
    instrument_name = serializers.CharField(source="instrument")
    kind = serializers.CharField()
    start = Instant()
    end = Instant()
    tax_percent = PlainNumber()
    net = Money()
    tax = Money()
    total = Money()
    covered = Money()
    payable = Money()


class TaxShape(serializers.Serializer[Any]):
    """What the lines of one tax rate come to."""

    percent = PlainNumber()
    net = Money()
    tax = Money()
    total = Money()


class PaymentShape(serializers.Serializer[Any]):
    """Below 0: taken back."""

    id = serializers.UUIDField()
    amount = Money()
    paid_on = serializers.DateField()
    reference = serializers.CharField()
    entered_at = Instant()


class FigureShape(serializers.Serializer[Any]):
    """A number as it is stored, and as the ledger's postings say it."""

    name = serializers.CharField()
    stored = serializers.CharField()
    posted = serializers.CharField()
    agrees = serializers.BooleanField()


class CheckShape(serializers.Serializer[Any]):
    """Every number computed again from the postings."""

    agrees = serializers.BooleanField()
    figures = FigureShape(many=True)


class OneStatementShape(StatementShape):
    lines = StatementLineShape(many=True, source="paper.lines")
    taxes = TaxShape(many=True, source="paper.taxes")
    payments = PaymentShape(many=True, source="paper.payments")
    ledger = CheckShape()


class StatementQuery(Pages):
    host = Text(40, default="", help_text="The host's code.")
    payer = Text(40, default="", help_text="The payer's code.")
    month = Text(7, default="", help_text="`2026-03`")
    state = Choice(STATES, required=False)


class VoidBody(Shape):
    reason = Text(500, help_text="Why; the payer reads it.")


class PaymentBody(Shape):
    amount = Number(max_digits=18, decimal_places=3, help_text="Below 0: this much is reversed.")
    paid_on = Day()
    reference = Text(100, default="", allow_blank=True, help_text="The bank's, or your own.")


class ConvertBody(Shape):
    exchange_rate = serializers.UUIDField()


class Statements(Resource):
    at, key, tag = "statements/", "statement_id", "money"
    name, many = "statement", "statements"
    shape, order = OneStatementShape, ("-issued_at", "-id")
    needs_person = True

    def visible(self, pk: UUID) -> Any:
        """With all that its paper says, and the ledger."""
        row: Any = statement_by_id(self.actor, pk)
        row.paper, row.ledger = load_statement_paper(row), check_statement(row)
        return row

    def prepared(self, rows: list[Any]) -> list[Any]:
        for row in rows:
            row.shown_state = shown_state(row, self.now)
        return rows

    def location(self, row: Any) -> str:
        return ""

    @lists(_("Statements"), StatementQuery, gives=StatementShape)
    def rows(self, query: dict[str, Any]) -> QuerySet[Statement]:
        """Of organisations whose finance or manager the person is, as payer or host, and of an
        auditor's regions; the newest first."""
        rows = statements_for(self.actor).select_related("replaced_by")
        for side in ("host", "payer"):
            if query[side]:
                rows = rows.filter(**{f"{side}__code": query[side]})
        if query["month"]:
            rows = rows.filter(month=month_named(query["month"]))
        return in_state(rows, query["state"], self.now.date()) if "state" in query else rows

    @reads(_("One statement"))
    def detail(self, pk: UUID) -> None:
        """With its charges, sums by tax rate, payments, and every number computed again from
        the ledger's postings."""

    @acts(
        _("Void a statement"), VoidBody, status=201, sends={"reason": "The payer's name was wrong."}
    )
    def void(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """For the host's finance, while nothing is paid on it. Its number stays; the answer is
        the statement that bills its charges instead."""
        statement_by_id(self.actor, pk)
        return statement_void(self.by, statement_id=pk, **data).pk

    @acts(
        _("Mark a payment on a statement"),
        PaymentBody,
        below="payments",
        named="_pay",
        status=201,
        sends={"amount": "674.50", "paid_on": "2026-04-12", "reference": "Bank 4711"},
    )
    def pay(self, pk: UUID, data: dict[str, Any]) -> None:
        """For the host's finance: the whole or a part of what is still to pay, or with an amount
        below 0 what is taken back."""
        statement_by_id(self.actor, pk)
        statement_pay(self.by, statement_id=pk, paid=Paid(**data))

    @acts(
        _("Show a statement in the payer's currency"),
        ConvertBody,
        below="exchange-rate",
        named="_convert",
    )
    def convert(self, pk: UUID, data: dict[str, Any]) -> None:
        """For the payer's finance, at a rate it has entered, while nothing is paid. What is owed
        stays what it is."""
        statement_by_id(self.actor, pk)
        statement_convert(self.by, statement_id=pk, rate_id=data["exchange_rate"])


class StatementPdf(FileEndpoint):
    @operation(
        "statement_pdf",
        _("A statement as PDF"),
        tag="money",
        gives=OpenApiTypes.BINARY,
        media=PDF,
        refuses=[404],
    )
    def get(self, request: Request, statement_id: UUID) -> HttpResponse:
        """In the language asked for (`?lang=`)."""
        row = statement_by_id(self.actor, statement_id)
        language = translation.get_language() or "en"
        content = statement_file(row, language=language)
        number = statement_number(row.host.code, row.year, row.number)
        return self.file(content, PDF, f"{number}.pdf")


class StatementCsv(FileEndpoint):
    @operation(
        "statement_csv",
        _("A statement as CSV"),
        tag="money",
        gives=OpenApiTypes.BINARY,
        media=CSV,
        refuses=[404],
    )
    def get(self, request: Request, statement_id: UUID) -> HttpResponse:
        """One row a charge, in UTF-8 with a byte order mark."""
        row = statement_by_id(self.actor, statement_id)
        number = statement_number(row.host.code, row.year, row.number)
        return self.file(statement_csv(load_statement_paper(row)), CSV, f"{number}.csv")
