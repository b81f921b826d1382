"""The public register of decisions on purchases, and one case on one page."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.permissions import actor_of
from accounts.views.pages import by_of, reads
from bookings.planning.adapters.papers import case_pdf
from bookings.planning.selectors.map import reads_map
from bookings.planning.selectors.register import (
    Decided,
    decided_by_key,
    decided_cases,
    load_decided,
    load_figures,
)
from bookings.record.views.lists import Pages, csv_answer, wants_csv
from bookings.reviews.messages import grounds_said
from bookings.reviews.selectors.cases import case_by_id
from bookings.settlement.views.files import file_answer

SIZE = 50
HEADS = [
    "key", "month", "techniques", "region", "money", "price_from", "price_below", "currency",
    "decision", "grounds", "hours", "scheme", "scheme_version",
]  # fmt: skip


def _cells(row: Decided) -> list[Any]:
    return [
        row.key, row.month, " ".join(t.code for t in row.techniques),
        row.region.code if row.region else None, row.money, row.least, row.most, row.currency,
        row.decision, " ".join(row.grounds), row.hours, row.scheme.code, row.scheme.version,
    ]  # fmt: skip


@require_safe
def decisions(request: HttpRequest) -> HttpResponseBase:
    """All decisions, the newest first, for everybody; or all of them as a file."""
    rows = decided_cases()
    if wants_csv(request):
        return csv_answer(request, "decisions", HEADS, map(_cells, load_decided(list(rows))))
    page = Pages(rows, SIZE).get_page(request.GET.get("page"))
    actor = actor_of(request.user)
    context = {
        "page": page,
        "rows": load_decided(list(page.object_list)),
        "here": "register",
        "reads_map": reads_map(actor),
    }
    return render(request, "bookings/planning/register.html", context)


@require_safe
def decision(request: HttpRequest, decision: str) -> HttpResponse:
    """One of them, with the figures behind it and what they are grounds for."""
    case = decided_by_key(decision)
    (row,) = load_decided([case])
    context = {
        "row": row,
        "figures": load_figures(case),
        "grounds": grounds_said(row.grounds, row.scheme),
    }
    return render(request, "bookings/planning/decision.html", context)


@reads
def pdf(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """A case on one page, in the reader's language, for whoever may read it."""
    case = case_by_id(by_of(request).actor, case_id)
    return file_answer(
        case_pdf(case, grounds_said(case.grounds, case.scheme)), f"purchase-case-{case.pk}", "pdf"
    )
