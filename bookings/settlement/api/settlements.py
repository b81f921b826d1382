"""Settlements: what two regions owe each other for vouchers of a month."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.resource import OnPage, Resource, acts, reads
from accounts.api.schema import operation
from accounts.api.shapes import Instant, Money, Query, amount, query_values, replaced_by
from bookings.record.api.files import CSV, PDF, FileEndpoint
from bookings.record.api.lists import listed
from bookings.record.api.shapes import Month
from bookings.settlement.adapters.papers import settlement_pdf
from bookings.settlement.adapters.sheets import settlement_csv
from bookings.settlement.api.statements import CheckShape, PaymentBody, PaymentShape
from bookings.settlement.domain.statements import OVERDUE
from bookings.settlement.forms.money import ConfirmBody, ConfirmForm
from bookings.settlement.models import Settlement
from bookings.settlement.selectors import settlements
from bookings.settlement.selectors.books import check_settlement
from bookings.settlement.selectors.papers import load_settlement_paper
from bookings.settlement.services.payments import Paid, settlement_pay
from bookings.settlement.services.settlements import settlement_confirm

STATES = [*Settlement.State.choices, (OVERDUE, _("overdue"))]


class SideShape(serializers.Serializer[Any]):
    """One of the two regions of a settlement."""

    region = serializers.CharField()
    owes = Money(help_text="For vouchers that its organisations used at the other region's hosts.")
    confirmed_by = serializers.CharField(allow_null=True)
    confirmed_at = Instant(allow_null=True)

    def get_attribute(self, row: Any) -> Any:
        side, names = self.field_name, ("owes", "confirmed_by", "confirmed_at")
        of_side = {name: getattr(row, f"{side}_{name}") for name in names}
        region = getattr(row, str(side)).code
        return SimpleNamespace(region=region, currency=row.currency, **of_side)


class SettlementShape(serializers.Serializer[Any]):
    """A settlement between two regions. `net` is what `debtor` pays the other; `debtor` is null if nothing is
    owed."""

    id = serializers.UUIDField()
    month = Month(help_text="Year and month, such as `2026-03`.")
    state = serializers.ChoiceField(STATES, source="shown_state")
    first = SideShape()
    second = SideShape()
    net = Money()
    debtor = serializers.CharField(allow_null=True)
    paid = Money()
    drawn_up_at = Instant()
    due_date = serializers.DateField()
    version = serializers.IntegerField()
    modified = Instant(
        help_text="When it was changed last, by the clock of the database: for `updated_since`."
    )


class SettledUseShape(serializers.Serializer[Any]):
    """The use by one payer at one host: listed, but not netted."""

    payer_region = serializers.CharField(source="payer_region.code")
    host_region = serializers.CharField(source="host_region.code")
    payer = serializers.CharField(source="payer.code", style=replaced_by("payer_id", "payer_code"))
    payer_id = serializers.UUIDField()
    payer_code = serializers.CharField(source="payer.code")
    host = serializers.CharField(source="host.code")
    charges = serializers.IntegerField()
    total = Money(currency="settlement.currency")
    covered = Money(currency="settlement.currency")
    payable = Money(currency="settlement.currency")


class OneSettlementShape(SettlementShape):
    use = SettledUseShape(many=True)
    payments = PaymentShape(many=True, source="paper.payments")
    ledger = CheckShape()


class Settlements(Resource):
    at, key, tag = "settlements/", "settlement_id", "money"
    name, many = "settlement", "settlements"
    shape, order = OneSettlementShape, ("-drawn_up_at", "-id")
    needs_person, page_name = True, "money-settlements"

    def visible(self, pk: UUID) -> Any:
        """Return the settlement with everything its paper shows, and the ledger."""
        row: Any = settlements.settlement_by_id(self.actor, pk)
        row.paper, row.ledger = load_settlement_paper(row), check_settlement(row)
        row.use = [*row.paper.by_first, *row.paper.by_second]
        for line in row.use:
            sides = (row.first, row.second) if line.is_by_first else (row.second, row.first)
            line.payer_region, line.host_region = sides
        return row

    def prepared(self, rows: list[Any]) -> list[Any]:
        for row in rows:
            row.shown_state, row.net = settlements.shown_state(row, self.now), settlements.net_of(row)
            row.debtor = settlements.debtor_of(row).code if row.net else None
        return rows

    def location(self, row: Any) -> str:
        return ""

    @listed(_("Settlements"), settlements.SETTLEMENTS, gives=SettlementShape)
    def rows(self, query: dict[str, Any]) -> QuerySet[Settlement]:
        """Return the settlements of a coordinator's or an auditor's regions, the newest first."""
        return settlements.SETTLEMENTS.rows(self.actor)

    @reads(_("A settlement"))
    def detail(self, pk: UUID) -> None:
        """Return a settlement with use by organisation, payments, and every number computed again from the
        ledger's postings."""

    @OnPage(
        "bookings:money-settlements-one",
        done=_("The settlement is confirmed for your region."),
        form=ConfirmForm,
        name="confirm_form",
    )
    @acts(_("Confirm a settlement"), ConfirmBody)
    def confirm(self, pk: UUID, data: dict[str, Any]) -> None:
        """Confirm a settlement, as the coordinator of one of its regions. Both regions must confirm it, by
        two different people."""
        settlement_confirm(self.by, settlement_id=pk, **data)

    @acts(_("Mark a payment on a settlement"), PaymentBody, below="payments", named="_pay", status=201)
    def pay(self, pk: UUID, data: dict[str, Any]) -> None:
        """Record a payment once both regions have confirmed the settlement, as the coordinator of the region
        that is owed; an amount below 0 takes one back."""
        settlement_pay(self.by, settlement_id=pk, paid=Paid(**data))


