"""Opening hours of one instrument."""

from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.permissions import actor_of
from instruments.domain.opening import local_date, parse_hours
from instruments.forms import OpeningForm
from instruments.forms.opening import SUGGESTION
from instruments.selectors.managing import instrument_to_manage
from instruments.selectors.misfits import Misfit, load_misfits, mark_of
from instruments.services.opening import opening_hours_set


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def opening_hours(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """The week on a grid, and dated exceptions. `fill` copies Monday without saving. Which
    bookings new hours would leave outside is shown before they are saved."""
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_to_manage(actor, instrument_id)
    schedule = instrument.schedule
    is_fill = "fill" in request.POST
    form = OpeningForm(
        request.POST if request.method == "POST" else None,
        hours=parse_hours(schedule.hours) if schedule else SUGGESTION,
        today=local_date(ZoneInfo(instrument.facility.time_zone), now),
        fill=is_fill,
    )
    misfits: list[Misfit] = []
    if form.is_bound and not is_fill and form.is_valid():
        misfits = load_misfits(instrument, now, hours=form.hours)
        if not misfits or request.POST.get("seen") == mark_of(misfits):
            opening_hours_set(actor=actor, instrument_id=instrument.pk, hours=form.hours, now=now)
            messages.success(request, gettext("Opening hours set."))
            return redirect("instruments:instrument-manage", instrument_id=instrument.pk)
    context = {
        "form": form,
        "instrument": instrument,
        "is_suggestion": schedule is None,
        "misfits": misfits,
        "seen": mark_of(misfits),
    }
    status = 409 if misfits else 400 if form.errors and not is_fill else 200
    return render(request, "instruments/opening.html", context, status=status)
