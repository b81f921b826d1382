"""The manager's board: all instruments as rows, time across."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts.domain.errors import Invalid, NotPermitted
from accounts.domain.roles import Actor, By
from accounts.permissions import actor_of
from bookings.availability.selectors.cuts import InTheWay
from bookings.catalogue.forms.calendars import BoardForm
from bookings.catalogue.forms.periods import PeriodForm
from bookings.catalogue.selectors.calendars import Entry, Row, load_board, load_in_the_way
from bookings.catalogue.views.events import (
    instant,
    lane_of,
    locale,
    named,
    offset_of,
    row_events,
    walls,
)
from bookings.record.domain.periods import Period
from bookings.record.forms.fields import local_moment
from bookings.usage.forms.closures import ClosureForm
from bookings.usage.selectors.closures import with_costs, with_people
from bookings.usage.services.closures import closure_create
from instruments.domain.opening import day_span, local_date
from instruments.models import Instrument
from instruments.selectors.managing import instrument_to_manage
from instruments.selectors.registry import managed_instruments

MOST = 400  # rows at once
LISTED = 50  # in the list on one page
LONGEST = 31  # days at once
UNTIL_KNOWN = timedelta(days=5 * 365)  # how far a closure without an end is looked at


@dataclass(frozen=True)
class Chosen:
    """What of the board is looked at: which instruments, in which zone, which local days."""

    instruments: list[Instrument]
    zone: ZoneInfo
    zones: list[str]
    first: date
    days: int

    @property
    def span(self) -> Period:
        last = self.first + timedelta(days=self.days - 1)
        return Period(day_span(self.zone, self.first)[0], day_span(self.zone, last)[1])


@login_required
@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """The page: as a list of what is booked, over which the script draws the board."""
    now, actor = timezone.now(), actor_of(request.user)
    everything = _managed(actor)
    form = BoardForm(request.GET, instruments=everything)
    chosen = _chosen(form, everything, now)
    page = Paginator(chosen.instruments, LISTED).get_page(request.GET.get("page"))
    rows = load_board(actor, list(page.object_list), chosen.span, now)
    view = form.value("view") or "week"
    today = local_date(chosen.zone, now)
    step = timedelta(days=7 if view == "week" else 1)
    context = {
        "form": form,
        "view": view,
        "rows": [(row, *_over_and_coming(row, chosen.span, now)) for row in rows],
        "page": page,
        "total": len(everything),
        "is_cut": len(chosen.instruments) < len(_fitting(form, everything)),
        "zone": chosen.zone.key,
        "zones": chosen.zones,
        "first": chosen.first,
        "last": chosen.first + timedelta(days=chosen.days - 1),
        "today": today,
        "before": chosen.first - step,
        "after": chosen.first + step,
        "now": now,
        "setup": {
            "zone": chosen.zone.key,
            "readerZone": actor.time_zone,
            "locale": locale(),
            "offset": offset_of(chosen.zone, now),
            "first": chosen.first.isoformat(),
            "days": chosen.days,
            "snap": _snap(chosen.instruments),
        },
    }
    return render(request, "bookings/usage/board.html", context)


@login_required
@require_safe
def events(request: HttpRequest) -> HttpResponse:
    """Rows and what is on them from local day `start` until before `end`, as JSON."""
    now, actor = timezone.now(), actor_of(request.user)
    everything = _managed(actor)
    form = BoardForm(request.GET, instruments=everything)
    start, end = form.value("start"), form.value("end")
    if not start or not end or not 0 < (end - start).days <= LONGEST:
        return HttpResponse(status=400)
    chosen = _chosen(form, everything, now, days=(start, end))
    rows = load_board(actor, chosen.instruments, chosen.span, now)
    drawn: list[dict[str, Any]] = []
    for row in rows:
        drawn += row_events(row, chosen.zone, chosen.span, now, is_manager=True)
    resources = [_resource(row, chosen.zone) for row in rows]
    return JsonResponse({"resources": resources, "events": drawn})


def _over_and_coming(row: Row, span: Period, now: datetime) -> tuple[list[Entry], list[Entry]]:
    """What of the row is over, and the rest; of days that are all over nothing is set apart."""
    over = [
        entry
        for entry in row.entries
        if span.end > now and entry.period.end <= now and entry.state != "in_use"
    ]
    return over, [entry for entry in row.entries if entry not in over]


def _resource(row: Row, zone: ZoneInfo) -> dict[str, Any]:
    instrument = row.instrument
    props = {
        "facility": named(instrument.facility.name, instrument.facility.name_zh),
        "zone": instrument.facility.time_zone,
        "instrument": str(instrument.pk),
        "url": reverse("instruments:instrument-manage", args=[instrument.pk]),
        "opened": [list(walls(period, zone).values()) for period in row.opened],
    }
    lines: dict[str, Any] = {
        "id": str(instrument.pk),
        "title": named(instrument.name, instrument.name_zh),
        "extendedProps": props | {"unit": 0, "lanes": row.units > 1},
    }
    if row.units > 1:
        lines["children"] = [
            {
                "id": lane_of(row, unit),
                "title": gettext("unit {unit}").format(unit=unit),
                "extendedProps": props | {"unit": unit},
            }
            for unit in range(1, row.units + 1)
        ]
    return lines


def _managed(actor: Actor) -> list[Instrument]:
    if not actor.organisations_where("manage-instruments"):
        raise NotPermitted(capability="manage-instruments")
    found = managed_instruments(actor).exclude(publication=Instrument.Publication.RETIRED)
    return list(found.prefetch_related("techniques"))


def _fitting(form: BoardForm, everything: list[Instrument]) -> list[Instrument]:
    facility, technique = form.value("facility"), form.value("technique")
    text = (form.value("q") or "").casefold()
    return [
        instrument
        for instrument in everything
        if text in f"{instrument.name} {instrument.name_zh} {instrument.model}".casefold()
        and (not facility or str(instrument.facility_id) == facility)
        and (not technique or technique in {t.code for t in instrument.techniques.all()})
    ]


def _chosen(
    form: BoardForm,
    everything: list[Instrument],
    now: datetime,
    days: tuple[date, date] | None = None,
) -> Chosen:
    instruments = _fitting(form, everything)[:MOST]
    # One axis, one zone: the one that most of the instruments have, until another is chosen.
    counted = Counter(i.facility.time_zone for i in instruments).most_common()
    zones = [name for name, _ in counted]
    asked = form.value("zone")
    zone = ZoneInfo(asked if asked in zones else zones[0] if zones else "UTC")
    if days:
        return Chosen(instruments, zone, zones, days[0], (days[1] - days[0]).days)
    first = form.value("date") or local_date(zone, now)
    if (form.value("view") or "week") == "week":
        return Chosen(instruments, zone, zones, first - timedelta(days=first.weekday()), 7)
    return Chosen(instruments, zone, zones, first, 1)


def _snap(instruments: list[Instrument]) -> int:
    """The step of dragging in minutes: the shortest slot of the instruments shown."""
    slots = [i.policy.slot_minutes for i in instruments if hasattr(i, "policy")]
    return max(5, min([*slots, 60]))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def close(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Close the time that was chosen on the board; says first whose bookings give way."""
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_to_manage(actor, instrument_id)
    zone = ZoneInfo(instrument.facility.time_zone)
    units = instrument.policy.units if hasattr(instrument, "policy") else 1
    sent = request.method == "POST" or "kind" in request.GET
    data = request.POST if request.method == "POST" else request.GET
    initial = {"kind": "maintenance"} if sent else _asked(request, zone)
    form = ClosureForm(data if sent else None, zone=zone, units=units, initial=initial)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                closure_create(
                    By(actor, now),
                    instrument_id=instrument.pk,
                    outage=form.outage(),
                    displace=form.cleaned_data["displace"],
                )
            except InTheWay:
                status = 409  # the list below names them
            except Invalid as refused:
                form.refuse(refused.problems)
            else:
                messages.success(request, gettext("Closed for this time."))
                if request.htmx:  # type: ignore[attr-defined]
                    return HttpResponseClientRefresh()
                return redirect("bookings:closures", instrument_id=instrument.pk)
        status = 400 if form.errors else status
    span = _span(form, initial, zone, sent)
    context = {
        "instrument": instrument,
        "zone": zone.key,
        "form": form,
        "span": span,
        "in_the_way": with_costs(
            actor,
            with_people(
                actor, load_in_the_way(instrument, _units(form, initial, sent), span, now), now
            ),
            span.start,
        )
        if span
        else [],
        "is_refused": status == 409,
        "book_url": _book_url(instrument, span) if span and not form.is_bound else "",
        "units": units,
    }
    template = "bookings/usage/board_close.html"
    if request.htmx:  # type: ignore[attr-defined]
        template += "#way" if request.htmx.target == "way" else "#dialog"  # type: ignore[attr-defined]
    return render(request, template, context, status=status)


