"""The page for the opening hours of one instrument."""

from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext

from accounts.views.pages import by_of, edits, sent
from instruments.managing.selectors.managing import load_guide
from instruments.managing.selectors.misfits import Misfit, load_misfits, mark_of
from instruments.managing.views.guide import onward
from instruments.opening.domain.opening import parse_hours
from instruments.opening.forms.opening import SUGGESTION, OpeningForm
from instruments.opening.selectors.opening import load_holiday_names
from instruments.opening.services.opening import opening_hours_set
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_to_manage

AHEAD = timedelta(days=400)
SHOWN = 12  # holidays


@edits
def opening_hours(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Show the week on a grid with dated exceptions, and set it. `fill` copies the hours of Monday to Tuesday
    through Friday without saving; `check` only lists the bookings that would fall outside the new hours. They
    are also shown before the hours are saved."""
    by = by_of(request)
    instrument = instrument_to_manage(by.actor, instrument_id)
    schedule = instrument.schedule
    is_fill, is_check = "fill" in request.POST, "check" in request.POST
    today = local_date(ZoneInfo(instrument.facility.time_zone), by.now)
    form = OpeningForm(
        sent(request),
        hours=parse_hours(schedule.hours) if schedule else SUGGESTION,
        today=today,
        fill=is_fill,
    )
    misfits: list[Misfit] = []
    if form.is_bound and not is_fill and form.is_valid():
        misfits = load_misfits(instrument, by.now, hours=form.hours)
        is_seen = not misfits or request.POST.get("seen") == mark_of(misfits)
        if is_seen and not is_check:
            opening_hours_set(by, instrument_id=instrument.pk, hours=form.hours)
            messages.success(request, gettext("Opening hours set."))
            return redirect(onward(instrument, by.now, "opening-hours"))
    context = {
        "form": form,
        "instrument": instrument,
        "is_suggestion": schedule is None,
        "misfits": misfits,
        "seen": mark_of(misfits),
    }
    if is_check:
        return render(request, "instruments/affected.html", context)
    context |= {
        "clock": [f"{hour:02d}" for hour in range(0, 24, 3)],
        "holidays": _holidays(instrument, today),
        "guide": load_guide(instrument, by.now, "opening-hours"),
    }
    status = 409 if misfits else 400 if form.errors and not is_fill else 200
    return render(request, "instruments/opening.html", context, status=status)


def _holidays(instrument: Instrument, today: date) -> list[tuple[date, str]]:
    language = "zh_CN" if (get_language() or "").startswith("zh") else "en_US"
    names = load_holiday_names(instrument, today, today + AHEAD, language)
    return list(names.items())[:SHOWN]
