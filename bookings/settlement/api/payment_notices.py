"""Payment notices: what payers say they have paid on statements."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
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
from bookings.settlement.api.statements import paid_of
from bookings.settlement.domain.statements import statement_number
from bookings.settlement.models import PaymentNotice
from bookings.settlement.selectors.statements import notice_by_id, notices_for, statement_by_id
from bookings.settlement.services.payment_notices import (
    payment_notice_match,
    payment_notice_refuse,
    payment_notice_report,
    payment_notice_withdraw,
)

STATES = PaymentNotice.State.choices


class PaymentNoticeShape(serializers.Serializer[Any]):
    """`payment` is the payment it was matched with."""

    id = serializers.UUIDField()
    statement = serializers.UUIDField()
    number = serializers.CharField(help_text="The statement's.")
    host = serializers.CharField()
    payer = serializers.CharField()
    amount = Money()
    paid_on = serializers.DateField()
    reference = serializers.CharField()
    state = serializers.ChoiceField(STATES)
    reported_at = Instant()
    decided_at = Instant(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    payment = serializers.UUIDField(allow_null=True)
    version = serializers.IntegerField()


class PaymentNoticeQuery(Pages):
    state = Choice(STATES, required=False)


class PaymentNoticeBody(Shape):
    amount = Number(max_digits=18, decimal_places=3)
    paid_on = Day()
    reference = Text(100, default="", allow_blank=True, help_text="What the bank shows the host.")


class NoticeRefuseBody(Shape):
    reason = Text(500, help_text="Why; the payer reads it.")


def notice_json(row: PaymentNotice) -> dict[str, Any]:
    statement = row.statement
    return {
        "id": str(row.pk),
        "statement": str(statement.pk),
        "number": statement_number(statement.host.code, statement.year, statement.number),
        "host": statement.host.code,
        "payer": statement.payer.code,
        "amount": amount(row.amount, row.currency),
        "paid_on": row.paid_on.isoformat(),
        "reference": row.reference,
        "state": row.state,
        "reported_at": rfc3339(row.reported_at),
        "decided_at": rfc3339(row.decided_at) if row.decided_at else None,
        "reason": row.reason or None,
        "payment": str(row.payment_id) if row.payment_id else None,
        "version": row.version,
    }


class PaymentNoticeEndpoint(Endpoint):
    """What the addresses of payment notices share."""

    needs_person = True

    def one(self, notice_id: UUID, status: int = 200) -> Response:
        row = notice_by_id(self.actor, notice_id)
        return Response(notice_json(row), status=status, headers=etag(row.version))

    def listed(self, request: Request, rows: Any) -> Response:
        query = asked(PaymentNoticeQuery, request.query_params)
        if "state" in query:
            rows = rows.filter(state=query["state"])
        return paginated(
            request,
            rows,
            query,
            ("-reported_at", "-id"),
            lambda found: [notice_json(row) for row in found],
        )

    def decide(self, request: Request, notice_id: UUID, act: Callable[..., Any]) -> Any:
        """Let one side answer or take back a notice the person may see."""
        expected = expected_version(request)

        def decide() -> Response:
            notice_by_id(self.actor, notice_id)
            act(actor=self.actor, notice_id=notice_id, now=self.now, expected_version=expected)
            return self.one(notice_id)

        return self.once(decide)


class PaymentNotices(PaymentNoticeEndpoint):
    only_reads = True

    @operation(
        "payment_notices",
        _("Payment notices"),
        tag="money",
        query=PaymentNoticeQuery,
        gives=page(PaymentNoticeShape),
    )
    def get(self, request: Request) -> Response:
        """On statements the person may see, the newest first."""
        return self.listed(request, notices_for(self.actor))


class PaymentNoticeDetail(PaymentNoticeEndpoint):
    only_reads = True

    @operation(
        "payment_notice",
        _("One payment notice"),
        tag="money",
        gives=PaymentNoticeShape,
        refuses=[404],
    )
    def get(self, request: Request, notice_id: UUID) -> Response:
        """With what became of it."""
        return self.one(notice_id)


class StatementNotices(PaymentNoticeEndpoint):
    @operation(
        "statement_notices",
        _("Payment notices of a statement"),
        tag="money",
        query=PaymentNoticeQuery,
        gives=page(PaymentNoticeShape),
        refuses=[404],
    )
    def get(self, request: Request, statement_id: UUID) -> Response:
        """The newest first."""
        statement_by_id(self.actor, statement_id)
        return self.listed(request, notices_for(self.actor).filter(statement_id=statement_id))

    @operation(
        "payment_notice_report",
        _("Report that a statement was paid"),
        tag="money",
        takes=PaymentNoticeBody,
        gives=PaymentNoticeShape,
        status=201,
        refuses=[404, 409],
        versioned=True,
        once=True,
        sends={"amount": "674.50", "paid_on": "2026-04-12", "reference": "Transfer 4711"},
    )
    def post(self, request: Request, statement_id: UUID) -> HttpResponseBase:
        """For the payer's finance: the whole or a part of what is open. It is a notice, not a
        payment: the host's finance matches or refuses it. `If-Match` is the statement's."""
        expected, data = expected_version(request), checked(PaymentNoticeBody, request.data)

        def report() -> Response:
            statement_by_id(self.actor, statement_id)
            notice = payment_notice_report(
                actor=self.actor,
                statement_id=statement_id,
                paid=paid_of(data),
                now=self.now,
                expected_version=expected,
            )
            return self.one(notice.pk, status=201)

        return self.once(report)


class PaymentNoticeMatch(PaymentNoticeEndpoint):
    @operation(
        "payment_notice_match",
        _("Match a payment notice"),
        tag="money",
        gives=PaymentNoticeShape,
        refuses=[404, 409],
        versioned=True,
        once=True,
    )
    def post(self, request: Request, notice_id: UUID) -> HttpResponseBase:
        """For the host's finance, when the money has come in: its payment is recorded with it."""
        answer: HttpResponseBase = self.decide(request, notice_id, payment_notice_match)
        return answer


class PaymentNoticeRefuse(PaymentNoticeEndpoint):
    @operation(
        "payment_notice_refuse",
        _("Refuse a payment notice"),
        tag="money",
        takes=NoticeRefuseBody,
        gives=PaymentNoticeShape,
        refuses=[404, 409],
        versioned=True,
        once=True,
        sends={"reason": "No transfer of this amount has come in by 20 April."},
    )
    def post(self, request: Request, notice_id: UUID) -> HttpResponseBase:
        """For the host's finance, where no such money came in."""
        data = checked(NoticeRefuseBody, request.data)
        answer: HttpResponseBase = self.decide(
            request,
            notice_id,
            lambda **values: payment_notice_refuse(reason=data["reason"], **values),
        )
        return answer


class PaymentNoticeWithdraw(PaymentNoticeEndpoint):
    @operation(
        "payment_notice_withdraw",
        _("Withdraw a payment notice"),
        tag="money",
        gives=PaymentNoticeShape,
        refuses=[404, 409],
        versioned=True,
        once=True,
    )
    def post(self, request: Request, notice_id: UUID) -> HttpResponseBase:
        """For the payer's finance, while nobody has answered it."""
        answer: HttpResponseBase = self.decide(request, notice_id, payment_notice_withdraw)
        return answer
