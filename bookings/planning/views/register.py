"""Pages of the public register of decisions on purchases, and the one-page PDF of a case."""

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.views.pages import by_of, reads
from bookings.planning.adapters.papers import case_pdf
from bookings.planning.selectors import register
from bookings.planning.selectors.map import reads_map
from bookings.record.views.lists import ListPage
from bookings.reviews.messages import grounds_said
from bookings.reviews.selectors.cases import case_by_id
from bookings.settlement.views.files import file_answer

LIST = ListPage("bookings/planning/register.html", register.DECISIONS, size=50)


@require_safe
def decisions(request: HttpRequest) -> HttpResponseBase:
    """List all decisions for everybody, the newest first; or return them as a file."""
    by = by_of(request)
    return LIST.answer(request, by, here="register", reads_map=reads_map(by.actor))


@require_safe
def decision(request: HttpRequest, decision: str) -> HttpResponse:
    """Show a decision, with the figures behind it and its grounds."""
    case = register.decided_by_key(decision)
    (row,) = register.load_decided([case])
    context = {
        "row": row,
        "figures": register.load_figures(case, least=settings.PUBLIC_LEAST_ORGANISATIONS),
        "grounds": grounds_said(row.grounds, row.scheme),
    }
    return render(request, "bookings/planning/decision.html", context)


@reads
def pdf(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Return the one-page PDF of a case, in the reader's language, if they may read the case."""
    case = case_by_id(by_of(request).actor, case_id)
    return file_answer(
        case_pdf(case, grounds_said(case.grounds, case.scheme)), f"purchase-case-{case.pk}", "pdf"
    )
