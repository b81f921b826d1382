"""Checking in and out."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.domain.roles import By
from accounts.permissions import actor_of
from bookings.catalogue.selectors.units import units_of
from bookings.overview.views.reservations import answered, reservation_page
from bookings.record.models import UsageSession
from bookings.usage.forms.usage import CheckOutForm
from bookings.usage.services.usage import reservation_check_in, reservation_check_out


@login_required
@require_POST
def check_in(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    return answered(
        request,
        reservation_id,
        lambda: reservation_check_in(By(actor, now), reservation_id=reservation_id),
        _checked_in,
    )


def _checked_in(session: UsageSession) -> str:
    """Where: who comes early may be on another unit than was booked."""
    if units_of(session.instrument) == 1:
        return gettext("You are checked in.")
    return gettext("You are checked in, on unit {n}.").format(n=session.unit)


@login_required
@require_POST
def check_out(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    form = CheckOutForm(request.POST)
    if not form.is_valid():
        return reservation_page(request, reservation_id, status=400, check_out_form=form)
    data = form.cleaned_data
    return answered(
        request,
        reservation_id,
        lambda: reservation_check_out(
            By(actor, now),
            reservation_id=reservation_id,
            samples=data["samples"],
            rating=data["rating"],
            remarks=data["remarks"],
        ),
        gettext("You are checked out. What is left of the time is free again."),
    )
