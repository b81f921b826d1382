"""Pages of hours: dashboards of sums, and the rows behind a number."""

from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.core.paginator import Page as DjangoPage
from django.core.paginator import Paginator
from django.db.models import Exists, Func, OuterRef, UUIDField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext

from accounts.domain.errors import Invalid, NotFound, NotPermitted
from accounts.domain.roles import Actor
from accounts.letters.words import named
from accounts.models import Organisation, Region
from accounts.permissions import actor_of
from accounts.replica import from_replica
from accounts.views.pages import reads
from bookings.catalogue.views.events import local_name
from bookings.hours.domain.hours import definitions_on
from bookings.hours.selectors.bookings import booking_figures
from bookings.hours.selectors.hours import HoursRow, day_rows, instrument_day
from bookings.hours.selectors.reading import Figures, Page
from bookings.hours.selectors.scope import PUBLIC_BY, instruments_in, reads_hours, scope_for, scope_names
from bookings.record.selectors.reservations import visible_among
from bookings.statistics.forms.hours import HoursForm
from bookings.statistics.selectors.reports import ABOUT, reads_whole
from bookings.statistics.selectors.tables import PAYERS, TableQuery, day_list, day_sums_kept, figures_of
from instruments.register.selectors.registry import instrument_by_id

NARROWED_BY = ("region", "organisation", "facility", "technique", "instrument")
# The grouping to which a row of each grouping leads.
DOWN = {
    "region": "organisation",
    "organisation": "facility",
    "facility": "instrument",
    "technique": "instrument",
    "instrument": "day",
    "year": "month",
    "month": "day",
}
PUBLIC_DOWN = {"region": "technique", "technique": "region", "year": "month"}
# Tables that have pages, as there may be very many rows.
PAGED = {"facility", "instrument"}
MOST_BARS = 25
MOST_LINES = 60  # rows of a heat map
PER_PAGE = 100
MOST_SHOWN = 1100  # rows of a table: three years by day


def query_of(request: HttpRequest, actor: Actor, *, by: str = "region") -> tuple[HoursForm, TableQuery]:
    """Return the form and query of a page of hours: this year by regions, unless the address says
    otherwise."""
    form = HoursForm(request.GET)
    data = form.cleaned_data if form.is_valid() else {}
    today = timezone.localdate()
    following = (today.replace(day=28) + timedelta(days=4)).replace(day=1)
    narrowed = {name: str(data[name]) for name in NARROWED_BY if data.get(name)}
    exact = [n for n in ("region", "technique") if n in narrowed and n in data.get("exact", "")]
    # In public figures, a group with and without what is below it would reveal other groups.
    if exact and reads_hours(actor):
        narrowed["exact"] = ",".join(exact)
    query = TableQuery(
        since=data.get("since") or today.replace(month=1, day=1),
        until=data.get("until") or following,
        narrowed=narrowed,
        by=(data.get("by") or by,),
        scheme=data.get("scheme") or "nrii",
        measure=data.get("measure") or "hours",
        state=data.get("state") or "",
        payers={name: data[name] for name in PAYERS if data.get(name)},
    )
    if not reads_hours(actor):
        query = in_whole_months(query)
        form.fields["by"].choices = [  # type: ignore[attr-defined]
            choice
            for choice in form.fields["by"].choices  # type: ignore[attr-defined]
            if choice[0] in PUBLIC_BY
        ]
    return form, query


def in_whole_months(query: TableQuery) -> TableQuery:
    """Return the query for all months that its days lie in, as public figures cover whole months."""
    last = query.until - timedelta(days=1)
    until = query.until if query.until.day == 1 else (last.replace(day=28) + timedelta(days=4))
    return replace(query, since=query.since.replace(day=1), until=until.replace(day=1))


def context_of(
    request: HttpRequest, actor: Actor, form: HoursForm, query: TableQuery, here: str
) -> dict[str, Any]:
    """Return the context that every page of hours needs."""
    names = scope_names(actor, query.narrowed)
    return {
        "form": form,
        "asked": query,
        "since": query.since,
        "until": query.until,
        "by": query.by[0],
        "here": here,
        "narrowed": names,
        "is_public": not reads_hours(actor),
        "definitions": definitions_on(query.until),
        "spans": _spans(timezone.localdate()),
    }


def _spans(today: date) -> list[tuple[str, date, date]]:
    """Return the periods of hours that people ask for most."""
    month = today.replace(day=1)
    following = (month + timedelta(days=32)).replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    year = date(today.year, 1, 1)
    return [
        (gettext("this month"), month, following),
        (gettext("last month"), before, month),
        (gettext("this year"), year, following),
        (gettext("last year"), date(today.year - 1, 1, 1), year),
    ]


