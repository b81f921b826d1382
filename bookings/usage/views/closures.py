"""Taking an instrument out of service, and back."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.domain.errors import Invalid, WrongState
from accounts.domain.roles import By
from accounts.permissions import actor_of
from bookings.availability.selectors.cuts import InTheWay
from bookings.record.forms.fields import local_moment
from bookings.record.messages import sentence
from bookings.usage.forms.closures import ClosureEndForm, ClosureForm
from bookings.usage.selectors.closures import instrument_of, not_over, past, with_costs, with_cuts
from bookings.usage.services.closures import closure_create, closure_delete, closure_end
from instruments.models import Instrument
from instruments.selectors.managing import instrument_to_manage

PAGE = 20


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def closures(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """What is closed and was; POST closes. Bookings in the way are listed first, and give way
    only when the same is sent again with `displace`."""
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_to_manage(actor, instrument_id)
    form = _form(instrument, request.POST if request.method == "POST" else None, now)
    in_the_way: Any = ()
    if form.is_bound and form.is_valid():
        try:
            closure_create(
                By(actor, now),
                instrument_id=instrument.pk,
                outage=form.outage(),
                displace=form.cleaned_data["displace"],
            )
        except InTheWay as refused:
            in_the_way = with_costs(actor, refused.reservations, form.outage().start)
        except Invalid as refused:
            form.refuse(refused.problems)
        else:
            messages.success(request, gettext("Closed for this time."))
            return redirect("bookings:closures", instrument_id=instrument.pk)
    status = 409 if in_the_way else 400 if form.errors else 200
    return _page(request, instrument, now, form=form, in_the_way=in_the_way, status=status)


@login_required
@require_POST
def end(request: HttpRequest, closure_id: UUID) -> HttpResponse:
    """End a closure, now or at the moment given in the instrument's zone."""
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_to_manage(actor, instrument_of(closure_id))
    form = ClosureEndForm(request.POST, zone=ZoneInfo(instrument.facility.time_zone))
    status = 400
    if form.is_valid():
        try:
            closure_end(By(actor, now), closure_id=closure_id, end=form.cleaned_data["end"])
        except Invalid as refused:
            form.refuse(refused.problems)
        except WrongState:
            form.add_error(None, gettext("This closure has ended already."))
            status = 409
        else:
            messages.success(request, gettext("The end of the closure is set."))
            return redirect("bookings:closures", instrument_id=instrument.pk)
    return _page(request, instrument, now, end_form=form, ending_id=closure_id, status=status)


@login_required
@require_POST
def delete(request: HttpRequest, closure_id: UUID) -> HttpResponse:
    """Take back a closure that has not begun."""
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_to_manage(actor, instrument_of(closure_id))
    try:
        closure_delete(By(actor, now), closure_id=closure_id)
    except WrongState:
        text = gettext("This closure has begun: it can be ended, not withdrawn.")
        return _page(request, instrument, now, refused=text, status=409)
    messages.success(request, gettext("Withdrawn: the time can be booked again."))
    return redirect("bookings:closures", instrument_id=instrument.pk)


def _form(instrument: Instrument, data: Any, now: datetime) -> ClosureForm:
    units = instrument.policy.units if hasattr(instrument, "policy") else 1
    zone = ZoneInfo(instrument.facility.time_zone)
    start = local_moment(now, zone)
    return ClosureForm(data, zone=zone, units=units, initial={"start": start})


def _page(
    request: HttpRequest,
    instrument: Instrument,
    now: datetime,
    *,
    status: int,
    form: ClosureForm | None = None,
    **more: Any,
) -> HttpResponse:
    end_form: ClosureEndForm | None = more.get("end_form")
    if end_form is not None and end_form.errors:
        errors = end_form.errors.as_data().values()
        more["refused"] = " ".join(
            sentence(str(error.code), error.params) if text == error.code else text
            for several in errors
            for error in several
            for text in error.messages
        )
    page = Paginator(past(instrument, now), PAGE).get_page(request.GET.get("page"))
    ahead = list(not_over(instrument, now))
    with_cuts(instrument, [*ahead, *page.object_list])
    context = {
        "instrument": instrument,
        "zone": instrument.facility.time_zone,
        "form": form or _form(instrument, None, now),
        "coming": [closure for closure in ahead if closure.start_at > now],
        "running": [closure for closure in ahead if closure.start_at <= now],
        "page": page,
        **more,
    }
    return render(request, "bookings/usage/closures.html", context, status=status)
