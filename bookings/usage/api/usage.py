"""Checking in and out."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from accounts.api.shapes import Nothing, Shape, Text, Whole
from bookings.reserving.api.transitions import Transition, described
from bookings.usage.services.usage import reservation_check_in, reservation_check_out


class CheckOutBody(Shape):
    samples = Whole(min_value=0, max_value=1_000_000, required=False, allow_null=True)
    rating = Whole(min_value=1, max_value=5, required=False, allow_null=True)
    remarks = Text(1000, default="", allow_blank=True)


class CheckIn(Transition):
    body = Nothing

    @described("reservation_check_in", _("Check in"), takes=Nothing)
    def post(self, request: Request, reservation_id: UUID) -> HttpResponseBase:
        """From 15 minutes before the start to the end. Early, on another unit where the booked one
        is not free yet; where none is, `still-in-use` names in `nearest` from when one is."""
        return super().post(request, reservation_id)

    def step(self, reservation_id: UUID, data: dict[str, Any], expected: int | None) -> None:
        reservation_check_in(
            actor=self.actor,
            reservation_id=reservation_id,
            expected_version=expected,
            now=self.now,
        )


class CheckOut(Transition):
    body = CheckOutBody

    @described(
        "reservation_check_out",
        _("Check out"),
        takes=CheckOutBody,
        sends={"samples": 3, "rating": 5, "remarks": "The stage drifts a little."},
    )
    def post(self, request: Request, reservation_id: UUID) -> HttpResponseBase:
        """Ends the session; what is left of the slot is free at once."""
        return super().post(request, reservation_id)

    def step(self, reservation_id: UUID, data: dict[str, Any], expected: int | None) -> None:
        reservation_check_out(
            actor=self.actor,
            reservation_id=reservation_id,
            samples=data.get("samples"),
            rating=data.get("rating"),
            remarks=data["remarks"],
            expected_version=expected,
            now=self.now,
        )