@from_replica
def hours_by(request: HttpRequest) -> HttpResponse:
    """Show hours by region, organisation, instrument and so on; each row leads to what is below it."""
    actor = actor_of(request.user)
    form, query = query_of(request, actor, by=_first_of(actor))
    by = query.by[0]
    page = page_at(request) if by in PAGED else None
    figures = figures_of(actor, query, most=MOST_SHOWN, page=page)
    bookings = None
    if figures.total is not None and not (figures.scope.is_public and query.narrowed):
        with suppress(Invalid):  # if too many single days are asked for, the table is shown without them
            bookings = booking_figures(figures.scope, since=query.since, until=query.until, kept=figures.kept)
    trend = figures
    if by not in ("year", "month", "week", "day"):
        trend = figures_of(actor, query, ["month"], kept=figures.kept, needs_total=False)
    context = context_of(request, actor, form, query, "hours") | {
        "rows": figures.rows,
        "page": page_of(figures, page),
        "total": figures.total,
        "bookings": bookings,
        "by_label": dict(form.fields["by"].choices)[by],  # type: ignore[attr-defined]
        "down": (PUBLIC_DOWN if figures.scope.is_public else DOWN).get(by, ""),
        "bars": _bars(figures, by),
        "reports": _reports(actor, query),
        "trend": _trend(trend),
        "trend_rows": trend.rows if trend is not figures else [],
    }
    return render(request, "bookings/statistics/hours.html", context)


def _first_of(actor: Actor) -> str:
    """Return how hours are grouped at first: by instrument for who reads those of organisations alone."""
    reads_regions = actor.has("administrator") or actor.regions_where("read-hours")
    return "region" if reads_regions or not reads_hours(actor) else "instrument"


def _reports(actor: Actor, query: TableQuery) -> list[tuple[str, str, str]]:
    """Return the reports of a year that the page offers: of what its figures are narrowed to, otherwise of
    the organisations and regions that the actor's roles name and that have instruments."""
    narrowed = {name: value for name, value in query.narrowed.items() if name in ABOUT}
    if len(narrowed) == 1:
        return [
            (name, narrowed[name], named(record))
            for name, record in scope_names(actor, narrowed).items()
            if reads_whole(actor, name, record)
        ]
    if narrowed or actor.has("administrator"):
        return []
    hosted = instruments_in(actor, {})
    # A region's lineage names it and those it lies in.
    itself = Func(OuterRef("pk"), template="ARRAY[%(expressions)s]", output_field=ArrayField(UUIDField()))
    within, of_it = (
        hosted.filter(region__lineage__contains=itself),
        hosted.filter(organisation=OuterRef("pk")),
    )
    regions, organisations = (each("read-hours") for each in (actor.regions_where, actor.organisations_where))
    places = (
        ("region", Region.objects.filter(Exists(within), pk__in=regions)),
        ("organisation", Organisation.objects.filter(Exists(of_it), pk__in=organisations)),
    )
    return [(name, row.code, named(row)) for name, rows in places for row in rows.order_by("code")[:3]]


def page_at(request: HttpRequest) -> Page:
    """Return the requested page of the table; the first if it is not a number."""
    asked = request.GET.get("page", "")
    number = int(asked) if asked.isdecimal() and len(asked) < 7 else 1
    return Page(PER_PAGE, PER_PAGE * max(0, number - 1))


