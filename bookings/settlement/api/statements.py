"""Statements: what a payer owes a host for a month."""

from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request

from accounts.api.memberships import PersonShape
from accounts.api.resource import OnPage, Resource, acts, reads, rendered
from accounts.api.schema import operation
from accounts.api.shapes import (
    Amount,
    Day,
    Instant,
    ListOf,
    Money,
    Number,
    Shape,
    Text,
    TextOrNull,
    replaced_by,
    shown_by,
)
from accounts.domain.currencies import in_decimals
from bookings.record.api.files import CSV, PDF, XML, FileEndpoint
from bookings.record.api.lists import listed
from bookings.record.api.shapes import Month, PlainNumber
from bookings.settlement.adapters.sheets import statement_csv
from bookings.settlement.domain.statements import MOST_REMINDED
from bookings.settlement.forms import money as forms
from bookings.settlement.models import Statement
from bookings.settlement.selectors import statements
from bookings.settlement.selectors.books import check_statement
from bookings.settlement.selectors.papers import PaperLine, load_statement_paper, reads_sources, sources_of
from bookings.settlement.services.exchange_rates import statement_convert
from bookings.settlement.services.papers import e_invoice_file, statement_file
from bookings.settlement.services.payments import Paid, statement_pay
from bookings.settlement.services.statements import (
    statement_remind,
    statement_set_invoice_number,
    statement_set_order_number,
    statement_void,
    statements_remind_chosen,
)


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
    payer = serializers.CharField(source="payer.code", style=replaced_by("payer_id", "payer_code"))
    payer_id = serializers.UUIDField()
    payer_code = serializers.CharField(source="payer.code")
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
        help_text="Null where nothing is to be paid: on a void statement, and on an internal note, where "
        "payer and host are the same.",
    )
    payer_payable = Money(allow_null=True, currency="payer_currency")
    shown_at = ShownAtShape(source="exchange_rate", allow_null=True)
    order_number = TextOrNull(help_text="The payer's.")
    invoice_number = TextOrNull(
        help_text="Of the fapiao or electronic invoice: the statement is not a tax invoice."
    )
    reminded_at = Instant(allow_null=True, help_text="When the payer was last reminded that it is overdue.")
    void_reason = TextOrNull()
    replaces = serializers.UUIDField(source="replaces_id", allow_null=True)
    replaced_by = serializers.UUIDField(source="replaced_by.pk", allow_null=True)
    version = serializers.IntegerField()
    modified = Instant(
        help_text="When it was changed last, by the clock of the database: for `updated_since`."
    )


class StatementItemShape(serializers.Serializer[Any]):
    """A line of a price: the quantity is in minutes or in pieces, the unit price that of an hour or a
    piece."""

    kind = serializers.CharField(help_text="usage, training, setup, option, agreement, bid or fee.")
    name = TextOrNull(default="", help_text="Of the option or the time of day.")
    minutes = serializers.IntegerField(default=None, allow_null=True)
    quantity = TextOrNull(default="")
    unit = TextOrNull(default="", help_text="Of an option: `hour` or `each`.")
    unit_price = Amount(default=None, allow_null=True)
    multiplier = TextOrNull(default="")
    percent = TextOrNull(default="")
    base = Amount(
        default=None,
        allow_null=True,
        help_text="Of a fee: the price without options, of which it is a share.",
    )
    amount = Amount()


def items_shown(line: PaperLine) -> list[Any]:
    """Return the lines of a charge's price, with unit prices in the decimals of the currency."""
    prices = (item.get("rate") or item.get("price") for item in line.items)
    shown = (price and in_decimals(Decimal(price), line.currency) for price in prices)
    items = ({**item, "unit_price": price} for item, price in zip(line.items, shown, strict=True))
    return [rendered(StatementItemShape, item) for item in items]


AsItems = shown_by(items_shown, StatementItemShape(many=True))


class StatementLineShape(serializers.Serializer[Any]):
    """A line of a statement, with one charge."""

    position = serializers.IntegerField()
    charge = serializers.UUIDField()
    reservation = serializers.UUIDField(allow_null=True)
    enrolment = serializers.UUIDField(allow_null=True)
    instrument_name = serializers.CharField(source="instrument")
    user = PersonShape()
    person = serializers.CharField(style=replaced_by("user"))
    sources = TextOrNull(
        help_text="Codes of the payer's funding sources; null for readers who are not on its side."
    )
    items = AsItems(source="*")
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


class RemindBody(Shape):
    statements = ListOf(
        child=serializers.UUIDField(), min_length=1, max_length=MOST_REMINDED, help_text="Ids."
    )


