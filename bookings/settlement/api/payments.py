"""Payments recorded on statements, and open amounts by age."""

from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.resource import Resource
from accounts.api.schema import operation
from accounts.api.shapes import Choice, Instant, Money, Query, amount, query_values, replaced_by
from bookings.record.api.files import CSV, FileEndpoint
from bookings.record.api.lists import answered, listed, narrowing_of
from bookings.settlement.api.statements import StatementNumber
from bookings.settlement.domain.ageing import BUCKETS, totals, whole_of
from bookings.settlement.models import Payment
from bookings.settlement.selectors.ageing import OWED, OWING, kept_sums, load_ageing, load_rows_with_credit
from bookings.settlement.selectors.payments import PAYMENTS


class OnePaymentShape(serializers.Serializer[Any]):
    """A payment; an amount below 0 takes one back."""

    id = serializers.UUIDField()
    statement = serializers.UUIDField(source="statement_id")
    number = StatementNumber(source="statement", help_text="Number of the statement.")
    host = serializers.CharField(source="statement.host.code")
    payer = serializers.CharField(source="statement.payer.code", style=replaced_by("payer_id", "payer_code"))
    payer_id = serializers.UUIDField(source="statement.payer_id")
    payer_code = serializers.CharField(source="statement.payer.code")
    amount = Money()
    paid_on = serializers.DateField()
    reference = serializers.CharField()
    entered_by = serializers.CharField()
    entered_at = Instant()


class AgeingQuery(Query):
    side = Choice(
        [(OWED, _("owed to us")), (OWING, _("what we owe"))],
        default=OWED,
        help_text="`owed` to your organisations, or `owing` by them.",
    )


class AgedShape(serializers.Serializer[Any]):
    """The open amounts in one currency, by days past due in the host's time zone. `credit` is what hosts have
    to pay out, below 0; it is not in the `total`, as it is owed in the other direction."""

    currency = serializers.CharField()
    not_due = Money()
    days_1_30 = Money()
    days_31_60 = Money()
    days_61_90 = Money()
    over_90 = Money()
    credit = Money()
    total = Money()
    credit_kept = Money(
        help_text="Credit that hosts keep for payers and that no statement has used yet; not in the `total`."
    )


class AgedPartyShape(AgedShape):
    counterparty = serializers.CharField(help_text="Code of the payer or the host.")
    statements = serializers.IntegerField(help_text="Number of statements.")


class AgeingShape(serializers.Serializer[Any]):
    side = serializers.CharField()
    rows = AgedPartyShape(many=True)
    totals = AgedShape(many=True)


class Payments(Resource):
    at, tag, name, many = "payments/", "money", "payment", "payments"
    shape, order = OnePaymentShape, ("-entered_at", "-id")
    needs_person = True

    @listed(_("Payments"), PAYMENTS)
    def rows(self, query: dict[str, Any]) -> QuerySet[Payment]:
        """Return the payments recorded on statements you may see, the latest entered first."""
        return PAYMENTS.rows(self.actor)


class PaymentsCsv(FileEndpoint):
    query = narrowing_of(PAYMENTS)

    @operation(
        "payments_csv", _("Payments as CSV"), tag="money", query=query, gives=OpenApiTypes.BINARY, media=CSV
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Return all payments as CSV, in UTF-8 with a byte order mark; no text cell can be taken for a
        formula. The same as `GET payments/?format=csv`."""
        query = query_values(self.query, request.query_params) | {"format": "csv"}
        rows: HttpResponseBase = answered(self, PAYMENTS, PAYMENTS.rows(self.actor), query, Payments.order)
        return rows


class AgeingReport(Endpoint):
    only_reads = True
    needs_person = True

    @operation("ageing", _("Open amounts by age"), tag="money", query=AgeingQuery, gives=AgeingShape)
    def get(self, request: Request) -> Response:
        """Return the open amounts of organisations whose finance or managers you belong to, by counterparty
        and currency, those due longest first; a counterparty with nothing but kept credit has a row. The
        rows, with their credits, add up to the open sums of the statements."""
        side = query_values(AgeingQuery, request.query_params)["side"]
        rows = load_rows_with_credit(self.actor, side, load_ageing(self.actor, side, self.now))
        kept = kept_sums(rows)
        return Response(
            {
                "side": side,
                "rows": [
                    {
                        "counterparty": one.party.code,
                        "statements": one.row.statements,
                        **_aged(one.row.currency, one.row.buckets, one.kept),
                    }
                    for one in rows
                ],
                "totals": [
                    _aged(currency, buckets, kept[currency])
                    for currency, buckets in totals(one.row for one in rows).items()
                ],
            }
        )


def _aged(currency: str, buckets: dict[str, Decimal], kept: Decimal) -> dict[str, Any]:
    return {
        "currency": currency,
        **{name: amount(buckets[name], currency) for name in BUCKETS},
        "total": amount(whole_of(buckets), currency),
        "credit_kept": amount(kept, currency),
    }
