"""Statements: what a payer owes a host for a month."""

from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import (
    Choice,
    Day,
    Instant,
    Money,
    Number,
    Shape,
    Text,
    amount,
    asked,
    checked,
    rfc3339,
)
from accounts.api.versions import etag, expected_version
from accounts.domain.errors import invalid
from bookings.record.api.files import CSV, PDF, FileEndpoint
from bookings.record.domain.months import month_read
from bookings.settlement.adapters.papers import statement_pdf
from bookings.settlement.adapters.sheets import statement_csv
from bookings.settlement.domain.statements import OVERDUE, statement_number
from bookings.settlement.models import Payment, Statement
from bookings.settlement.selectors.books import Check, check_statement
from bookings.settlement.selectors.papers import (
    PaperLine,
    load_statement_paper,
    paper_lines,
    paper_rows,
    payments_of,
    tax_sums,
)
from bookings.settlement.selectors.statements import (
    in_state,
    shown_state,
    statement_by_id,
    statements_for,
)
from bookings.settlement.services.exchange_rates import statement_convert
from bookings.settlement.services.payments import Paid, statement_pay
from bookings.settlement.services.statements import statement_void

STATES = [*Statement.State.choices, (OVERDUE, _("overdue"))]


class ShownAtShape(serializers.Serializer[Any]):
    """At which stored rate an amount is shown in another currency."""

    exchange_rate = serializers.UUIDField()
    rate = serializers.CharField()
    valid_on = serializers.DateField()
    source = serializers.CharField()  # type: ignore[assignment]


class StatementShape(serializers.Serializer[Any]):
    """`payable` is owed in the host's currency; `payer_payable` is the same for the payer's
    books, at a rate that its finance entered."""

    id = serializers.UUIDField()
    number = serializers.CharField(help_text="As printed on the statement: `USTC-2026-0007`.")
    host = serializers.CharField()
    payer = serializers.CharField()
    month = serializers.CharField(help_text="`2026-03`")
    state = serializers.ChoiceField(STATES)
    charges = serializers.IntegerField(help_text="How many.")
    tax = Money()
    total = Money()
    covered = Money(help_text="Paid by vouchers; settled between the regions.")
    payable = Money()
    paid = Money()
    issued_at = Instant()
    due_date = serializers.DateField()
    payer_payable = Money(allow_null=True)
    shown_at = ShownAtShape(allow_null=True)
    void_reason = serializers.CharField(allow_null=True)
    replaces = serializers.UUIDField(allow_null=True)
    replaced_by = serializers.UUIDField(allow_null=True)
    version = serializers.IntegerField()


class StatementLineShape(serializers.Serializer[Any]):
    """One charge."""

    position = serializers.IntegerField()
    charge = serializers.UUIDField()
    reservation = serializers.UUIDField()
    instrument_name = serializers.CharField()
    kind = serializers.CharField()
    start = Instant()
    end = Instant()
    tax_percent = serializers.CharField()
    net = Money()
    tax = Money()
    total = Money()
    covered = Money()
    payable = Money()


class TaxShape(serializers.Serializer[Any]):
    """What the lines of one tax rate come to."""

    percent = serializers.CharField()
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
    lines = StatementLineShape(many=True)
    taxes = TaxShape(many=True)
    payments = PaymentShape(many=True)
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


def statement_json(row: Statement, state: str) -> dict[str, Any]:
    currency, rate = row.currency, row.exchange_rate
    newer = getattr(row, "replaced_by", None)
    return {
        "id": str(row.pk),
        "number": statement_number(row.host.code, row.year, row.number),
        "host": row.host.code,
        "payer": row.payer.code,
        "month": f"{row.month:%Y-%m}",
        "state": state,
        "charges": row.charges,
        **{
            name: amount(getattr(row, name), currency)
            for name in ("tax", "total", "covered", "payable", "paid")
        },
        "issued_at": rfc3339(row.issued_at),
        "due_date": row.due_date.isoformat(),
        "payer_payable": None
        if row.payer_payable is None
        else amount(row.payer_payable, row.payer_currency),
        "shown_at": None
        if rate is None
        else {
            "exchange_rate": str(rate.pk),
            "rate": f"{rate.rate.normalize():f}",
            "valid_on": rate.valid_on.isoformat(),
            "source": rate.source,
        },
        "void_reason": row.void_reason or None,
        "replaces": str(row.replaces_id) if row.replaces_id else None,
        "replaced_by": str(newer.pk) if newer else None,
        "version": row.version,
    }


def line_json(line: PaperLine, currency: str) -> dict[str, Any]:
    return {
        "position": line.position,
        "charge": str(line.charge),
        "reservation": str(line.reservation),
        "instrument_name": line.instrument,
        "kind": line.kind,
        "start": rfc3339(line.start),
        "end": rfc3339(line.end),
        "tax_percent": f"{line.tax_percent.normalize():f}",
        **{
            name: amount(getattr(line, name), currency)
            for name in ("net", "tax", "total", "covered", "payable")
        },
    }


def payment_json(payment: Payment) -> dict[str, Any]:
    return {
        "id": str(payment.pk),
        "amount": amount(payment.amount, payment.currency),
        "paid_on": payment.paid_on.isoformat(),
        "reference": payment.reference,
        "entered_at": rfc3339(payment.entered_at),
    }


