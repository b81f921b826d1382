"""The manager's board: all instruments as rows, with time across."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django_htmx.http import HttpResponseClientRefresh

from accounts.domain.errors import NotPermitted, Refused
from accounts.domain.roles import Actor, By, Scope
from accounts.letters.words import named
from accounts.views.pages import act, address_of, by_of, edits, is_part, reads
from bookings.availability.selectors.misfits import find_unkept_when_closed
from bookings.catalogue.forms.calendars import BoardForm
from bookings.catalogue.forms.periods import PeriodForm
from bookings.catalogue.selectors.calendars import CalendarEntry, Row, at_present, load_board, load_in_the_way
from bookings.catalogue.selectors.units import units_of
from bookings.catalogue.views.events import form_of, lane_of, locale, offset_of, row_events, walls, zone_names
from bookings.record.domain.periods import Period
from bookings.record.forms.fields import local_moment
from bookings.usage.forms.closures import ClosureForm
from bookings.usage.selectors.closures import with_costs, with_people
from bookings.usage.services.closures import closure_create
from instruments.managing.selectors.managing import Managed, load_managed
from instruments.reading.domain.clock import day_span, local_date
from instruments.register.selectors.registry import (
    instrument_to_manage,
    instruments_in_order,
    operated_instruments,
)

MOST = 400  # rows at once
LISTED = 50  # rows of the list on one page
LONGEST = 31  # days at once
UNTIL_KNOWN = timedelta(days=5 * 365)  # how far ahead a closure without an end is checked


@dataclass(frozen=True)
class Chosen:
    """The part of the board to show: instruments, zone, local days."""

    instruments: list[Managed]
    zone: ZoneInfo
    zones: list[str]
    first: date
    days: int

    @property
    def span(self) -> Period:
        last = self.first + timedelta(days=self.days - 1)
        return Period(day_span(self.zone, self.first)[0], day_span(self.zone, last)[1])


@reads
def board(request: HttpRequest) -> HttpResponse:
    """Show the page: a list of what is booked, over which the script draws the board."""
    by = by_of(request)
    now, actor = by.now, by.actor
    everything = _managed(actor)
    form = BoardForm(request.GET, instruments=everything)
    fitting = _fitting(form, everything, by)
    chosen = _chosen(form, fitting, now)
    page = Paginator(chosen.instruments, LISTED).get_page(request.GET.get("page"))
    rows = _rows(actor, page.object_list, chosen.span, now)
    view = form.value("view") or "week"
    managed = actor.scope_where("manage-instruments")
    today = local_date(chosen.zone, now)
    step = timedelta(days=7 if view == "week" else 1)
    after = chosen.first + step
    query = request.GET.dict() | {"start": chosen.first, "end": after, "zone": chosen.zone.key}
    context = {
        "form": form,
        "view": view,
        "rows": [(row, _is_in(managed, row), *_over_and_coming(row, chosen.span, now)) for row in rows],
        "page": page,
        "total": len(everything),
        "manages": bool(managed),
        "is_cut": len(chosen.instruments) < len(fitting),
        "zone": chosen.zone.key,
        "zones": chosen.zones,
        "first": chosen.first,
        "last": chosen.first + timedelta(days=chosen.days - 1),
        "today": today,
        "before": chosen.first - step,
        "after": after,
        "now": now,
        # If the list fits on one page, the board is drawn from its rows. Otherwise the script requests them.
        "drawn": _drawn(rows, chosen, now, managed) if page.paginator.num_pages == 1 else None,
        "events_url": reverse("bookings:board-events", query=query),
        "setup": {
            "zone": chosen.zone.key,
            "readerZone": actor.time_zone,
            "zoneNames": zone_names(actor.time_zone, *chosen.zones),
            "locale": locale(),
            "offset": offset_of(chosen.zone, now),
            "first": chosen.first.isoformat(),
            "days": chosen.days,
            "snap": _snap(chosen.instruments),
        },
    }
    return render(request, "bookings/usage/board.html", context)


@reads
def events(request: HttpRequest) -> HttpResponse:
    """Return, as JSON, the rows and what is on them from local day `start` until before `end`."""
    by = by_of(request)
    now, actor = by.now, by.actor
    everything = _managed(actor)
    form = BoardForm(request.GET, instruments=everything)
    fitting = _fitting(form, everything, by)
    start, end = form.value("start"), form.value("end")
    if not start or not end or not 0 < (end - start).days <= LONGEST:
        return HttpResponse(status=400)
    chosen = _chosen(form, fitting, now, days=(start, end))
    rows = _rows(actor, chosen.instruments, chosen.span, now)
    return JsonResponse(_drawn(rows, chosen, now, actor.scope_where("manage-instruments")))


def _is_in(managed: Scope, row: Row) -> bool:
    """Return whether the instrument of a row lies in what the reader manages."""
    instrument = row.instrument
    return managed.holds(instrument.organisation_id, instrument.facility_id, instrument.pk)


def _drawn(rows: list[Row], chosen: Chosen, now: datetime, managed: Scope) -> dict[str, Any]:
    """Return what the script draws: the lines of the board, and what is on them. Time is closed by dragging
    on lines that the reader manages."""
    events: list[dict[str, Any]] = []
    for row in rows:
        events += row_events(row, chosen.zone, chosen.span, now, is_manager=True)
    lines = [_resource(row, chosen.zone, is_managed=_is_in(managed, row)) for row in rows]
    return {"resources": lines, "events": events}


def _rows(actor: Actor, chosen: Iterable[Managed], span: Period, now: datetime) -> list[Row]:
    """Return the rows that are shown, whose records are only loaded here."""
    return load_board(actor, instruments_in_order([each.pk for each in chosen]), span, now)


def _over_and_coming(
    row: Row, span: Period, now: datetime
) -> tuple[list[CalendarEntry], list[CalendarEntry]]:
    """Split a row into what is over and the rest; if all its days are over, nothing is split off."""
    over = [entry for entry in row.entries if span.end > now and entry.is_over(now)]
    return over, [entry for entry in row.entries if entry not in over]


def _resource(row: Row, zone: ZoneInfo, *, is_managed: bool) -> dict[str, Any]:
    instrument = row.instrument
    page = "instruments:instrument-manage" if is_managed else "bookings:instrument"
    props = {
        "facility": named(instrument.facility),
        "group": str(instrument.facility_id),
        "zone": instrument.facility.time_zone,
        "instrument": str(instrument.pk),
        "url": address_of(page, instrument.pk),
        "managed": is_managed,
        "opened": [list(walls(period, zone).values()) for period in row.opened],
    }
    lines: dict[str, Any] = {
        "id": str(instrument.pk),
        "title": named(instrument),
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


def _managed(actor: Actor) -> list[Managed]:
    if not actor.scope_where("operate-instruments"):
        raise NotPermitted(capability="operate-instruments")
    return load_managed(actor, operated_instruments)


def _fitting(form: BoardForm, everything: list[Managed], by: By) -> list[Managed]:
    """Return the instruments that fit the form. One statement if it asks how they are at present."""
    facility, technique = form.value("facility"), form.value("technique")
    text = (form.value("q") or "").casefold()
    if present := form.value("present"):
        hosted: QuerySet[Any] = at_present(by.actor, by.now, operated_instruments)
        rows = hosted.filter(present=present)
        found = set(rows.order_by().values_list("pk", flat=True))
        everything = [row for row in everything if row.pk in found]
    return [
        row
        for row in everything
        if text in f"{row.name} {row.name_zh} {row.model}".casefold()
        and (not facility or row.facility.code == facility)
        and (not technique or technique in {t.code for t in row.techniques})
    ]


def _chosen(
    form: BoardForm, fitting: list[Managed], now: datetime, days: tuple[date, date] | None = None
) -> Chosen:
    fitting = sorted(fitting, key=lambda row: (row.facility.name, row.facility.code))
    instruments = fitting[:MOST]
    # There is one time axis in one zone: that of most of the instruments, until another is chosen.
    counted = Counter(i.time_zone for i in instruments).most_common()
    zones = [each for each, _ in counted]
    name = form.value("zone")
    zone = ZoneInfo(name if name in zones else zones[0] if zones else "UTC")
    if days:
        return Chosen(instruments, zone, zones, days[0], (days[1] - days[0]).days)
    first = form.value("date") or local_date(zone, now)
    if (form.value("view") or "week") == "week":
        return Chosen(instruments, zone, zones, first - timedelta(days=first.weekday()), 7)
    return Chosen(instruments, zone, zones, first, 1)


def _snap(instruments: list[Managed]) -> int:
    """Return the step of dragging in minutes: the shortest slot of the instruments shown."""
    slots = [i.slot_minutes for i in instruments if i.slot_minutes]
    return max(5, min([*slots, 60]))


@edits
def close(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Close the time that was chosen on the board; first show whose bookings would be displaced."""
    by = by_of(request)
    instrument = instrument_to_manage(by.actor, instrument_id)
    zone = instrument.facility.zone
    units = units_of(instrument)
    is_sent = request.method == "POST" or "kind" in request.GET
    data = request.POST if request.method == "POST" else request.GET
    initial: dict[str, Any] = {"kind": "maintenance"} if is_sent else _dragged(request, zone)
    form = ClosureForm(data if is_sent else None, zone=zone, units=units, initial=initial)

    def page(status: int = 200, refused: Refused | None = None, **_: Any) -> HttpResponse:
        span: Period | None = _span(form) if is_sent else initial.get("period")
        chosen = form.cleaned_data.get("units") if is_sent else initial.get("units")
        in_the_way: Any = []
        if span:
            displaced = load_in_the_way(instrument, list(chosen or []), span, by.now)
            displaced = with_people(by.actor, displaced, by.now)
            in_the_way = with_costs(by.actor, displaced, span.start)
        context = {
            "instrument": instrument,
            "zone": zone.key,
            "form": form,
            "span": span,
            "in_the_way": in_the_way,
            "unkept": find_unkept_when_closed(instrument, span, chosen or (), by.now) if span else (),
            "is_refused": refused is not None,  # the list names them
            "book_url": form_of(instrument.pk, span, instrument.organisation.code)
            if span and not form.is_bound
            else "",
            "units": units,
        }
        template = "bookings/usage/board_close.html"
        if request.htmx:  # type: ignore[attr-defined]
            template += "#way" if is_part(request, "way") else "#dialog"
        return render(request, template, context, status=status)

    return act(
        request,
        page,
        lambda by, data: closure_create(
            by, instrument_id=instrument.pk, outage=form.outage(), displace=data["displace"]
        ),
        to=lambda _: (
            HttpResponseClientRefresh()
            if request.htmx  # type: ignore[attr-defined]
            else redirect("bookings:closures", instrument_id=instrument.pk)
        ),
        done=gettext("Closed for this time."),
        form=form,
    )


def _dragged(request: HttpRequest, zone: ZoneInfo) -> dict[str, Any]:
    """Return the time over which the board was dragged, as initial values of the form."""
    times = PeriodForm(request.GET)
    if not times.is_valid():
        return {"kind": "maintenance"}
    period = times.period()
    unit = request.GET.get("unit", "")
    return {
        "kind": "maintenance",
        "start": local_moment(period.start, zone),
        "end": local_moment(period.end, zone),
        "period": period,
        "units": [int(unit)] if unit.isdecimal() and len(unit) < 5 and int(unit) else [],
    }


def _span(form: ClosureForm) -> Period | None:
    """Return the period of a form that was sent, or None if it cannot be read."""
    form.is_valid()
    start, end = form.cleaned_data.get("start"), form.cleaned_data.get("end")
    if start is None or "end" in form.errors:
        return None
    if end is None:
        return Period(start, start + UNTIL_KNOWN)
    return Period(start, end) if end > start else None
