"""Kept hours: of an instrument, for its managers, and those of one's organisations."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from accounts.permissions import actor_of
from accounts.selectors.rows import visible
from accounts.views.pages import act, edits, sent, writes
from bookings.availability.forms.kept_hours import KeptChangeForm, KeptEndForm, KeptForm
from bookings.availability.models import KeptHours
from bookings.availability.selectors.kept_hours import kept_for
from bookings.availability.selectors.misfits import load_unkept
from bookings.availability.services.kept_hours import (
    kept_hours_change,
    kept_hours_end,
    kept_hours_grant,
)
from instruments.models import Instrument
from instruments.selectors.managing import instrument_to_manage

MOST = 100


@login_required
def reading(request: HttpRequest) -> HttpResponse:
    """Show the hours that are kept for one's organisations, and by them."""
    rows = kept_for(actor_of(request.user), timezone.now())[:MOST]
    return render(request, "bookings/availability/kept.html", {"rows": rows})


@edits
def managing(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Show what is kept of an instrument; POST keeps more."""
    instrument = instrument_to_manage(actor_of(request.user), instrument_id)
    form = KeptForm(sent(request))
    return act(
        request,
        partial(_page, request, instrument),
        lambda by, data: kept_hours_grant(by, **form.values(instrument)),
        to=request.path,
        done=gettext("These hours are kept."),
        form=form,
    )


@writes
def changing(request: HttpRequest, kept_id: UUID) -> HttpResponse:
    """Keep more or fewer hours."""
    row = _row(request, kept_id)
    return act(
        request,
        partial(_page, request, row.instrument),
        lambda by, data: kept_hours_change(
            by, kept_id=kept_id, minutes=int(data["hours"] * 60), reason=data["reason"]
        ),
        to=_address(row),
        done=gettext("Saved."),
        form=KeptChangeForm(request.POST),
        name="change_form",
    )


@writes
def ending(request: HttpRequest, kept_id: UUID) -> HttpResponse:
    """Keep them no longer."""
    row = _row(request, kept_id)
    return act(
        request,
        partial(_page, request, row.instrument),
        lambda by, data: kept_hours_end(by, kept_id=kept_id, reason=data["reason"]),
        to=_address(row),
        done=gettext("These hours are kept no longer."),
        form=KeptEndForm(request.POST),
        name="change_form",
    )


def _row(request: HttpRequest, kept_id: UUID) -> KeptHours:
    """One of an instrument that the actor manages."""
    actor = actor_of(request.user)
    row = visible(KeptHours.objects, pk=kept_id)
    row.instrument = instrument_to_manage(actor, row.instrument_id)
    return row


def _address(row: KeptHours) -> str:
    return reverse("bookings:kept-hours-manage", args=[row.instrument_id])


def _page(
    request: HttpRequest, instrument: Instrument, *, status: int = 200, **context: Any
) -> HttpResponse:
    now = timezone.now()
    rows = kept_for(actor_of(request.user), now).filter(instrument=instrument)[:MOST]
    unkept = load_unkept(instrument, now)
    for row in rows:
        row.unkept = unkept.get(row.pk, 0)  # type: ignore[attr-defined]
    context = {
        "form": KeptForm(),
        "instrument": instrument,
        "rows": rows,
        "is_managed": True,
    } | context
    return render(request, "bookings/availability/kept_of.html", context, status=status)
