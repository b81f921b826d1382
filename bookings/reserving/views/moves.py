"""Moving a booking or changing its length, with a preview."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django_htmx.http import HttpResponseClientRefresh

from accounts.domain.errors import NotFound, NotPermitted, Refused
from accounts.domain.roles import Actor, By
from accounts.selectors.memberships import place_of
from accounts.views.pages import act, by_of, edits, is_part
from bookings.catalogue.forms.periods import PeriodForm
from bookings.catalogue.views.weeks import week_of
from bookings.pricing.domain.quotes import input_to_json, minimum_charged
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.forms.fields import local_moment
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import clashes_of, manages, reservation_by_id
from bookings.reserving.forms.moves import MoveForm
from bookings.reserving.selectors.moves import load_move
from bookings.reserving.services.moves import reservation_move
from instruments.register.selectors.registry import instrument_to_book


@edits
def move(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    """Show the form with a preview; POST moves the booking. For htmx it is a dialog, or the preview alone."""
    by = by_of(request)
    actor = by.actor
    reservation = reservation_by_id(actor, reservation_id)
    zone = reservation.instrument.facility.zone
    is_by_host = acts_as_host(actor, reservation)
    is_sent = request.method == "POST" or "end" in request.GET
    data = request.POST if request.method == "POST" else request.GET
    given = PeriodForm(request.GET)
    present = Period(reservation.start_at, reservation.end_at)
    target = given.period() if given.is_valid() else present  # the time to which it was dragged
    initial = {
        "start": local_moment(target.start, zone),
        "end": local_moment(target.end, zone),
        "version": reservation.version,
    }
    form = MoveForm(data if is_sent else None, zone=zone, initial=initial)
    address = reverse("bookings:move", args=[reservation.pk])

    if is_part(request, "week"):
        shown = week_to_move(request, by, reservation, address)
        return render(request, "bookings/catalogue/week.html", shown)

    def page(status: int = 200, refused: Refused | None = None, **_: Any) -> HttpResponse:
        period: Period | None = target
        if form.is_bound:
            form.is_valid()
            period = None if {"start", "end"} & set(form.errors) else form.period()
        preview = None
        if period and period != present:
            preview = load_move(actor, reservation, period, by.now)
        late = refused.refusals if isinstance(refused, RulesRefuse) else ()
        refusals = (preview.refusals if preview else ()) or late
        overridable = preview.overridable if preview and is_by_host else ()
        context = {
            "reservation": reservation,
            "zone": zone.key,
            "form": form,
            "period": period,
            "present": present,
            "preview": preview,
            "minimum": minimum_charged(input_to_json(preview.given)) if preview and preview.given else 0,
            "refusals": refusals,
            "overridable": [refusal for refusal in refusals if refusal.code in overridable],
            "ticked": set(form["override"].value() or []) if is_sent else set(),
            "refused": refused if not isinstance(refused, RulesRefuse) else None,
            "is_own": reservation.user_id == actor.user_id,
            "is_by_host": is_by_host,
            "clashes": clashes_of(actor, period, by.now).exclude(pk=reservation.pk)
            if preview and period and actor.user_id == reservation.user_id
            else (),
        }
        template = "bookings/reserving/move.html"
        if request.htmx:  # type: ignore[attr-defined]
            template += "#preview" if is_part(request, "preview") else "#dialog"
        else:
            context |= week_to_move(request, by, reservation, address)
        return render(request, template, context, status=status)

    return act(
        request,
        page,
        lambda by, data: reservation_move(
            by,
            reservation_id=reservation.pk,
            period=form.period(),
            override=data["override"],
            reason=data["reason"],
        ),
        to=lambda _: (
            HttpResponseClientRefresh()
            if request.htmx  # type: ignore[attr-defined]
            else redirect("bookings:reservation", reservation_id=reservation.pk)
        ),
        done=lambda moved: (
            gettext(
                "Moved, and the earlier time given up. The owner has to agree again and will answer by mail."
            )
            if moved.state == "requested" and reservation.state != "requested"
            else gettext("Moved.")
        ),
        form=form,
    )


def week_to_move(request: HttpRequest, by: By, reservation: Reservation, page: str) -> dict[str, Any]:
    """Return the context that shows the week of a booking's instrument on the page that moves it; empty if
    the reader may no longer see the instrument."""
    try:
        instrument = instrument_to_book(by.actor, reservation.instrument_id)
    except NotFound:
        return {}
    payer = reservation.organisation
    shown = week_of(by.actor, instrument, payer, request, by.now, page=page, moving=reservation)
    return {"instrument": instrument, **shown}


def acts_as_host(actor: Actor, reservation: Reservation) -> bool:
    """Say whether the actor acts for the host, on a booking that is not their own. Raise `NotPermitted` if
    they may only read it."""
    if actor.user_id in {reservation.user_id, reservation.made_by_id}:
        return False
    is_host = manages(actor, reservation)
    if not is_host and not actor.may("book-for-members", place_of(reservation.organisation)):
        raise NotPermitted
    return is_host
