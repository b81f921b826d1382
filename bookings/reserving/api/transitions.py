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
        ["terms", "moved", "never-confirmed", "by-host", "second-thoughts"],
        source="fee.reason",
        help_text="`terms`: by the rate card's terms. `moved`: what cancelling would have cost before "
        "the late move. The others are free: the booking was never confirmed, the host "
        "cancels it, or its person cancels within ten minutes of making it and more than "
        "sixty minutes before its start (once a day per instrument).",
    )
    free_until = Instant(
        allow_null=True,
        source="fee.free_until",
        help_text="Until when the person may cancel free of charge after making the booking.",
    )


class CancellationShape(FeeShape):
    """The fee by the terms of the frozen rate card, and the tax on it."""


class Transitions(ReservationResource):
    """Steps of a reservation."""

    @acts(_("Cancel"), ReasonBody, refuses=REFUSES)
    def cancel(self, pk: UUID, data: dict[str, Any]) -> None:
        """Cancel a reservation, as its person, a manager of the payer, or a manager of the host, who must
        give a reason. The fee is that of `cancellation/`; there is none for a request that was never
        confirmed, nor if the host cancels."""
        reservation_cancel(self.by, reservation_id=pk, **data)

    # The scope is the one that the page for making tokens names: requests are managed.
    @acts(_("Approve"), ReasonBody, refuses=REFUSES, scope="manage")
    def approve(self, pk: UUID, data: dict[str, Any]) -> None:
        """Approve a request, as a manager of the host; nobody may approve their own. After the deadline: 409
        `wrong-state`."""
        reservation_decide(self.by, reservation_id=pk, approve=True, **data)

    @acts(
        _("Reject"), ReasonBody, refuses=REFUSES, scope="manage", sends={"reason": "Under repair that week."}
    )
    def reject(self, pk: UUID, data: dict[str, Any]) -> None:
        """Decline a request, as a manager of the host, with a reason. It costs nothing."""
        reservation_decide(self.by, reservation_id=pk, approve=False, **data)


class Cancellation(ReservationResource):
    needs_person = True

    @tells(_("Cost of cancelling now"), CancellationShape, refuses=[404, 409])
    def cancellation(self, pk: UUID) -> Any:
        """Return the fee that the payer would owe for cancelling now. It is 0 for a request that was never
        confirmed, if you would cancel as the host's manager, and on second thoughts. 409 once it can no
        longer be cancelled."""
        reservation = self.visible(pk)
        reservation.fee = cancellation_for(self.actor, reservation, self.now)
        reservation.currency = reservation.current_quotes[0].currency
        return reservation
