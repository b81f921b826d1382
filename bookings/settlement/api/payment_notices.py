"""Payment notices: what payers say they have paid on statements."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.pagination import Pages
from accounts.api.resource import Resource, acts, creates, lists, reads
from accounts.api.shapes import Choice, Day, Instant, Money, Number, Shape, Text, TextOrNull
from bookings.settlement.api.statements import StatementNumber
from bookings.settlement.models import PaymentNotice
from bookings.settlement.selectors.statements import notice_by_id, notices_for, statement_by_id
from bookings.settlement.services.payment_notices import (
    payment_notice_match,
    payment_notice_refuse,
    payment_notice_report,
    payment_notice_withdraw,
)
from bookings.settlement.services.payments import Paid

STATES = PaymentNotice.State.choices


class PaymentNoticeShape(serializers.Serializer[Any]):
    """`payment` is the payment it was matched with."""

    id = serializers.UUIDField()
    statement = serializers.UUIDField(source="statement_id")
    number = StatementNumber(source="statement", help_text="The statement's.")
    host = serializers.CharField(source="statement.host.code")
    payer = serializers.CharField(source="statement.payer.code")
    amount = Money()
    paid_on = serializers.DateField()
    reference = serializers.CharField()
    state = serializers.ChoiceField(STATES)
    reported_at = Instant()
    decided_at = Instant(allow_null=True)
    reason = TextOrNull()
    payment = serializers.UUIDField(source="payment_id", allow_null=True)
    version = serializers.IntegerField()


class PaymentNoticeQuery(Pages):
    state = Choice(STATES, required=False)


class PaymentNoticeBody(Shape):
    amount = Number(max_digits=18, decimal_places=3)
    paid_on = Day()
    reference = Text(100, default="", allow_blank=True, help_text="What the bank shows the host.")


class NoticeRefuseBody(Shape):
    reason = Text(500, help_text="Why; the payer reads it.")


class PaymentNotices(Resource):
    at, key, tag = "payment-notices/", "notice_id", "money"
    name, many = "payment_notice", "payment_notices"
    shape, order = PaymentNoticeShape, ("-reported_at", "-id")
    needs_person = True

    def visible(self, pk: UUID) -> PaymentNotice:
        return notice_by_id(self.actor, pk)

    def location(self, row: Any) -> str:
        return ""

    def listed(self, query: dict[str, Any]) -> QuerySet[PaymentNotice]:
        rows = notices_for(self.actor)
        return rows.filter(state=query["state"]) if "state" in query else rows

    @lists(_("Payment notices"), PaymentNoticeQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[PaymentNotice]:
        """On statements the person may see, the newest first."""
        return self.listed(query)

    @reads(_("One payment notice"))
    def detail(self, pk: UUID) -> None:
        """With what became of it."""

    @acts(_("Match a payment notice"))
    def match(self, pk: UUID) -> None:
        """For the host's finance, when the money has come in: its payment is recorded with it."""
        self.visible(pk)
        payment_notice_match(self.by, notice_id=pk)

    @acts(
        _("Refuse a payment notice"),
        NoticeRefuseBody,
        sends={"reason": "No transfer of this amount has come in by 20 April."},
    )
    def refuse(self, pk: UUID, data: dict[str, Any]) -> None:
        """For the host's finance, where no such money came in."""
        self.visible(pk)
        payment_notice_refuse(self.by, notice_id=pk, **data)

    @acts(_("Withdraw a payment notice"))
    def withdraw(self, pk: UUID) -> None:
        """For the payer's finance, while nobody has answered it."""
        self.visible(pk)
        payment_notice_withdraw(self.by, notice_id=pk)


class StatementNotices(PaymentNotices):
    at, many = "statements/<uuid:statement_id>/payment-notices/", "statement_notices"

    @lists(_("Payment notices of a statement"), PaymentNoticeQuery, refuses=[404])
    def rows(self, statement_id: UUID, query: dict[str, Any]) -> QuerySet[PaymentNotice]:  # type: ignore[override]
        """The newest first."""
        statement_by_id(self.actor, statement_id)
        return self.listed(query).filter(statement_id=statement_id)

    @creates(
        _("Report that a statement was paid"),
        PaymentNoticeBody,
        named="_report",
        refuses=[404, 409],
        versioned=True,
        sends={"amount": "674.50", "paid_on": "2026-04-12", "reference": "Transfer 4711"},
    )
    def report(self, statement_id: UUID, data: dict[str, Any]) -> UUID:
        """For the payer's finance: the whole or a part of what is open. It is a notice, not a
        payment: the host's finance matches or refuses it. `If-Match` is the statement's."""
        statement_by_id(self.actor, statement_id)
        paid = Paid(**data)
        return payment_notice_report(self.by, statement_id=statement_id, paid=paid).pk
