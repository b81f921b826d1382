"""Payment notices, by which payers report that they have paid statements."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import OnPage, Resource, acts, creates, reads
from accounts.api.shapes import Day, Instant, Money, Number, Shape, Text, TextOrNull, replaced_by
from bookings.record.api.lists import listed
from bookings.settlement.api.statements import StatementNumber
from bookings.settlement.forms.money import NoticeRefuseBody, VoidForm
from bookings.settlement.models import PaymentNotice
from bookings.settlement.selectors.payments import NOTICES
from bookings.settlement.selectors.statements import notice_by_id, statement_by_id
from bookings.settlement.services.payment_notices import (
    payment_notice_match,
    payment_notice_refuse,
    payment_notice_report,
    payment_notice_withdraw,
)
from bookings.settlement.services.payments import Paid

STATES = PaymentNotice.State.choices


class PaymentNoticeShape(serializers.Serializer[Any]):
    """A notice of a payment; `payment` is the recorded payment that it was matched with."""

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
    state = serializers.ChoiceField(STATES)
    reported_at = Instant()
    decided_at = Instant(allow_null=True)
    reason = TextOrNull()
    payment = serializers.UUIDField(source="payment_id", allow_null=True)
    version = serializers.IntegerField()


class PaymentNoticeBody(Shape):
    amount = Number(max_digits=18, decimal_places=3)
    paid_on = Day()
    reference = Text(100, default="", allow_blank=True, help_text="Reference that the bank shows the host.")


class PaymentNotices(Resource):
    at, key, tag = "payment-notices/", "notice_id", "money"
    name, many = "payment_notice", "payment_notices"
    shape, order = PaymentNoticeShape, ("-reported_at", "-id")
    needs_person, page_name = True, "money-notices"

    def visible(self, pk: UUID) -> PaymentNotice:
        return notice_by_id(self.actor, pk)

    def location(self, row: Any) -> str:
        return ""

    @listed(_("Payment notices"), NOTICES)
    def rows(self, query: dict[str, Any]) -> QuerySet[PaymentNotice]:
        """Return the notices on statements you may see, the newest first."""
        return NOTICES.rows(self.actor)

    @reads(_("A payment notice"))
    def detail(self, pk: UUID) -> None:
        """Return a notice, with its outcome."""

    @OnPage("bookings:money-statements-one", done=_("The payment is recorded."), of="statement_id")
    @acts(_("Match a payment notice"))
    def match(self, pk: UUID) -> None:
        """Match a notice when the money has arrived, as the host's finance: its payment is recorded with
        it."""
        payment_notice_match(self.by, notice_id=pk)

    @OnPage(
        "bookings:money-statements-one",
        done=_("The notice was refused, and the payer has been notified."),
        of="statement_id",
        form=VoidForm,
        name="decide_form",
    )
    @acts(
        _("Refuse a payment notice"),
        NoticeRefuseBody,
        sends={"reason": "No transfer of this amount has come in by 20 April."},
    )
    def refuse(self, pk: UUID, data: dict[str, Any]) -> None:
        """Refuse a notice if no such money arrived, as the host's finance."""
        payment_notice_refuse(self.by, notice_id=pk, **data)

    @OnPage("bookings:money-statements-one", done=_("The notice is withdrawn."), of="statement_id")
    @acts(_("Withdraw a payment notice"))
    def withdraw(self, pk: UUID) -> None:
        """Withdraw a notice that has not been answered, as the payer's finance."""
        payment_notice_withdraw(self.by, notice_id=pk)


class StatementNotices(PaymentNotices):
    at, many = "statements/<uuid:statement_id>/payment-notices/", "statement_notices"

    @listed(_("Payment notices of a statement"), NOTICES, refuses=[404])
    def rows(self, statement_id: UUID, query: dict[str, Any]) -> QuerySet[PaymentNotice]:  # type: ignore[override]
        """Return the payments that the payer of a statement has reported, the newest first."""
        statement_by_id(self.actor, statement_id)
        return NOTICES.rows(self.actor).filter(statement_id=statement_id)

    @creates(
        _("Report that a statement was paid"),
        PaymentNoticeBody,
        named="_report",
        refuses=[404, 409],
        versioned=True,
        sends={"amount": "674.50", "paid_on": "2026-04-12", "reference": "Transfer 4711"},
    )
    def report(self, statement_id: UUID, data: dict[str, Any]) -> UUID:
        """Report, as the payer's finance, that all or part of the open amount was paid. It is a notice, not a
        payment: the host's finance matches or refuses it. `If-Match` is the statement's version."""
        paid = Paid(**data)
        return payment_notice_report(self.by, statement_id=statement_id, paid=paid).pk
