"""Steps of a reservation: cancelling it, answering a request."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import acts, tells
from accounts.api.shapes import Instant, Money, ReasonBody
from bookings.pricing.selectors.charges import cancellation_for
from bookings.record.api.shapes import PlainNumber
from bookings.reserving.api.reservations import ReservationResource
from bookings.reserving.services.reservations import reservation_cancel, reservation_decide

REFUSES = (404, 409, 422)


class FeeShape(serializers.Serializer[Any]):
    percent = PlainNumber(source="fee.percent")
    fee = Money(source="fee.fee")
    tax = Money(source="fee.tax")
    reason = serializers.ChoiceField(
        ["terms", "never-confirmed", "by-host", "second-thoughts"],
        source="fee.reason",
        help_text="By the card's terms; or free: it was never confirmed, the host does it, or its "
        "person thinks again within ten minutes of making it and more than sixty before its start, "
        "once a day and instrument, never after a move.",
    )
    free_until = Instant(allow_null=True, source="fee.free_until", help_text="Of second thoughts.")


class CancellationShape(FeeShape):
    """By the terms of the frozen rate card; the tax is on the fee."""


class Transitions(ReservationResource):
    """Steps of a reservation."""

    @acts(_("Cancel"), ReasonBody, refuses=REFUSES)
    def cancel(self, pk: UUID, data: dict[str, Any]) -> None:
        """For the person, the payer's managers, and the host's managers, who owe a reason. The
        fee is what `cancellation/` says; it is nothing for a request that was never confirmed
        and for what the host cancels."""
        reservation_cancel(self.by, reservation_id=pk, **data)

    # The scope is as the page says that makes tokens: requests are managed.
    @acts(_("Approve"), ReasonBody, refuses=REFUSES, scope="manage")
    def approve(self, pk: UUID, data: dict[str, Any]) -> None:
        """For the host's managers, never on their own request. Past the deadline: 409
        `wrong-state`."""
        reservation_decide(self.by, reservation_id=pk, approve=True, **data)

    @acts(
        _("Reject"),
        ReasonBody,
        refuses=REFUSES,
        scope="manage",
        sends={"reason": "Under repair that week."},
    )
    def reject(self, pk: UUID, data: dict[str, Any]) -> None:
        """For the host's managers, with a reason. It costs nothing."""
        reservation_decide(self.by, reservation_id=pk, approve=False, **data)


class Cancellation(ReservationResource):
    needs_person = True

    @tells(_("What cancelling now would cost"), CancellationShape, refuses=[404, 409])
    def cancellation(self, pk: UUID) -> Any:
        """For the payer. Nothing for a request that was never confirmed, nothing when the
        host's manager who asks would cancel, and nothing as second thoughts. 409 once it cannot be
        cancelled any more."""
        reservation = self.visible(pk)
        reservation.fee = cancellation_for(self.actor, reservation, self.now)
        reservation.currency = reservation.current_quotes[0].currency
        return reservation
