"""Checking in and out."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts.api.resource import acts
from accounts.api.shapes import Nothing, Shape, Text, Whole
from bookings.reserving.api.reservations import ReservationResource
from bookings.reserving.api.transitions import REFUSES
from bookings.usage.services.usage import reservation_check_in, reservation_check_out


class CheckOutBody(Shape):
    samples = Whole(min_value=0, max_value=1_000_000, required=False, allow_null=True)
    rating = Whole(min_value=1, max_value=5, required=False, allow_null=True)
    remarks = Text(1000, default="", allow_blank=True)


class Usage(ReservationResource):
    @acts(_("Check in"), Nothing, refuses=REFUSES)
    def check_in(self, pk: UUID, data: dict[str, Any]) -> None:
        """From 15 minutes before the start to the end. Early, on another unit where the booked one
        is not free yet; where none is, `still-in-use` names in `nearest` from when one is."""
        reservation_check_in(self.by, reservation_id=pk)

    @acts(
        _("Check out"),
        CheckOutBody,
        refuses=REFUSES,
        sends={"samples": 3, "rating": 5, "remarks": "The stage drifts a little."},
    )
    def check_out(self, pk: UUID, data: dict[str, Any]) -> None:
        """Ends the session; what is left of the slot is free at once."""
        reservation_check_out(self.by, reservation_id=pk, **data)