class BalanceQuery(Query):
    year = serializers.IntegerField(min_value=1, max_value=9999, help_text="Of the months settled.")


class BalanceSideShape(serializers.Serializer[Any]):
    """The amounts that one of two regions owed the other for vouchers over a year, that were netted, that it
    has paid, and has still to pay by the settlements in which it owes more than the other: `owes` is the sum
    of the three others."""

    region = serializers.CharField()
    owes = Money()
    netted = Money(help_text="Set off within the months against what the other owed; the same on both sides.")
    paid = Money()
    open = Money()


class BalanceShape(serializers.Serializer[Any]):
    """The settlements of two regions in one currency. `net` is what `debtor` owed more over the year; what is
    open on the two sides is not set off between months. `debtor` is null if both owed the same."""

    currency = serializers.CharField()
    first = BalanceSideShape()
    second = BalanceSideShape()
    net = Money()
    debtor = serializers.CharField(allow_null=True)
    settlements = serializers.IntegerField()
    unconfirmed = serializers.IntegerField(help_text="Settlements that wait for a region's confirmation.")


class BalancesShape(serializers.Serializer[Any]):
    year = serializers.IntegerField()
    rows = BalanceShape(many=True)


class BalanceReport(Endpoint):
    only_reads = True
    needs_person = True

    @operation(
        "settlements_balance",
        _("Balance of a year between regions"),
        tag="money",
        query=BalanceQuery,
        gives=BalancesShape,
    )
    def get(self, request: Request) -> Response:
        """Return what the regions whose settlements you may see owed each other for vouchers by the
        settlements of a year, by region and currency."""
        year = query_values(BalanceQuery, request.query_params)["year"]
        rows = settlements.load_balances(self.actor, year)
        return Response({"year": year, "rows": [_balance(row) for row in rows]})


def _balance(row: settlements.YearBalance) -> dict[str, Any]:
    currency = row.sums.currency
    names = ("owes", "netted", "paid", "open")
    first, second = (
        {"region": region.code}
        | {name: amount(each, currency) for name, each in zip(names, sums, strict=True)}
        for region, _, *sums in row.sides
    )
    return {
        "currency": currency,
        "first": first,
        "second": second,
        "net": amount(row.net, currency),
        "debtor": row.debtor.code if row.debtor else None,
        "settlements": row.sums.settlements,
        "unconfirmed": row.sums.unconfirmed,
    }


def file_name(row: Settlement) -> str:
    return f"{row.first.code}-{row.second.code}-{row.month:%Y-%m}-{row.currency}"


class SettlementPdf(FileEndpoint):
    @operation(
        "settlement_pdf",
        _("A settlement as PDF"),
        tag="money",
        gives=OpenApiTypes.BINARY,
        media=PDF,
        refuses=[404],
    )
    def get(self, request: Request, settlement_id: UUID) -> HttpResponse:
        """Return the settlement as PDF, in the requested language (`?lang=`)."""
        row = settlements.settlement_by_id(self.actor, settlement_id)
        language = translation.get_language() or "en"
        content = settlement_pdf(load_settlement_paper(row), language=language)
        return self.file(content, PDF, f"{file_name(row)}.pdf")


class SettlementCsv(FileEndpoint):
    @operation(
        "settlement_csv",
        _("A settlement as CSV"),
        tag="money",
        gives=OpenApiTypes.BINARY,
        media=CSV,
        refuses=[404],
    )
    def get(self, request: Request, settlement_id: UUID) -> HttpResponse:
        """Return the settlement as CSV with one row for each payer and host, in UTF-8 with a byte order
        mark."""
        row = settlements.settlement_by_id(self.actor, settlement_id)
        content = settlement_csv(load_settlement_paper(row))
        return self.file(content, CSV, f"{file_name(row)}.csv")