def _asked(request: HttpRequest, zone: ZoneInfo) -> dict[str, Any]:
    """What the board was dragged over, as the form says it."""
    asked = PeriodForm(request.GET)
    if not asked.is_valid():
        return {"kind": "maintenance"}
    period = asked.period()
    unit = request.GET.get("unit", "")
    return {
        "kind": "maintenance",
        "start": local_moment(period.start, zone),
        "end": local_moment(period.end, zone),
        "period": period,
        "units": [int(unit)] if unit.isdecimal() and len(unit) < 5 and int(unit) else [],
    }


def _span(form: ClosureForm, initial: dict[str, Any], zone: ZoneInfo, sent: bool) -> Period | None:
    """The time the form speaks of, as far as it can be read."""
    if not sent:
        return initial.get("period")
    form.is_valid()
    start, end = form.cleaned_data.get("start"), form.cleaned_data.get("end")
    if start is None or "end" in form.errors:
        return None
    if end is None:
        return Period(start, start + UNTIL_KNOWN)
    return Period(start, end) if end > start else None


def _book_url(instrument: Instrument, span: Period) -> str:
    """The booking form for the same time, at the host's own cost until another payer is chosen."""
    query = {
        "start": instant(span.start),
        "minutes": span.minutes,
        "organisation": instrument.organisation.code,
    }
    return f"{reverse('bookings:book', args=[instrument.pk])}?{urlencode(query)}"


def _units(form: ClosureForm, initial: dict[str, Any], sent: bool) -> list[int]:
    return list(form.cleaned_data.get("units") or []) if sent else initial.get("units", [])
