"""Moving a booking, or changing its length: what would happen, and doing it."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from accounts.domain.errors import Invalid, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import Actor, By
from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from bookings.catalogue.forms.periods import PeriodForm
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.forms.fields import local_moment
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import reservation_by_id
from bookings.reserving.forms.moves import MoveForm
from bookings.reserving.selectors.moves import load_move
from bookings.reserving.services.moves import reservation_move


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    """The form with what would happen; POST moves. Asked for by htmx it is a dialog, or the
    part of it that says what would happen."""
    now, actor = timezone.now(), actor_of(request.user)
    reservation = reservation_by_id(actor, reservation_id)
    zone = ZoneInfo(reservation.instrument.facility.time_zone)
    _require(actor, reservation)
    is_sent = request.method == "POST" or "end" in request.GET
    data = request.POST if request.method == "POST" else request.GET
    form = MoveForm(
        data if is_sent else None, zone=zone, initial=_initial(request, reservation, zone)
    )
    refused: Any = None
    late: Any = ()  # what refused it only when it was tried
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            moved = reservation_move(
                By(actor, now, form.cleaned_data["version"]),
                reservation_id=reservation.pk,
                period=form.period(),
                override=form.cleaned_data["override"],
                reason=form.cleaned_data["reason"],
            )
        except RulesRefuse as problem:
            late, status = problem.refusals, 409
        except (WrongState, WrongVersion) as problem:
            refused, status = problem, 409
        except Invalid as problem:
            form.refuse(problem.problems)
        else:
            messages.success(request, _done(reservation, moved))
            if request.htmx:  # type: ignore[attr-defined]
                return HttpResponseClientRefresh()
            return redirect("bookings:reservation", reservation_id=reservation.pk)
    period = _period(form, request, reservation)
    present = Period(reservation.start_at, reservation.end_at)
    preview = load_move(actor, reservation, period, now) if period and period != present else None
    if form.errors and request.method == "POST":
        status = 400
    is_by_host = actor.user_id not in {reservation.user_id, reservation.made_by_id} and actor.may(
        "manage-instruments", place_of(reservation.host)
    )
    refusals = (preview.refusals if preview else ()) or late
    overridable = preview.overridable if preview and is_by_host else ()
    context = {
        "reservation": reservation,
        "zone": zone.key,
        "form": form,
        "period": period,
        "preview": preview,
        "refusals": refusals,
        "overridable": [refusal for refusal in refusals if refusal.code in overridable],
        "ticked": set(form["override"].value() or []) if is_sent else set(),
        "refused": refused,
        "is_own": reservation.user_id == actor.user_id,
        "is_by_host": is_by_host,
    }
    template = "bookings/reserving/move.html"
    if request.htmx:  # type: ignore[attr-defined]
        template += "#preview" if request.htmx.target == "preview" else "#dialog"  # type: ignore[attr-defined]
    return render(request, template, context, status=status)


def _require(actor: Actor, reservation: Reservation) -> None:
    """`NotPermitted` for those who may only look at it."""
    if actor.user_id in {reservation.user_id, reservation.made_by_id}:
        return
    if not (
        actor.may("manage-instruments", place_of(reservation.host))
        or actor.may("book-for-members", place_of(reservation.organisation))
    ):
        raise NotPermitted


def _initial(request: HttpRequest, reservation: Reservation, zone: ZoneInfo) -> dict[str, Any]:
    """Where it is, or where it was dragged to."""
    asked = PeriodForm(request.GET)
    period = (
        asked.period() if asked.is_valid() else Period(reservation.start_at, reservation.end_at)
    )
    return {
        "start": local_moment(period.start, zone),
        "end": local_moment(period.end, zone),
        "version": reservation.version,
    }


def _period(form: MoveForm, request: HttpRequest, reservation: Reservation) -> Period | None:
    """The period the form speaks of; None where it cannot be read."""
    if form.is_bound:
        form.is_valid()
        return None if {"start", "end"} & set(form.errors) else form.period()
    return _dragged(request, reservation)


def _dragged(request: HttpRequest, reservation: Reservation) -> Period:
    """The period that the address names; without one the booking's own."""
    times = PeriodForm(request.GET)
    if times.is_valid():
        return times.period()
    return Period(reservation.start_at, reservation.end_at)


def _done(before: Reservation, moved: Reservation) -> str:
    if moved.state == "requested" and before.state != "requested":
        return gettext("Moved. The owner has to agree again and will answer by mail.")
    return gettext("Moved.")
