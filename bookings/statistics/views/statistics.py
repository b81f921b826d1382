"""Pages beside the hours: who pays, flows between regions, unmet demand, definitions, files."""

from dataclasses import replace
from io import BytesIO
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotPermitted, invalid
from accounts.letters.words import named
from accounts.models import Region
from accounts.permissions import actor_of
from accounts.replica import from_replica, streamed
from accounts.views.pages import act, by_of, reads, writes
from bookings.catalogue.views.events import local_name
from bookings.hours.domain.hours import DEFINITIONS
from bookings.hours.domain.norms import FIRST
from bookings.hours.models import NormHours
from bookings.hours.selectors.norms import entered_norms
from bookings.hours.selectors.reading import MOST_ROWS, MOST_WRITTEN
from bookings.hours.selectors.scope import reads_hours, scope_for
from bookings.hours.services.norms import norm_add
from bookings.record.adapters.definitions import MEANINGS, NAMES
from bookings.record.adapters.figures import csv_pieces, write_workbook
from bookings.statistics.forms.hours import NormForm
from bookings.statistics.selectors.demand import demand, demand_minutes
from bookings.statistics.selectors.flows import flows, opens, spread
from bookings.statistics.selectors.payers import payers
from bookings.statistics.selectors.tables import TableQuery, table_of
from bookings.statistics.services import exports as export_services
from bookings.statistics.views.hours import context_of, in_whole_months, query_of
from instruments.rates.messages import PRICE_GROUP_LABELS
from instruments.register.models import Instrument
from instruments.vocabulary.models import Technique


@from_replica
def payers_by(request: HttpRequest) -> HttpResponse:
    """Show productive hours by price group, payer's region and payer."""
    actor = actor_of(request.user)
    form, query = query_of(request, actor)
    scope = scope_for(actor, query.narrowed)
    days = {"since": query.since, "until": query.until}
    least = settings.PUBLIC_LEAST_ORGANISATIONS
    parts = ["price_group", "region"] + ([] if scope.is_public else ["organisation"])
    tables = [(name, payers(scope, **days, by=[name], least=least)) for name in parts]
    context = context_of(request, actor, form, query, "payers") | {
        "tables": tables,
        "shares": [
            {
                "kind": "shares",
                "unit": gettext("h"),
                "data": [
                    {
                        "name": str(PRICE_GROUP_LABELS[row.keys["price_group"]])
                        if name == "price_group"
                        else local_name(*row.names[name]),
                        "value": round(row.minutes / 60, 1),
                    }
                    for row in rows
                    if row.minutes
                ],
            }
            for name, rows in tables[:2]
        ],
    }
    return render(request, "bookings/statistics/hours_payers.html", context)


@from_replica
def between_regions(request: HttpRequest) -> HttpResponse:
    """Show flows between regions, as a diagram, a matrix and indices."""
    actor = actor_of(request.user)
    form, query = query_of(request, actor)
    if not actor.has("administrator"):
        query = in_whole_months(query)
    currency = request.GET.get("currency", "")[:3]
    matrix = flows(actor, since=query.since, until=query.until, measure=query.measure, currency=currency)
    concentration, techniques = spread()
    values = {(cell.payer.pk, cell.host.pk): cell for cell in matrix.cells}
    paying = sorted({c.payer.pk: c.payer for c in matrix.cells}.values(), key=lambda r: r.code)
    hosts = sorted({c.host.pk: c.host for c in matrix.cells}.values(), key=lambda r: r.code)
    drawn = [cell for cell in matrix.cells if cell.value is not None and cell.value > 0]
    ends = ({cell.payer.pk for cell in drawn}, {cell.host.pk for cell in drawn})
    divisor = 60 if query.measure == "hours" else 1
    context = context_of(request, actor, form, query, "flows") | {
        "found": matrix,
        "measure": query.measure,
        "columns": hosts,
        "lines": [
            (
                payer,
                [
                    (cell, cell is not None and opens(actor, query.measure, payer, cell.host))
                    for host in hosts
                    for cell in [values.get((payer.pk, host.pk))]
                ],
            )
            for payer in paying
        ],
        "concentration": concentration,
        "techniques": techniques,
        "region_names": {region.code: region for region, _ in matrix.regions},
        "sankey": {
            "kind": "sankey",
            "height": max(280, 60 * max(map(len, ends))),
            "unit": {"hours": gettext("h"), "money": matrix.currency}.get(query.measure, ""),
            "left": gettext("payers of"),
            "right": gettext("instruments of"),
            "links": [
                {
                    "source": named(cell.payer),
                    "target": named(cell.host),
                    "value": round(float(cell.value or 0) / divisor, 1),
                }
                for cell in drawn
            ],
        },
    }
    return render(request, "bookings/statistics/hours_flows.html", context)


