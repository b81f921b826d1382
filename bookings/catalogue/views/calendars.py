"""Pages of a person's own bookings on all instruments, as a calendar and as a list of days."""

from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.letters.words import named
from accounts.permissions import actor_of
from accounts.views.pages import reads
from bookings.catalogue.forms.calendars import CalendarForm
from bookings.catalogue.selectors.calendars import load_own
from bookings.catalogue.views import events
from bookings.record.domain.periods import Period
from bookings.record.domain.reservations import effective_state
from bookings.record.models import Reservation
from instruments.reading.domain.clock import day_span, local_date


@reads
def mine(request: HttpRequest) -> HttpResponse:
    """Show a week or a month in the reader's own time zone, because their bookings may lie in several
    zones."""
    now, actor = timezone.now(), actor_of(request.user)
    zone = ZoneInfo(actor.time_zone)
    form = CalendarForm(request.GET)
    today = local_date(zone, now)
    view = form.value("view") or "week"
    shown_day = form.value("date") or today
    first, last = _days(shown_day, view)
    span = Period(day_span(zone, first)[0], day_span(zone, last)[1])
    own = [r for r in load_own(actor, span) if _state(r, now) != "expired"]
    for reservation in own:
        reservation.shown_state = _state(reservation, now)  # type: ignore[attr-defined]
        reservation.shown_label = Reservation.State(reservation.state).label  # type: ignore[attr-defined]
    context = {
        "view": view,
        "zone": zone.key,
        "today": today,
        "asked": shown_day,
        "first": first,
        "last": last,
        "before": _days(first - timedelta(days=1), view)[0],
        "after": last + timedelta(days=1),
        "days": [
            (day, list(several)) for day, several in groupby(own, key=lambda r: local_date(zone, r.start_at))
        ],
        "setup": {
            "zone": zone.key,
            "readerZone": zone.key,
            "zoneNames": events.zone_names(zone.key, *(r.instrument.facility.time_zone for r in own)),
            "locale": events.locale(),
            "offset": events.offset_of(zone, now),
            "first": (shown_day if view == "month" else first).isoformat(),
            "view": view,
            "events": [_event(r, zone, now) for r in own],
        },
    }
    return render(request, "bookings/catalogue/calendar.html", context)


def _days(day: date, view: str) -> tuple[date, date]:
    """Return the first and the last day of the week or month that contains a day."""
    if view == "month":
        first = day.replace(day=1)
        return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    first = day - timedelta(days=day.weekday())
    return first, first + timedelta(days=6)


def _state(reservation: Reservation, now: datetime) -> str:
    return effective_state(reservation.state, reservation.deadline_at, now)


def _event(reservation: Reservation, zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    period = Period(reservation.start_at, reservation.end_at)
    instrument = reservation.instrument
    name = named(instrument)
    state = reservation.state
    return {
        "id": str(reservation.pk),
        "title": name,
        "classNames": [f"is-{state}"],
        "startEditable": state in events.MOVABLE and period.end > now,
        "durationEditable": state in events.STRETCHABLE and period.end > now,
        "extendedProps": {
            "first": name,
            "second": str(Reservation.State(state).label),
            "purpose": named(instrument.facility),
            "from": events.instant(period.start),
            "until": events.instant(period.end),
            "zone": instrument.facility.time_zone,
            "url": reverse("bookings:reservation", args=[reservation.pk]),
            "move": reverse("bookings:move", args=[reservation.pk]),
        },
    } | events.walls(period, zone)