class RemindedShape(serializers.Serializer[Any]):
    """How many statements a reminder went out for, and how many were left out."""

    reminded = serializers.IntegerField()
    left_out = serializers.IntegerField()


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
        sources = sources_of(row) if reads_sources(self.actor, row) else {}
        row.paper, row.ledger = load_statement_paper(row, sources), check_statement(row)
        return row

    def prepared(self, rows: list[Any]) -> list[Any]:
        for row in rows:
            row.shown_state = statements.shown_state(row, self.now)
            row.shown_due = statements.due_of(row)
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
        form=forms.VoidForm,
        name="void_form",
    )
    @acts(_("Void a statement"), forms.VoidBody, status=201, sends={"reason": "The payer's name was wrong."})
    def void(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Void a statement on which nothing is paid, as the host's finance. Its number stays; the answer is
        the statement that bills its charges instead."""
        return statement_void(self.by, statement_id=pk, **data).pk

    @OnPage(
        "bookings:money-statements-one",
        button=_("Remind the payer"),
        asks=_("Send the payer a reminder of this statement now?"),
        done=_("The payer is reminded."),
        offered=lambda by, row: statements.may_remind(by.actor, row, by.now),
    )
    @acts(_("Remind the payer of a statement"))
    def remind(self, pk: UUID) -> None:
        """Remind the payer of an overdue statement at once, as the host's finance, at most once a day. The
        timetable reminds on the first day and every thirty days after."""
        statement_remind(self.by, statement_id=pk)

    @acts(
        _("Remind the payers of several statements"),
        RemindBody,
        below="*remind",
        named="statements_remind",
        address="api-statements-remind",
        gives=RemindedShape,
        refuses=[404],
        versioned=False,
    )
    def remind_many(self, data: dict[str, Any]) -> dict[str, int]:
        """Remind the payers of overdue statements at once, as the hosts' finance. Those that are paid, and
        those whose payer was reminded in the last seven days, are left out."""
        reminded, left_out = statements_remind_chosen(self.by, statement_ids=data["statements"])
        return {"reminded": reminded, "left_out": left_out}

    @OnPage("bookings:money-statements-one", done=_("Saved."), form=forms.OrderNumberForm, name="order_form")
    @acts(
        _("Set the order number of a statement"),
        forms.OrderNumberBody,
        below="order-number",
        named="_order_number",
        sends={"order_number": "PO-2026-118"},
    )
    def order_number(self, pk: UUID, data: dict[str, Any]) -> None:
        """Set the payer's order number that a statement quotes, as the finance of either side; the one of the
        organisation's invoice details is used when it is drawn up."""
        statement_set_order_number(self.by, statement_id=pk, **data)

    @OnPage(
        "bookings:money-statements-one", done=_("Saved."), form=forms.InvoiceNumberForm, name="invoice_form"
    )
    @acts(
        _("Set the number of the tax invoice of a statement"),
        forms.InvoiceNumberBody,
        below="invoice-number",
        named="_invoice_number",
        sends={"invoice_number": "25342000000012345678"},
    )
    def invoice_number(self, pk: UUID, data: dict[str, Any]) -> None:
        """Set the number of the fapiao or electronic invoice that was issued for a statement, as the host's
        finance."""
        statement_set_invoice_number(self.by, statement_id=pk, **data)

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
        form=forms.ConvertForm,
        name="convert_form",
        below="rate",
    )
    @acts(
        _("Show a statement in the payer's currency"),
        forms.ConvertBody,
        below="exchange-rate",
        named="_convert",
    )
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
        for_payer = reads_sources(self.actor, row)
        content = statement_file(row, language=language, for_payer=for_payer)
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
        """Return the statement as CSV with one row for each charge, in UTF-8 with a byte order mark;
        instants are in your time zone."""
        row = statements.statement_by_id(self.actor, statement_id)
        sources = sources_of(row) if reads_sources(self.actor, row) else {}
        state = statements.shown_state(row, self.now)
        paper = load_statement_paper(row, sources)
        content = statement_csv(paper, ZoneInfo(self.actor.time_zone), state=state)
        return self.file(content, CSV, f"{statements.number_of(row)}.csv")


class StatementEInvoice(FileEndpoint):
    @operation(
        "statement_e_invoice",
        _("A statement as electronic invoice"),
        tag="money",
        gives=OpenApiTypes.BINARY,
        media=XML,
        refuses=[404, 409],
    )
    def get(self, request: Request, statement_id: UUID) -> HttpResponse:
        """Return the statement as an electronic invoice by EN 16931 (UBL 2.1), where the payer's country
        takes them: 404 elsewhere, and of void statements and internal notes."""
        row = statements.statement_by_id(self.actor, statement_id)
        return self.file(e_invoice_file(row), XML, f"{statements.number_of(row)}.xml")