@from_replica
def unmet(request: HttpRequest) -> HttpResponse:
    """Show unmet demand: what people wanted and could not have."""
    actor = actor_of(request.user)
    form, query = query_of(request, actor)
    data = form.cleaned_data if form.is_valid() else {}
    techniques, regions = (data.get(name, "").split(",") for name in ("techniques", "regions"))
    techniques, regions = [list(filter(None, codes)) for codes in (techniques, regions)]
    rows = demand(
        actor,
        since=query.since,
        until=query.until,
        least=settings.PUBLIC_LEAST_ORGANISATIONS,
        techniques=techniques,
        regions=regions,
    )
    context = context_of(request, actor, form, query, "demand") | {"rows": rows}
    if techniques or regions:
        context |= {
            "of_techniques": Technique.objects.filter(code__in=techniques).order_by("name"),
            "only_of": [form["techniques"], form["regions"]],
            "of_regions": Region.objects.filter(code__in=regions).order_by("code"),
        }
    elif not context["is_public"]:
        context["minutes"] = demand_minutes(actor, since=query.since, until=query.until)
    return render(request, "bookings/statistics/hours_demand.html", context)


def definitions(request: HttpRequest) -> HttpResponse:
    """Define the figures and show the norms; administrators enter a norm from a day on."""
    form = NormForm(request.POST or None)
    enters = actor_of(request.user).has("administrator")
    if request.method == "POST" and not enters:
        raise NotPermitted

    def page(status: int = 200, **_: Any) -> HttpResponse:
        actor = actor_of(request.user)
        hours_form, query = query_of(request, actor)
        kinds, schemes = dict(Instrument.Kind.choices), dict(NormHours.Scheme.choices)
        context = context_of(request, actor, hours_form, query, "definitions") | {
            "meanings": [(NAMES[name], name, meaning) for name, meaning in MEANINGS.items()],
            "versions": DEFINITIONS,
            "norms": [
                *((schemes[n.scheme], kinds[n.kind], n.hours, n.valid_from, n.reason)
                  for n in entered_norms()),
                *((schemes[scheme], kinds[kind], hours, None, "")
                  for scheme, norms in FIRST.items() for kind, hours in norms.items()),
            ],
            "norm_form": form,
            "enters": enters,
            "least": settings.PUBLIC_LEAST_ORGANISATIONS,
        }  # fmt: skip
        return render(request, "bookings/statistics/hours_definitions.html", context, status=status)

    return act(
        request,
        page,
        lambda by, data: norm_add(by, **data),
        to=reverse("bookings:hours-definitions"),
        done=gettext("The norm hours are entered."),
        form=form,
    )


def _by(table: str, request: HttpRequest, query: TableQuery) -> TableQuery:
    """Return the query of a table grouped as the address says, for tables that may be grouped by more than
    one thing."""
    if table == "payers":
        named = [n for n in request.GET.get("payers", "price_group").split(",") if n]
        return replace(query, by=tuple(named))
    if table == "hours" and request.GET.get("by2"):
        return replace(query, by=(*query.by, request.GET["by2"]))
    return query


@from_replica
def download(request: HttpRequest) -> HttpResponseBase:
    """Return the table of a page as a file, at once."""
    actor = actor_of(request.user)
    form, query = query_of(request, actor)
    data = form.cleaned_data if form.is_valid() else {}
    name, format = data.get("table") or "hours", data.get("format") or "csv"
    if format not in export_services.FORMATS:
        raise invalid("format", "unknown-choice", allowed=", ".join(export_services.FORMATS))
    query = _by(name, request, query)
    if name == "days":
        raise NotPermitted  # may have millions of rows: a job writes them
    most = MOST_WRITTEN if format == "csv" else MOST_ROWS  # larger workbooks are written by a worker
    table = table_of(actor, name, query, most)
    file = f"{export_services.table_name(name, query)}.{format}"
    answer: HttpResponseBase
    if format == "csv":
        pieces = streamed(csv_pieces(table.heads, table.rows, query.notes))
        answer = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{file}"'
    else:
        stream = BytesIO()
        write_workbook(stream, table.heads, table.rows, query.notes)
        stream.seek(0)
        answer = FileResponse(
            stream, as_attachment=True, filename=file, content_type=export_services.media_of(format)
        )
    return answer


@reads
def exports(request: HttpRequest) -> HttpResponse:
    """Show the reader's files, and how far they are written."""
    actor = actor_of(request.user)
    jobs = list(export_services.exports_of(actor).order_by("-created_at")[:50])
    context = {
        "jobs": jobs,
        "is_public": not reads_hours(actor),
        "is_busy": any(job.state in ("waiting", "working") for job in jobs),
        "here": "exports",
    }
    part = "bookings/statistics/hours_exports_part.html"
    page = "bookings/statistics/hours_exports.html"
    return render(request, part if request.headers.get("HX-Request") else page, context)


@writes
def export_new(request: HttpRequest) -> HttpResponse:
    """Have the table of a page written by a worker."""
    by = by_of(request)
    form, query = query_of(request, by.actor)
    data = form.cleaned_data if form.is_valid() else {}
    name = data.get("table") or "days"
    export_services.export_start(
        by, table=name, format=data.get("format") or "csv", query=_by(name, request, query)
    )
    return redirect("bookings:hours-exports")


@reads
def export_file(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    """Return a finished file to the person who requested it."""
    job = export_services.export_for(actor_of(request.user), export_id)
    return FileResponse(
        export_services.export_open(job),
        as_attachment=True,
        filename=export_services.export_name(job),
        content_type=export_services.media_of(job.format),
    )
