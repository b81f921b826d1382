"""Hours: dashboards that sum up, and the rows behind a number."""

from datetime import date, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.domain.errors import NotFound, NotPermitted
from accounts.permissions import actor_of
from bookings.forms import HoursForm
from bookings.selectors.reservations import visible_among
from bookings.selectors.utilisation import day_rows, hours, instrument_day
from bookings.selectors.utilisation_scope import instruments_in, scope_names
from instruments.selectors.registry import instrument_by_id

# What a click on a row of one grouping opens, and by which parameter it narrows.
DOWN = {
    "region": ("organisation", "region"),
    "organisation": ("instrument", "organisation"),
    "facility": ("instrument", "facility"),
    "technique": ("instrument", "technique"),
    "instrument": ("day", "instrument"),
}


@login_required
def hours_by(request: HttpRequest) -> HttpResponse:
    """Hours by region, organisation, instrument and so on, each row opening what is below."""
    now, actor = timezone.now(), actor_of(request.user)
    if not actor.grants:
        raise NotPermitted
    form = HoursForm(request.GET)
    data = form.cleaned_data if form.is_valid() else {}
    today = timezone.localdate(now)
    since = data.get("since") or (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    until = data.get("until") or today
    by = data.get("by") or "region"
    names = ("region", "organisation", "facility", "technique", "instrument")
    narrowed = {name: data[name] for name in names if data.get(name)}
    scope = instruments_in(actor, narrowed)
    rows = hours(instruments=scope, since=since, until=until, by=[by])
    totals = hours(instruments=scope, since=since, until=until, by=[])
    context: dict[str, Any] = {
        "form": form,
        "rows": rows,
        "total": totals[0] if totals else None,
        "since": since,
        "until": until,
        "by": by,
        "by_label": dict(form.fields["by"].choices)[by],  # type: ignore[attr-defined]
        "down": DOWN.get(by),
        "narrowed": scope_names(actor, narrowed),
    }
    return render(request, "bookings/hours.html", context)


@login_required
def rows(request: HttpRequest) -> HttpResponse:
    """What one instrument's day is made of: sessions, closures and no-shows."""
    actor = actor_of(request.user)
    form = HoursForm(request.GET)
    data = form.cleaned_data if form.is_valid() else {}
    day, instrument_id = data.get("since"), data.get("instrument")
    if not isinstance(day, date) or instrument_id is None:
        raise NotFound
    if not instruments_in(actor, {"instrument": instrument_id}).exists():
        raise NotFound
    found = day_rows(instrument_id=instrument_id, day=day)
    if found is None:
        raise NotFound
    context = {
        "instrument": instrument_by_id(actor, instrument_id),
        "day": day,
        "found": found,
        "readable": visible_among(
            actor,
            [row.reservation_id for row in found.sessions] + [row.pk for row in found.no_shows],
        ),
        "states": instrument_day(instrument_id=instrument_id, day=day),
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1),
    }
    return render(request, "bookings/hours_rows.html", context)
