"""Checking in and out."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from accounts.views.pages import writes
from bookings.catalogue.selectors.units import units_of
from bookings.overview.views.reservations import answered
from bookings.record.models import UsageSession
from bookings.usage.forms.usage import CheckOutForm
from bookings.usage.services.usage import reservation_check_in, reservation_check_out


@writes
def check_in(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    return answered(
        request,
        reservation_id,
        lambda by, _: reservation_check_in(by, reservation_id=reservation_id),
        _checked_in,
    )


def _checked_in(session: UsageSession) -> str:
    """Where: who comes early may be on another unit than was booked."""
    if units_of(session.instrument) == 1:
        return gettext("You are checked in.")
    return gettext("You are checked in, on unit {n}.").format(n=session.unit)


@writes
def check_out(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    return answered(
        request,
        reservation_id,
        lambda by, data: reservation_check_out(by, reservation_id=reservation_id, **data),
        gettext("You are checked out. What is left of the time is free again."),
        CheckOutForm(request.POST),
        "check_out_form",
    )