def page_of(figures: Figures, page: Page | None) -> DjangoPage[HoursRow] | None:
    """Return the paginator from which links to other pages are made."""
    if page is None:
        return None
    pages = Paginator(range(figures.number), page.most)
    return pages.get_page(page.skipped // page.most + 1)  # type: ignore[return-value]


def _hours(minutes: int) -> float:
    return round(minutes / 60, 1)


def _name(row: HoursRow, by: str) -> str:
    name, name_zh = row.names.get(by, ("", ""))
    return local_name(name, name_zh) or row.keys.get(by, "") or "–"


def _bars(figures: Figures, by: str) -> dict[str, Any]:
    """Return the hours in each state, stacked, of the groups with the most productive hours."""
    rows = [row for row in figures.rows if not row.is_hidden]
    if by not in ("year", "month", "week", "day"):
        rows = sorted(rows, key=lambda row: -row.minutes.productive)[:MOST_BARS]
    states = (
        ("productive", gettext("Productive")),
        ("standby", gettext("Standby")),
        ("engineering", gettext("Engineering")),
        ("scheduled_down", gettext("Scheduled down")),
        ("unscheduled_down", gettext("Unscheduled down")),
    )
    return {
        "kind": "bars",
        "labels": [_name(row, by) for row in rows],
        "unit": gettext("h"),
        "series": [
            {"name": label, "colour": state, "data": [_hours(getattr(row.minutes, state)) for row in rows]}
            for state, label in states
        ],
    }


def _trend(figures: Figures) -> dict[str, Any]:
    """Return the productive hours over time, with their norm and the used part of open time."""
    rows = [row for row in figures.rows if not row.is_hidden]
    name = next((n for n in ("day", "week", "month", "year") if rows and n in rows[0].keys), "")
    return {
        "kind": "trend",
        "labels": [row.keys[name] for row in rows],
        "unit": gettext("h"),
        "series": [
            {
                "name": gettext("Productive"),
                "colour": "productive",
                "data": [_hours(row.minutes.productive) for row in rows],
            },
            {"name": gettext("Norm"), "colour": "norm", "data": [_hours(row.norm or 0) for row in rows]},
        ],
        "percent": {
            "name": gettext("Utilisation of open time"),
            "data": [
                None
                if row.ratios["operational_utilisation"] is None
                else round(float(row.ratios["operational_utilisation"]) * 100, 1)
                for row in rows
            ],
        },
    }


@reads
@from_replica
def weeks(request: HttpRequest) -> HttpResponse:
    """Show how much of the open time was used, week by week."""
    actor = actor_of(request.user)
    if not reads_hours(actor):
        raise NotPermitted
    form, query = query_of(request, actor)
    by = query.by[0] if query.by[0] in DOWN and query.by[0] not in ("year", "month") else "region"
    figures = figures_of(actor, query, [by, "week"], page=Page(MOST_LINES), needs_total=False)
    shown = sorted({row.keys["week"] for row in figures.rows})
    lines: dict[str, dict[str, Any]] = {}
    for row in figures.rows:
        line = lines.setdefault(row.keys[by], {"key": row.keys[by], "name": _name(row, by), "weeks": {}})
        line["weeks"][row.keys["week"]] = row
    kept = list(lines.values())
    context = context_of(request, actor, form, query, "weeks") | {
        "by": by,
        "by_label": dict(form.fields["by"].choices)[by],  # type: ignore[attr-defined]
        "down": DOWN[by],
        "weeks": shown,
        "lines": [line | {"cells": [line["weeks"].get(week) for week in shown]} for line in kept],
        "left_out": figures.number - len(kept),
        "heat": {
            "kind": "heat",
            "height": max(180, 90 + 24 * len(kept)),
            "x": shown,
            "y": [line["name"] for line in kept],
            "name": gettext("Utilisation of open time"),
            "unit": gettext("h"),
            "data": [
                [
                    shown.index(week),
                    at,
                    round(float(row.ratios["operational_utilisation"]) * 100, 1),
                    _hours(row.minutes.productive),
                ]
                for at, line in enumerate(kept)
                for week, row in line["weeks"].items()
                if row.ratios["operational_utilisation"] is not None
            ],
        },
    }
    return render(request, "bookings/statistics/hours_weeks.html", context)


@reads
@from_replica
def days(request: HttpRequest) -> HttpResponse:
    """Show the instrument-days of which a number is the sum."""
    actor = actor_of(request.user)
    form, query = query_of(request, actor)
    scope = scope_for(actor, query.narrowed)
    if scope.is_public:
        raise NotPermitted
    after = _place(form.cleaned_data.get("after", "") if form.is_valid() else "")
    rows = day_list(scope.instruments, query, after=after, most=PER_PAGE + 1)
    context = context_of(request, actor, form, query, "days") | {
        "state": query.state or "productive",
        "sums": day_sums_kept(scope, query),
        "rows": rows[:PER_PAGE],
        "next": f"{rows[PER_PAGE - 1][0]}~{rows[PER_PAGE - 1][1]}" if len(rows) > PER_PAGE else "",
        "is_first": after is None,
    }
    return render(request, "bookings/statistics/hours_days.html", context)


def _place(text: str) -> tuple[date, str] | None:
    day, _, instrument = text.partition("~")
    try:
        return (date.fromisoformat(day), str(UUID(instrument))) if text else None
    except ValueError:
        return None


@reads
@from_replica
def rows(request: HttpRequest) -> HttpResponse:
    """Show the rows behind one instrument's day: sessions, closures and no-shows."""
    actor = actor_of(request.user)
    form = HoursForm(request.GET)
    data = form.cleaned_data if form.is_valid() else {}
    day, instrument_id = data.get("since"), data.get("instrument")
    if not isinstance(day, date) or instrument_id is None:
        raise NotFound
    if not instruments_in(actor, {"instrument": instrument_id}).exists():
        raise NotFound
    behind = day_rows(instrument_id=instrument_id, day=day)
    if behind is None:
        raise NotFound
    context = {
        "instrument": instrument_by_id(actor, instrument_id),
        "day": day,
        "found": behind,
        "readable": visible_among(
            actor, [row.reservation_id for row in behind.sessions] + [row.pk for row in behind.no_shows]
        ),
        "states": instrument_day(instrument_id=instrument_id, day=day),
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1),
    }
    return render(request, "bookings/statistics/hours_rows.html", context)
