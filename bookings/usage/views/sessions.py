"""Sessions to complete: booked time that is charged by use, and whose use nobody recorded."""

from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.domain.errors import Invalid, WrongState
from accounts.domain.roles import By
from accounts.permissions import actor_of
from bookings.record.forms.fields import local_moment
from bookings.record.selectors.reservations import reservation_by_id
from bookings.usage.forms.usage import TimesForm
from bookings.usage.selectors.sessions import sessions_to_complete
from bookings.usage.services.sessions import session_complete
from bookings.usage.services.usage import require_user

PAGE = 30


@login_required
@require_safe
def sessions(request: HttpRequest) -> HttpResponse:
    """One's own, and those of instruments one manages, the oldest first."""
    rows = sessions_to_complete(actor_of(request.user))
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    return render(request, "bookings/usage/sessions.html", {"page": page})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def complete(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    """When a booking was used; its charge follows."""
    now, actor = timezone.now(), actor_of(request.user)
    reservation = reservation_by_id(actor, reservation_id)
    require_user(actor, reservation)
    zone = ZoneInfo(reservation.instrument.facility.time_zone)
    initial = {
        "check_in": local_moment(reservation.start_at, zone),
        "check_out": local_moment(min(reservation.end_at, now), zone),
    }
    data = request.POST if request.method == "POST" else None
    form = TimesForm(data, zone=zone, initial=initial)
    refused, status = None, 200
    if form.is_bound and form.is_valid():
        try:
            session_complete(By(actor, now), reservation_id=reservation_id, usage=form.usage())
        except Invalid as problem:
            form.refuse(problem.problems)
        except WrongState as problem:
            refused, status = problem, 409
        else:
            messages.success(request, gettext("Thank you. The booking is charged by these times."))
            return redirect("bookings:reservation", reservation_id=reservation_id)
    context = {"reservation": reservation, "zone": str(zone), "form": form, "refused": refused}
    status = 400 if form.errors else status
    return render(request, "bookings/usage/session.html", context, status=status)
