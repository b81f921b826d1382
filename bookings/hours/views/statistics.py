"""Pages beside the hours: who pays, flows between regions, unmet demand, definitions, files."""

from io import BytesIO
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.domain.errors import Invalid, NotPermitted
from accounts.domain.roles import By
from accounts.letters.words import named
from accounts.permissions import actor_of
from bookings.hours.domain.norms import FIRST
from bookings.hours.domain.utilisation import DEFINITIONS
from bookings.hours.forms.utilisation import NormForm
from bookings.hours.models import NormHours
from bookings.hours.selectors.demand import demand
from bookings.hours.selectors.flows import flows, opens, spread
from bookings.hours.selectors.norms import entered_norms
from bookings.hours.selectors.utilisation_payers import payers
from bookings.hours.selectors.utilisation_scope import reads_hours, scope_for
from bookings.hours.selectors.utilisation_tables import Asked, table_of
from bookings.hours.services.exports import (
    export_for,
    export_name,
    export_open,
    export_start,
    exports_of,
    media_of,
)
from bookings.hours.services.norms import norm_add
from bookings.hours.views.utilisation import asked_of, context_of, in_whole_months, local_name
from bookings.record.adapters.definitions import MEANINGS, NAMES
from bookings.record.adapters.figures import csv_pieces, write_workbook
from bookings.record.messages import sentence
from instruments.messages import PRICE_GROUP_LABELS
from instruments.models import Instrument