def check_json(check: Check) -> dict[str, Any]:
    return {
        "agrees": check.agrees,
        "figures": [
            {
                "name": figure.name,
                "stored": str(figure.stored),
                "posted": str(figure.posted),
                "agrees": figure.agrees,
            }
            for figure in check.figures
        ],
    }


def month_named(text: str) -> date:
    """The month of a query; `Invalid` (`not-a-month`) where it is none."""
    month = month_read(text)
    if month is None:
        raise invalid("month", "not-a-month")
    return month


def paid_of(data: dict[str, Any]) -> Paid:
    return Paid(data["amount"], data["paid_on"], data["reference"])


class StatementEndpoint(Endpoint):
    """What the addresses of statements share."""

    needs_person = True

    def one(self, statement_id: UUID, status: int = 200) -> Response:
        row = statement_by_id(self.actor, statement_id)
        currency = row.currency
        shown = {
            **statement_json(row, shown_state(row, self.now)),
            "lines": [line_json(line, currency) for line in paper_lines(paper_rows(row))],
            "taxes": [
                {
                    "percent": f"{one.percent.normalize():f}",
                    "net": amount(one.net, currency),
                    "tax": amount(one.tax, currency),
                    "total": amount(one.total, currency),
                }
                for one in tax_sums(row)
            ],
            "payments": [payment_json(payment) for payment in payments_of(row)],
            "ledger": check_json(check_statement(row)),
        }
        return Response(shown, status=status, headers=etag(row.version))


class Statements(StatementEndpoint):
    only_reads = True

    @operation(
        "statements",
        _("Statements"),
        tag="money",
        query=StatementQuery,
        gives=page(StatementShape),
    )
    def get(self, request: Request) -> Response:
        """Of organisations whose finance or manager the person is, as payer or host, and of an
        auditor's regions; the newest first."""
        query = asked(StatementQuery, request.query_params)
        rows = statements_for(self.actor).select_related("replaced_by")
        for side in ("host", "payer"):
            if query[side]:
                rows = rows.filter(**{f"{side}__code": query[side]})
        if query["month"]:
            rows = rows.filter(month=month_named(query["month"]))
        if "state" in query:
            rows = in_state(rows, query["state"], self.now.date())
        return paginated(
            request,
            rows,
            query,
            ("-issued_at", "-id"),
            lambda found: [statement_json(row, shown_state(row, self.now)) for row in found],
        )


class StatementDetail(StatementEndpoint):
    only_reads = True

    @operation("statement", _("One statement"), tag="money", gives=OneStatementShape, refuses=[404])
    def get(self, request: Request, statement_id: UUID) -> Response:
        """With its charges, sums by tax rate, payments, and every number computed again from
        the ledger's postings."""
        return self.one(statement_id)


class StatementVoid(StatementEndpoint):
    @operation(
        "statement_void",
        _("Void a statement"),
        tag="money",
        takes=VoidBody,
        gives=OneStatementShape,
        status=201,
        refuses=[404, 409],
        versioned=True,
        once=True,
        sends={"reason": "The payer's name was wrong."},
    )
    def post(self, request: Request, statement_id: UUID) -> HttpResponseBase:
        """For the host's finance, while nothing is paid on it. Its number stays; the answer is
        the statement that bills its charges instead."""
        expected, data = expected_version(request), checked(VoidBody, request.data)

        def void() -> Response:
            statement_by_id(self.actor, statement_id)
            made = statement_void(
                actor=self.actor,
                statement_id=statement_id,
                reason=data["reason"],
                now=self.now,
                expected_version=expected,
            )
            return self.one(made.pk, status=201)

        return self.once(void)


class StatementPayments(StatementEndpoint):
    @operation(
        "statement_pay",
        _("Mark a payment on a statement"),
        tag="money",
        takes=PaymentBody,
        gives=OneStatementShape,
        status=201,
        refuses=[404, 409],
        versioned=True,
        once=True,
        sends={"amount": "674.50", "paid_on": "2026-04-12", "reference": "Bank 4711"},
    )
    def post(self, request: Request, statement_id: UUID) -> HttpResponseBase:
        """For the host's finance: the whole or a part of what is still to pay, or with an amount
        below 0 what is taken back."""
        expected, data = expected_version(request), checked(PaymentBody, request.data)

        def pay() -> Response:
            statement_by_id(self.actor, statement_id)
            statement_pay(
                actor=self.actor,
                statement_id=statement_id,
                paid=paid_of(data),
                now=self.now,
                expected_version=expected,
            )
            return self.one(statement_id, status=201)

        return self.once(pay)


class StatementConvert(StatementEndpoint):
    @operation(
        "statement_convert",
        _("Show a statement in the payer's currency"),
        tag="money",
        takes=ConvertBody,
        gives=OneStatementShape,
        refuses=[404, 409],
        versioned=True,
        once=True,
    )
    def post(self, request: Request, statement_id: UUID) -> HttpResponseBase:
        """For the payer's finance, at a rate it has entered, while nothing is paid. What is owed
        stays what it is."""
        expected, data = expected_version(request), checked(ConvertBody, request.data)

        def convert() -> Response:
            statement_by_id(self.actor, statement_id)
            statement_convert(
                actor=self.actor,
                statement_id=statement_id,
                rate_id=data["exchange_rate"],
                now=self.now,
                expected_version=expected,
            )
            return self.one(statement_id)

        return self.once(convert)


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
        content = statement_pdf(load_statement_paper(row), language=language)
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
