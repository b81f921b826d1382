"""Statements: what a payer owes a host for a month."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request

from accounts.api.resource import OnPage, Resource, acts, reads
from accounts.api.schema import operation
from accounts.api.shapes import Day, Instant, Money, Number, Shape, Text, TextOrNull
from bookings.record.api.files import CSV, PDF, FileEndpoint
from bookings.record.api.lists import listed
from bookings.record.api.shapes import Month, PlainNumber
from bookings.settlement.adapters.sheets import statement_csv
from bookings.settlement.domain.statements import INTERNAL
from bookings.settlement.forms.money import ConvertBody, ConvertForm, VoidBody, VoidForm
from bookings.settlement.models import Statement
from bookings.settlement.selectors import statements
from bookings.settlement.selectors.books import check_statement
from bookings.settlement.selectors.papers import load_statement_paper
from bookings.settlement.services.exchange_rates import statement_convert
from bookings.settlement.services.papers import statement_file
from bookings.settlement.services.payments import Paid, statement_pay
from bookings.settlement.services.statements import statement_void


class StatementNumber(serializers.CharField):
    """The number of a statement, as it is printed."""

    def to_representation(self, statement: Any) -> str:
        return statements.number_of(statement)


class ShownAtShape(serializers.Serializer[Any]):
    """The stored rate at which an amount is shown in another currency."""

    exchange_rate = serializers.UUIDField(source="id")
    rate = PlainNumber()
    valid_on = serializers.DateField()
    source = serializers.CharField()  # type: ignore[assignment]


class StatementShape(serializers.Serializer[Any]):
    """A statement. `payable` is owed in the host's currency; `payer_payable` is the same for the payer's
    books, at a rate that its finance entered."""

    id = serializers.UUIDField()
    number = StatementNumber(source="*", help_text="As printed on the statement, such as `USTC-2026-0007`.")
    host = serializers.CharField(source="host.code")
    payer = serializers.CharField(source="payer.code")
    month = Month(help_text="Year and month, such as `2026-03`.")
    state = serializers.ChoiceField(statements.STATES, source="shown_state")
    charges = serializers.IntegerField(help_text="Number of charges.")
    tax = Money()
    total = Money()
    covered = Money(help_text="Paid by vouchers and settled between the regions.")
    payable = Money()
    paid = Money()
    issued_at = Instant()
    due_date = serializers.DateField(
        allow_null=True,
        source="shown_due",
        help_text="Null on an internal note, where payer and host are the same and nothing is to be paid.",
    )
    payer_payable = Money(allow_null=True, currency="payer_currency")
    shown_at = ShownAtShape(source="exchange_rate", allow_null=True)
    void_reason = TextOrNull()
    replaces = serializers.UUIDField(source="replaces_id", allow_null=True)
    replaced_by = serializers.UUIDField(source="replaced_by.pk", allow_null=True)
    version = serializers.IntegerField()


class StatementLineShape(serializers.Serializer[Any]):
    """A line of a statement, with one charge."""

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
    """The sums of the lines with one tax rate."""

    percent = PlainNumber()
    net = Money()
    tax = Money()
    total = Money()


class PaymentShape(serializers.Serializer[Any]):
    """A payment; an amount below 0 takes one back."""

    id = serializers.UUIDField()
    amount = Money()
    paid_on = serializers.DateField()
    reference = serializers.CharField()
    entered_at = Instant()


class FigureShape(serializers.Serializer[Any]):
    """A number as it is stored, and as the ledger's postings give it."""

    name = serializers.CharField()
    stored = serializers.CharField()
    posted = serializers.CharField()
    agrees = serializers.BooleanField()


class CheckShape(serializers.Serializer[Any]):
    """The numbers of a statement or settlement, computed again from the postings."""

    agrees = serializers.BooleanField()
    figures = FigureShape(many=True)


class OneStatementShape(StatementShape):
    lines = StatementLineShape(many=True, source="paper.lines")
    taxes = TaxShape(many=True, source="paper.taxes")
    payments = PaymentShape(many=True, source="paper.payments")
    ledger = CheckShape()


class PaymentBody(Shape):
    amount = Number(max_digits=18, decimal_places=3, help_text="A negative amount reverses that much.")
    paid_on = Day()
    reference = Text(100, default="", allow_blank=True, help_text="The bank's reference, or your own.")


def _page_of(statement_id: UUID) -> str:
    return reverse("bookings:money-statements-one", args=[statement_id])


class Statements(Resource):
    at, key, tag = "statements/", "statement_id", "money"
    name, many = "statement", "statements"
    shape, order = OneStatementShape, ("-issued_at", "-id")
    needs_person, page_name = True, "money-statements"

    def visible(self, pk: UUID) -> Any:
        """Return the statement with everything its paper shows, and the ledger."""
        row: Any = statements.statement_by_id(self.actor, pk)
        row.paper, row.ledger = load_statement_paper(row), check_statement(row)
        return row

    def prepared(self, rows: list[Any]) -> list[Any]:
        for row in rows:
            row.shown_state = statements.shown_state(row, self.now)
            row.shown_due = None if row.shown_state == INTERNAL else row.due_date
        return rows

    def location(self, row: Any) -> str:
        return ""

    @listed(_("Statements"), statements.STATEMENTS, gives=StatementShape)
    def rows(self, query: dict[str, Any]) -> QuerySet[Statement]:
        """Return the statements of organisations whose finance or managers you belong to, as payer or host,
        and of an auditor's regions; the newest first."""
        return statements.STATEMENTS.rows(self.actor).select_related("replaced_by")

    @reads(_("A statement"))
    def detail(self, pk: UUID) -> None:
        """Return a statement with its charges, sums by tax rate, payments, and every number computed again
        from the ledger's postings."""

    @OnPage(
        "bookings:money-statements-one",
        done=_("The statement is voided. This one bills its charges instead."),
        to=_page_of,
        form=VoidForm,
        name="void_form",
    )
    @acts(_("Void a statement"), VoidBody, status=201, sends={"reason": "The payer's name was wrong."})
    def void(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Void a statement on which nothing is paid, as the host's finance. Its number stays; the answer is
        the statement that bills its charges instead."""
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
        """Record a payment of all or part of the open amount, as the host's finance; an amount below 0 takes
        one back."""
        statement_pay(self.by, statement_id=pk, paid=Paid(**data))

    @OnPage(
        "bookings:money-statements-one",
        done=_("The statement is now shown at this rate."),
        form=ConvertForm,
        name="convert_form",
        below="rate",
    )
    @acts(_("Show a statement in the payer's currency"), ConvertBody, below="exchange-rate", named="_convert")
    def convert(self, pk: UUID, data: dict[str, Any]) -> None:
        """Show a statement in the payer's currency at a rate that the payer's finance has entered, while
        nothing is paid. Only the payer's finance may do this. The amount owed stays the same."""
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
        """Return the statement as PDF, in the requested language (`?lang=`)."""
        row = statements.statement_by_id(self.actor, statement_id)
        language = translation.get_language() or "en"
        content = statement_file(row, language=language)
        number = statements.number_of(row)
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
        """Return the statement as CSV with one row for each charge, in UTF-8 with a byte order mark."""
        row = statements.statement_by_id(self.actor, statement_id)
        number = statements.number_of(row)
        return self.file(statement_csv(load_statement_paper(row)), CSV, f"{number}.csv")