def payers_by(request: HttpRequest) -> HttpResponse:
    """Productive hours by price group, payer's region and payer."""
    actor = actor_of(request.user)
    form, asked = asked_of(request, actor)
    scope = scope_for(actor, asked.narrowed)
    days = {"since": asked.since, "until": asked.until}
    least = settings.PUBLIC_LEAST_ORGANISATIONS
    parts = ["price_group", "region"] + ([] if scope.is_public else ["organisation"])
    tables = [(name, payers(scope, **days, by=[name], least=least)) for name in parts]
    context = context_of(request, actor, form, asked, "payers") | {
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
    return render(request, "bookings/hours/hours_payers.html", context)


def between_regions(request: HttpRequest) -> HttpResponse:
    """Who used what where, as a diagram, a matrix and indices."""
    actor = actor_of(request.user)
    form, asked = asked_of(request, actor)
    if not actor.has("administrator"):
        asked = in_whole_months(asked)
    currency = request.GET.get("currency", "")[:3]
    found = flows(
        actor, since=asked.since, until=asked.until, measure=asked.measure, currency=currency
    )
    concentration, techniques = spread()
    regions = [region for region, _ in found.regions]
    values = {(cell.payer.pk, cell.host.pk): cell for cell in found.cells}
    divisor = 60 if asked.measure == "hours" else 1
    context = context_of(request, actor, form, asked, "flows") | {
        "found": found,
        "measure": asked.measure,
        "columns": sorted({c.host.pk: c.host for c in found.cells}.values(), key=lambda r: r.code),
        "lines": [
            (
                payer,
                [
                    (cell, cell is not None and opens(actor, asked.measure, payer, cell.host))
                    for host in _hosts(found)
                    for cell in [values.get((payer.pk, host.pk))]
                ],
            )
            for payer in sorted(
                {c.payer.pk: c.payer for c in found.cells}.values(), key=lambda r: r.code
            )
        ],
        "concentration": concentration,
        "techniques": techniques,
        "region_names": {region.code: region for region in regions},
        "sankey": {
            "kind": "sankey",
            "height": max(280, 60 * max(len(ends) for ends in _ends(found))),
            "unit": {"hours": gettext("h"), "money": found.currency}.get(asked.measure, ""),
            "left": gettext("payers of"),
            "right": gettext("instruments of"),
            "links": [
                {
                    "source": named(cell.payer),
                    "target": named(cell.host),
                    "value": round(float(cell.value) / divisor, 1),
                }
                for cell in found.cells
                if cell.value is not None and cell.value > 0
            ],
        },
    }
    return render(request, "bookings/hours/hours_flows.html", context)


def _ends(found: Any) -> tuple[set[Any], set[Any]]:
    """The regions that flows come from, and those they go to."""
    flows = [cell for cell in found.cells if cell.value is not None and cell.value > 0]
    return {cell.payer.pk for cell in flows}, {cell.host.pk for cell in flows}


def _hosts(found: Any) -> list[Any]:
    return sorted({c.host.pk: c.host for c in found.cells}.values(), key=lambda r: r.code)


def unmet(request: HttpRequest) -> HttpResponse:
    """What people wanted and could not have."""
    actor = actor_of(request.user)
    form, asked = asked_of(request, actor)
    rows = demand(
        actor, since=asked.since, until=asked.until, least=settings.PUBLIC_LEAST_ORGANISATIONS
    )
    context = context_of(request, actor, form, asked, "demand") | {"rows": rows}
    return render(request, "bookings/hours/hours_demand.html", context)


def definitions(request: HttpRequest) -> HttpResponse:
    """What the figures mean, and the norms; administrators enter one from a day on."""
    actor = actor_of(request.user)
    now = timezone.now()
    form = NormForm(request.POST or None)
    if request.method == "POST":
        if not actor.has("administrator"):
            raise NotPermitted
        if form.is_valid():
            try:
                norm_add(By(actor, now), **form.cleaned_data)
            except Invalid as refused:
                for problem in refused.problems:
                    form.add_error(problem.field, sentence(problem.code, problem.numbers))
            else:
                messages.success(request, gettext("The norm hours are entered."))
                return redirect("bookings:hours-definitions")
    hours_form, asked = asked_of(request, actor)
    kinds, schemes = dict(Instrument.Kind.choices), dict(NormHours.Scheme.choices)
    context = context_of(request, actor, hours_form, asked, "definitions") | {
        "meanings": [(NAMES[name], name, meaning) for name, meaning in MEANINGS.items()],
        "versions": DEFINITIONS,
        "norms": [
            *((schemes[n.scheme], kinds[n.kind], n.hours, n.valid_from, n.reason)
              for n in entered_norms()),
            *((schemes[scheme], kinds[kind], hours, None, "")
              for scheme, norms in FIRST.items() for kind, hours in norms.items()),
        ],
        "norm_form": form,
        "enters": actor.has("administrator"),
        "least": settings.PUBLIC_LEAST_ORGANISATIONS,
    }  # fmt: skip
    status = 400 if form.errors else 200
    return render(request, "bookings/hours/hours_definitions.html", context, status=status)


def _by(table: str, request: HttpRequest, asked: Asked) -> Asked:
    """Tables that are grouped by more than one thing say so themselves."""
    if table == "payers":
        named = [n for n in request.GET.get("payers", "price_group").split(",") if n]
        return Asked(**{**vars(asked), "by": tuple(named)})
    if table == "hours" and request.GET.get("by2"):
        return Asked(**{**vars(asked), "by": (*asked.by, request.GET["by2"])})
    return asked


def download(request: HttpRequest) -> HttpResponseBase:
    """The table of a page as a file, at once."""
    actor = actor_of(request.user)
    form, asked = asked_of(request, actor)
    data = form.cleaned_data if form.is_valid() else {}
    name, format = data.get("table") or "hours", data.get("format") or "csv"
    asked = _by(name, request, asked)
    if name == "days":
        raise NotPermitted  # may have millions of rows: a job writes them
    table = table_of(actor, name, asked)
    file = f"{name}-{asked.since}-{asked.until}.{format}"
    answer: HttpResponseBase
    if format == "csv":
        pieces = csv_pieces(table.heads, table.rows, asked.notes)
        answer = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{file}"'
    else:
        stream = BytesIO()
        write_workbook(stream, table.heads, table.rows, asked.notes)
        stream.seek(0)
        answer = FileResponse(
            stream, as_attachment=True, filename=file, content_type=media_of(format)
        )
    return answer


@login_required
def exports(request: HttpRequest) -> HttpResponse:
    """One's files, and how far they are written."""
    actor = actor_of(request.user)
    jobs = list(exports_of(actor).order_by("-created_at")[:50])
    context = {
        "jobs": jobs,
        "is_public": not reads_hours(actor),
        "is_busy": any(job.state in ("waiting", "working") for job in jobs),
        "here": "exports",
    }
    part = "bookings/hours/hours_exports_part.html"
    page = "bookings/hours/hours_exports.html"
    return render(request, part if request.headers.get("HX-Request") else page, context)


@login_required
@require_POST
def export_new(request: HttpRequest) -> HttpResponse:
    """Have the table of a page written by a worker."""
    actor = actor_of(request.user)
    form, asked = asked_of(request, actor)
    data = form.cleaned_data if form.is_valid() else {}
    name = data.get("table") or "days"
    export_start(
        By(actor, timezone.now()),
        table=name,
        format=data.get("format") or "csv",
        asked=_by(name, request, asked),
    )
    return redirect("bookings:hours-exports")


@login_required
def export_file(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    """A finished file, to whoever asked for it."""
    job = export_for(actor_of(request.user), export_id)
    return FileResponse(
        export_open(job),
        as_attachment=True,
        filename=export_name(job),
        content_type=media_of(job.format),
    )
