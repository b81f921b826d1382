"""Payments recorded on statements, and what is still open by age."""

from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages
from accounts.api.resource import Resource, lists
from accounts.api.schema import operation
from accounts.api.shapes import Choice, Instant, Money, Query, Text, amount, query_values
from bookings.record.adapters.figures import csv_pieces, in_transaction
from bookings.record.api.files import CSV, FileEndpoint
from bookings.record.api.shapes import month_named
from bookings.settlement.adapters.sheets import PAYMENT_HEADS, payment_cells
from bookings.settlement.api.statements import StatementNumber
from bookings.settlement.domain.ageing import BUCKETS, totals
from bookings.settlement.models import Payment
from bookings.settlement.selectors.ageing import OWED, OWING, load_ageing
from bookings.settlement.selectors.payments import COLUMNS, payments_for


class OnePaymentShape(serializers.Serializer[Any]):
    """Below 0: taken back."""

    id = serializers.UUIDField()
    statement = serializers.UUIDField(source="statement_id")
    number = StatementNumber(source="statement", help_text="The statement's.")
    host = serializers.CharField(source="statement.host.code")
    payer = serializers.CharField(source="statement.payer.code")
    amount = Money()
    paid_on = serializers.DateField()
    reference = serializers.CharField()
    entered_by = serializers.CharField()
    entered_at = Instant()


class _Filters(Query):
    month = Text(7, default="", help_text="Paid in: `2026-03`")
    host = Text(40, default="", help_text="The host's code.")
    payer = Text(40, default="", help_text="The payer's code.")


class PaymentQuery(Pages, _Filters):
    pass


class PaymentCsvQuery(_Filters):
    pass


class AgeingQuery(Query):
    side = Choice(
        [(OWED, _("owed to us")), (OWING, _("what we owe"))],
        default=OWED,
        help_text="`owed` to the person's organisations, or `owing` by them.",
    )


class AgedShape(serializers.Serializer[Any]):
    """What is open in one currency, by days past due where the host is. `credit` is what hosts
    have to pay out, below 0."""

    currency = serializers.CharField()
    not_due = Money()
    days_1_30 = Money()
    days_31_60 = Money()
    days_61_90 = Money()
    over_90 = Money()
    credit = Money()
    total = Money()


class AgedPartyShape(AgedShape):
    counterparty = serializers.CharField(help_text="The code of the payer, or of the host.")
    statements = serializers.IntegerField(help_text="How many.")


class AgeingShape(serializers.Serializer[Any]):
    side = serializers.CharField()
    rows = AgedPartyShape(many=True)
    totals = AgedShape(many=True)


def _filters(query: dict[str, Any]) -> dict[str, Any]:
    month = month_named(query["month"]) if query["month"] else None
    return {"month": month, "host": query["host"], "payer": query["payer"]}


class Payments(Resource):
    at, tag, name, many = "payments/", "money", "payment", "payments"
    shape, order = OnePaymentShape, ("-entered_at", "-id")
    needs_person = True

    @lists(_("Payments"), PaymentQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[Payment]:
        """Recorded on statements the person may see, the latest entered first."""
        return payments_for(self.actor, **_filters(query))


class PaymentsCsv(FileEndpoint):
    @operation(
        "payments_csv",
        _("Payments as CSV"),
        tag="money",
        query=PaymentCsvQuery,
        gives=OpenApiTypes.BINARY,
        media=CSV,
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """All of them, in UTF-8 with a byte order mark; no cell of text begins like a formula."""
        query = query_values(PaymentCsvQuery, request.query_params)
        rows = payments_for(self.actor, **_filters(query)).only(*COLUMNS).iterator(2000)
        notes = [(name, value) for name, value in query.items() if value]
        pieces = csv_pieces(PAYMENT_HEADS, (payment_cells(row) for row in rows), notes)
        return self.stream(in_transaction(pieces), CSV, "payments.csv")


class AgeingReport(Endpoint):
    only_reads = True
    needs_person = True

    @operation(
        "ageing", _("What is open, by age"), tag="money", query=AgeingQuery, gives=AgeingShape
    )
    def get(self, request: Request) -> Response:
        """Of organisations whose finance or manager the person is: by counterparty and currency,
        what has been due longest first. The rows add up to the open sums of the statements."""
        side = query_values(AgeingQuery, request.query_params)["side"]
        ageing = load_ageing(self.actor, side, self.now)
        sums = totals(row for _, row in ageing.rows)
        return Response(
            {
                "side": side,
                "rows": [
                    {
                        "counterparty": party.code,
                        "statements": row.statements,
                        **_aged(row.currency, row.buckets),
                    }
                    for party, row in ageing.rows
                ],
                "totals": [_aged(currency, buckets) for currency, buckets in sums.items()],
            }
        )


def _aged(currency: str, buckets: dict[str, Decimal]) -> dict[str, Any]:
    return {
        "currency": currency,
        **{name: amount(buckets[name], currency) for name in BUCKETS},
        "total": amount(sum(buckets.values(), Decimal(0)), currency),
    }
