"""Taking an instrument out of service, and back into service."""

from functools import partial
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import Refused
from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.views.pages import act, by_of, edits, writes
from bookings.availability.selectors.cuts import InTheWay
from bookings.catalogue.selectors.units import units_of
from bookings.record.forms.fields import local_moment
from bookings.record.messages import sentence
from bookings.usage.forms.closures import ClosureEndForm, ClosureForm
from bookings.usage.selectors.closures import instrument_of, not_over, past, with_costs, with_cuts
from bookings.usage.services.closures import closure_create, closure_delete, closure_end
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_to_manage

PAGE = 20


@edits
def closures(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Show present and past closures; POST closes the instrument. Bookings in the way are listed first, and
    displaced only when the form is sent again with `displace`."""
    by = by_of(request)
    instrument = instrument_to_manage(by.actor, instrument_id)
    form = _form(instrument, request.POST if request.method == "POST" else None, by)
    return act(
        request,
        partial(_page, request, instrument),
        lambda by, data: closure_create(
            by, instrument_id=instrument.pk, outage=form.outage(), displace=data["displace"]
        ),
        to=reverse("bookings:closures", args=[instrument.pk]),
        done=gettext("Closed for this time."),
        form=form,
    )


@writes
def end(request: HttpRequest, closure_id: UUID) -> HttpResponse:
    """End a closure, now or at the given moment in the instrument's time zone."""
    instrument = instrument_to_manage(actor_of(request.user), instrument_of(closure_id))
    form = ClosureEndForm(request.POST, zone=instrument.facility.zone)
    return act(
        request,
        partial(
            _page,
            request,
            instrument,
            problem=gettext("This closure has ended already."),
            ending_id=closure_id,
        ),
        lambda by, data: closure_end(by, closure_id=closure_id, end=data["end"]),
        to=reverse("bookings:closures", args=[instrument.pk]),
        done=gettext("The end of the closure is set."),
        form=form,
        name="end_form",
    )


@writes
def delete(request: HttpRequest, closure_id: UUID) -> HttpResponse:
    """Withdraw a closure that has not begun."""

    def page(**context: Any) -> HttpResponse:
        instrument = instrument_to_manage(actor_of(request.user), instrument_of(closure_id))
        text = gettext("This closure has begun: it can be ended, not withdrawn.")
        return _page(request, instrument, problem=text, **context)

    return act(
        request,
        page,
        lambda by, _: closure_delete(by, closure_id=closure_id),
        to=lambda instrument: reverse("bookings:closures", args=[instrument.pk]),
        done=gettext("Withdrawn: the time can be booked again."),
    )


def _form(instrument: Instrument, data: Any, by: By) -> ClosureForm:
    zone = instrument.facility.zone
    return ClosureForm(
        data, zone=zone, units=units_of(instrument), initial={"start": local_moment(by.now, zone)}
    )


def _page(
    request: HttpRequest,
    instrument: Instrument,
    *,
    status: int = 200,
    form: ClosureForm | None = None,
    end_form: ClosureEndForm | None = None,
    refused: Refused | None = None,
    problem: str = "",
    **more: Any,
) -> HttpResponse:
    """Show the page of an instrument's closures; `problem` is shown for an act that is not possible in the
    present state."""
    by = by_of(request)
    in_the_way: Any = ()
    if isinstance(refused, InTheWay) and form is not None:
        in_the_way = with_costs(by.actor, refused.reservations, form.outage().start)
    elif refused is None:
        problem = _wrong(end_form) if end_form is not None else ""
    page = Paginator(past(instrument, by.now), PAGE).get_page(request.GET.get("page"))
    ahead = list(not_over(instrument, by.now))
    with_cuts(instrument, [*ahead, *page.object_list])
    context = {
        "instrument": instrument,
        "zone": instrument.facility.time_zone,
        "form": form or _form(instrument, None, by),
        "coming": [closure for closure in ahead if closure.start_at > by.now],
        "running": [closure for closure in ahead if closure.start_at <= by.now],
        "page": page,
        "end_form": end_form,
        "in_the_way": in_the_way,
        "refused": problem,
        **more,
    }
    return render(request, "bookings/usage/closures.html", context, status=status)


def _wrong(form: ClosureEndForm) -> str:
    """Return in one line what is wrong with a form for a closure."""
    return " ".join(
        sentence(str(error.code), error.params) if text == error.code else text
        for several in form.errors.as_data().values()
        for error in several
        for text in error.messages
    )
