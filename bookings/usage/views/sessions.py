"""Pages for sessions to complete: bookings that are charged by use, and whose use nobody recorded."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.views.pages import act, by_of, edits, reads
from bookings.record.forms.fields import local_moment
from bookings.record.selectors.reservations import reservation_at_work
from bookings.record.views.lists import ListPage
from bookings.usage.forms.usage import TimesForm
from bookings.usage.selectors.sessions import SESSIONS
from bookings.usage.services.sessions import session_complete
from bookings.usage.services.usage import require_user

LIST = ListPage("bookings/usage/sessions.html", SESSIONS)


@reads
def sessions(request: HttpRequest) -> HttpResponseBase:
    """List the reader's own bookings to complete, and those of instruments they operate, the oldest first."""
    return LIST.answer(request, by_of(request))


@edits
def complete(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    """Enter when a booking was actually used; it is then charged."""
    by = by_of(request)
    reservation, _ = reservation_at_work(by.actor, reservation_id)
    require_user(by.actor, reservation)
    zone = reservation.instrument.facility.zone
    initial = {
        "check_in": local_moment(reservation.start_at, zone),
        "check_out": local_moment(min(reservation.end_at, by.now), zone),
    }
    data = request.POST if request.method == "POST" else None
    form = TimesForm(data, zone=zone, initial=initial)

    def page(status: int = 200, **context: Any) -> HttpResponse:
        context |= {"reservation": reservation, "zone": zone.key}
        return render(request, "bookings/usage/session.html", context, status=status)

    return act(
        request,
        page,
        lambda by, _: session_complete(by, reservation_id=reservation_id, usage=form.usage()),
        to=reverse("bookings:reservation", args=[reservation_id]),
        done=gettext("Thank you. The booking is charged by these times."),
        form=form,
    )
