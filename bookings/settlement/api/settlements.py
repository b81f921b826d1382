"""Settlements: what two regions owe each other for vouchers of a month."""

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
from accounts.api.shapes import Instant, Money, Shape, Text, amount, asked, checked, rfc3339
from accounts.api.versions import etag, expected_version
from bookings.record.api.files import CSV, PDF, FileEndpoint
from bookings.settlement.adapters.papers import settlement_pdf
from bookings.settlement.adapters.sheets import settlement_csv
from bookings.settlement.api.statements import (
    CheckShape,
    PaymentBody,
    PaymentShape,
    check_json,
    paid_of,
    payment_json,
)
from bookings.settlement.domain.statements import OVERDUE
from bookings.settlement.models import Settlement
from bookings.settlement.selectors.books import check_settlement
from bookings.settlement.selectors.papers import load_settlement_paper
from bookings.settlement.selectors.settlements import (
    debtor_of,
    net_of,
    settlement_by_id,
    settlements_for,
    shown_state,
)
from bookings.settlement.services.payments import settlement_pay
from bookings.settlement.services.settlements import settlement_confirm

STATES = [*Settlement.State.choices, (OVERDUE, _("overdue"))]


class SideShape(serializers.Serializer[Any]):
    """One of the two regions."""

    region = serializers.CharField()
    owes = Money(help_text="For vouchers its organisations used at the other's hosts.")
    confirmed_by = serializers.CharField(allow_null=True)
    confirmed_at = Instant(allow_null=True)


class SettlementShape(serializers.Serializer[Any]):
    """`net` is what `debtor` pays the other; null where nothing is owed."""

    id = serializers.UUIDField()
    month = serializers.CharField(help_text="`2026-03`")
    state = serializers.ChoiceField(STATES)
    first = SideShape()
    second = SideShape()
    net = Money()
    debtor = serializers.CharField(allow_null=True)
    paid = Money()
    drawn_up_at = Instant()
    due_date = serializers.DateField()
    version = serializers.IntegerField()


class SettledUseShape(serializers.Serializer[Any]):
    """One payer's use at one host: shown, not netted."""

    payer_region = serializers.CharField()
    host_region = serializers.CharField()
    payer = serializers.CharField()
    host = serializers.CharField()
    charges = serializers.IntegerField()
    total = Money()
    covered = Money()
    payable = Money()


class OneSettlementShape(SettlementShape):
    use = SettledUseShape(many=True)
    payments = PaymentShape(many=True)
    ledger = CheckShape()


class ConfirmBody(Shape):
    region = Text(
        20, default="", allow_blank=True, help_text="For whoever coordinates both: which."
    )


def _side(row: Settlement, side: str) -> dict[str, Any]:
    person, moment = getattr(row, f"{side}_confirmed_by"), getattr(row, f"{side}_confirmed_at")
    return {
        "region": getattr(row, side).code,
        "owes": amount(getattr(row, f"{side}_owes"), row.currency),
        "confirmed_by": str(person) if person else None,
        "confirmed_at": rfc3339(moment) if moment else None,
    }


def settlement_json(row: Settlement, state: str) -> dict[str, Any]:
    net = net_of(row)
    return {
        "id": str(row.pk),
        "month": f"{row.month:%Y-%m}",
        "state": state,
        "first": _side(row, "first"),
        "second": _side(row, "second"),
        "net": amount(net, row.currency),
        "debtor": debtor_of(row).code if net else None,
        "paid": amount(row.paid, row.currency),
        "drawn_up_at": rfc3339(row.drawn_up_at),
        "due_date": row.due_date.isoformat(),
        "version": row.version,
    }


class SettlementEndpoint(Endpoint):
    """What the addresses of settlements share."""

    needs_person = True

    def one(self, settlement_id: UUID, status: int = 200) -> Response:
        row = settlement_by_id(self.actor, settlement_id)
        paper = load_settlement_paper(row)
        use = [
            {
                "payer_region": payer.code,
                "host_region": host.code,
                "payer": line.payer.code,
                "host": line.host.code,
                "charges": line.charges,
                "total": amount(line.total, row.currency),
                "covered": amount(line.covered, row.currency),
                "payable": amount(line.payable, row.currency),
            }
            for lines, payer, host in (
                (paper.by_first, row.first, row.second),
                (paper.by_second, row.second, row.first),
            )
            for line in lines
        ]
        shown = {
            **settlement_json(row, shown_state(row, self.now)),
            "use": use,
            "payments": [payment_json(payment) for payment in paper.payments],
            "ledger": check_json(check_settlement(row)),
        }
        return Response(shown, status=status, headers=etag(row.version))


class Settlements(SettlementEndpoint):
    only_reads = True

    @operation(
        "settlements", _("Settlements"), tag="money", query=Pages, gives=page(SettlementShape)
    )
    def get(self, request: Request) -> Response:
        """Of a coordinator's and an auditor's regions, the newest first."""
        query = asked(Pages, request.query_params)
        return paginated(
            request,
            settlements_for(self.actor),
            query,
            ("-drawn_up_at", "-id"),
            lambda found: [settlement_json(row, shown_state(row, self.now)) for row in found],
        )


class SettlementDetail(SettlementEndpoint):
    only_reads = True

    @operation(
        "settlement", _("One settlement"), tag="money", gives=OneSettlementShape, refuses=[404]
    )
    def get(self, request: Request, settlement_id: UUID) -> Response:
        """With use by organisation, payments, and every number computed again from the ledger's
        postings."""
        return self.one(settlement_id)


class SettlementConfirm(SettlementEndpoint):
    @operation(
        "settlement_confirm",
        _("Confirm a settlement"),
        tag="money",
        takes=ConfirmBody,
        gives=OneSettlementShape,
        refuses=[404, 409],
        versioned=True,
        once=True,
    )
    def post(self, request: Request, settlement_id: UUID) -> HttpResponseBase:
        """For the coordinator of each of the two regions, who are two people."""
        expected, data = expected_version(request), checked(ConfirmBody, request.data)

        def confirm() -> Response:
            settlement_by_id(self.actor, settlement_id)
            settlement_confirm(
                actor=self.actor,
                settlement_id=settlement_id,
                region=data["region"],
                now=self.now,
                expected_version=expected,
            )
            return self.one(settlement_id)

        return self.once(confirm)


class SettlementPayments(SettlementEndpoint):
    @operation(
        "settlement_pay",
        _("Mark a payment on a settlement"),
        tag="money",
        takes=PaymentBody,
        gives=OneSettlementShape,
        status=201,
        refuses=[404, 409],
        versioned=True,
        once=True,
    )
    def post(self, request: Request, settlement_id: UUID) -> HttpResponseBase:
        """For the coordinator of the region that is owed, once both have confirmed it; an amount
        below 0 is taken back."""
        expected, data = expected_version(request), checked(PaymentBody, request.data)

        def pay() -> Response:
            settlement_by_id(self.actor, settlement_id)
            settlement_pay(
                actor=self.actor,
                settlement_id=settlement_id,
                paid=paid_of(data),
                now=self.now,
                expected_version=expected,
            )
            return self.one(settlement_id, status=201)

        return self.once(pay)


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
        """In the language asked for (`?lang=`)."""
        row = settlement_by_id(self.actor, settlement_id)
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
        """One row a payer and host, in UTF-8 with a byte order mark."""
        row = settlement_by_id(self.actor, settlement_id)
        content = settlement_csv(load_settlement_paper(row))
        return self.file(content, CSV, f"{file_name(row)}.csv")
