"""Steps of a reservation: cancelling it, answering a request."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.schema import operation
from accounts.api.shapes import Instant, Money, ReasonBody, Shape, amount, checked, rfc3339
from accounts.api.versions import expected_version
from bookings.pricing.domain.fees import CancellationFee
from bookings.pricing.selectors.charges import cancellation_for
from bookings.record.domain.money import format_number
from bookings.reserving.api.reservations import TAG, ReservationShape, load_one, one
from bookings.reserving.services.reservations import reservation_cancel, reservation_decide


class Transition(Endpoint):
    """A step of a reservation."""

    write_scope = "book"
    body: type[Shape] = ReasonBody

    def step(self, reservation_id: UUID, data: dict[str, Any], expected: int | None) -> None:
        raise NotImplementedError

    def post(self, request: Request, reservation_id: UUID) -> HttpResponseBase:
        expected, data = expected_version(request), checked(self.body, request.data)

        def act() -> Response:
            self.step(reservation_id, data, expected)
            return one(self.actor, reservation_id, self.now)

        return self.once(act)


def described(
    name: str, summary: Any, takes: type[Shape] = ReasonBody, sends: Any = None
) -> Callable[[Any], Any]:
    """The description of a step."""
    return operation(
        name,
        summary,
        tag=TAG,
        takes=takes,
        gives=ReservationShape,
        refuses=[404, 409, 422],
        versioned=True,
        once=True,
        sends=sends,
    )


class Cancel(Transition):
    @described("reservation_cancel", _("Cancel"))
    def post(self, request: Request, reservation_id: UUID) -> HttpResponseBase:
        """For the person, the payer's managers, and the host's managers, who owe a reason. The
        fee is what `cancellation/` says; it is nothing for a request that was never confirmed
        and for what the host cancels."""
        return super().post(request, reservation_id)

    def step(self, reservation_id: UUID, data: dict[str, Any], expected: int | None) -> None:
        reservation_cancel(
            actor=self.actor,
            reservation_id=reservation_id,
            reason=data["reason"],
            expected_version=expected,
            now=self.now,
        )


class Decision(Transition):
    write_scope = "manage"  # as the page says that makes tokens: requests are managed
    approve = False

    def step(self, reservation_id: UUID, data: dict[str, Any], expected: int | None) -> None:
        reservation_decide(
            actor=self.actor,
            reservation_id=reservation_id,
            approve=self.approve,
            reason=data["reason"],
            expected_version=expected,
            now=self.now,
        )


class Approve(Decision):
    approve = True

    @described("reservation_approve", _("Approve"))
    def post(self, request: Request, reservation_id: UUID) -> HttpResponseBase:
        """For the host's managers, never on their own request. Past the deadline: 409
        `wrong-state`."""
        return super().post(request, reservation_id)


class Reject(Decision):
    @described("reservation_reject", _("Reject"), sends={"reason": "Under repair that week."})
    def post(self, request: Request, reservation_id: UUID) -> HttpResponseBase:
        """For the host's managers, with a reason. It costs nothing."""
        return super().post(request, reservation_id)


class FeeShape(serializers.Serializer[Any]):
    percent = serializers.CharField()
    fee = Money()
    tax = Money()
    reason = serializers.ChoiceField(
        ["terms", "never-confirmed", "by-host", "second-thoughts"],
        help_text="By the card's terms; or free: it was never confirmed, the host does it, or its "
        "person thinks again within ten minutes of making it and more than sixty before its start, "
        "once a day and instrument, never after a move.",
    )
    free_until = Instant(allow_null=True, help_text="Of second thoughts.")


class CancellationShape(FeeShape):
    """By the terms of the frozen rate card; the tax is on the fee."""


def fee_json(fee: CancellationFee, currency: str) -> dict[str, Any]:
    return {
        "percent": format_number(fee.percent),
        "fee": amount(fee.fee, currency),
        "tax": amount(fee.tax, currency),
        "reason": fee.reason,
        "free_until": rfc3339(fee.free_until) if fee.free_until else None,
    }


class Cancellation(Endpoint):
    needs_person = True

    @operation(
        "reservation_cancellation",
        _("What cancelling now would cost"),
        tag=TAG,
        gives=CancellationShape,
        refuses=[404, 409],
    )
    def get(self, request: Request, reservation_id: UUID) -> Response:
        """For the payer. Nothing for a request that was never confirmed, nothing when the
        host's manager who asks would cancel, and nothing as second thoughts. 409 once it cannot be
        cancelled any more."""
        found = load_one(self.actor, reservation_id)
        fee = cancellation_for(self.actor, found, self.now)
        currency = found.current_quotes[0].currency  # type: ignore[attr-defined]
        return Response(fee_json(fee, currency))
