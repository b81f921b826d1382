"""Pages of guaranteed hours: those of an instrument, for its managers, and those of the reader's
organisations."""

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
from accounts.views.pages import act, by_of, edits, sent, writes
from bookings.availability.forms.kept_hours import KeptChangeForm, KeptEndForm, KeptForm
from bookings.availability.models import KeptHours
from bookings.availability.selectors.kept_hours import kept_for
from bookings.availability.selectors.misfits import load_unkept
from bookings.availability.services.kept_hours import kept_hours_change, kept_hours_end, kept_hours_grant
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_to_manage

MOST = 100


@login_required
def reading(request: HttpRequest) -> HttpResponse:
    """Show the hours that are guaranteed to the reader's organisations, and by them."""
    rows = kept_for(actor_of(request.user), timezone.now())[:MOST]
    return render(request, "bookings/availability/kept.html", {"rows": rows})


@edits
def managing(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Show the guaranteed hours of an instrument; POST guarantees more."""
    instrument = instrument_to_manage(actor_of(request.user), instrument_id)
    form = KeptForm(sent(request))
    return act(
        request,
        partial(_page, request, instrument),
        lambda by, _: kept_hours_grant(by, **form.values(instrument)),
        to=request.path,
        done=gettext("These hours are guaranteed."),
        form=form,
    )


@writes
def changing(request: HttpRequest, kept_id: UUID) -> HttpResponse:
    """Change the number of guaranteed hours."""
    return act(
        request,
        partial(_page_of, request, kept_id),
        lambda by, data: kept_hours_change(
            by, kept_id=kept_id, minutes=int(data["hours"] * 60), reason=data["reason"]
        ),
        to=_address,
        done=gettext("Saved."),
        form=KeptChangeForm(request.POST),
        name="change_form",
    )


@writes
def ending(request: HttpRequest, kept_id: UUID) -> HttpResponse:
    """End guaranteed hours."""
    return act(
        request,
        partial(_page_of, request, kept_id),
        lambda by, data: kept_hours_end(by, kept_id=kept_id, reason=data["reason"]),
        to=_address,
        done=gettext("These hours are no longer guaranteed."),
        form=KeptEndForm(request.POST),
        name="change_form",
    )


def _page_of(request: HttpRequest, kept_id: UUID, **context: Any) -> HttpResponse:
    """Return the page of the instrument whose hours are guaranteed, for its managers."""
    by = by_of(request)
    row = visible(kept_for(by.actor, by.now), pk=kept_id)
    return _page(request, instrument_to_manage(by.actor, row.instrument_id), **context)


def _address(row: KeptHours) -> str:
    return reverse("bookings:kept-hours-manage", args=[row.instrument_id])


def _page(request: HttpRequest, instrument: Instrument, *, status: int = 200, **context: Any) -> HttpResponse:
    now = timezone.now()
    rows = kept_for(actor_of(request.user), now).filter(instrument=instrument)[:MOST]
    unkept = load_unkept(instrument, now)
    for row in rows:
        row.unkept = unkept.get(row.pk, 0)  # type: ignore[attr-defined]
    context = {"form": KeptForm(), "instrument": instrument, "rows": rows, "is_managed": True} | context
    return render(request, "bookings/availability/kept_of.html", context, status=status)
