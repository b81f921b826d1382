"""Pages of the auditor's report of a year, and of files with reports and working papers."""

from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext

from accounts.domain.errors import Invalid, WrongState
from accounts.domain.roles import By
from accounts.letters.words import named
from accounts.permissions import actor_of, require_somewhere
from accounts.selectors.rows import as_uuid
from accounts.views.pages import act, by_of, is_part, reads, status_of, writes
from bookings.audit.forms.papers import PeriodForm
from bookings.audit.models import AuditPaper
from bookings.audit.selectors.audit import AUDIT
from bookings.audit.selectors.papers import papers_of, year_report
from bookings.audit.selectors.trail import audited_regions
from bookings.audit.services.papers import FORMATS, Wanted, paper_media, paper_name, paper_open, paper_start
from bookings.record.messages import refusal_sentence
from bookings.statistics.domain.reports import FIRST_YEAR, LAST_YEAR, texts_of

SHOWN = 30


@reads
def report(request: HttpRequest) -> HttpResponse:
    """Show the auditor's report of a year about a region."""
    by = by_of(request)
    require_somewhere(by.actor, AUDIT)
    regions, this = audited_regions(by.actor), timezone.localdate().year
    year = _year(request.GET.get("year", "")) or this
    code = request.GET.get("region", "") or (regions[0].code if regions else "")
    context: dict[str, Any] = {
        "regions": regions,
        "region": code,
        "year": year,
        "years": sorted({year, *range(this - 5, this + 1)}, reverse=True),
        "formats": FORMATS,
    }
    status = 200
    try:
        found = year_report(by.actor, code[:40].replace("\0", ""), year, by.now)
    except Invalid as refused:
        context["problem"], status = refusal_sentence(refused), status_of(refused)
    else:
        address = reverse("bookings:exceptions", query={"report": f"{code}:{year}"})
        sections = [(section, _linked(texts_of(section), address)) for section in found.sections]
        context |= {"report": found, "sections": sections}
    return render(request, "bookings/audit/report.html", context, status=status)


def _linked(rows: list[list[tuple[str, bool]]], address: str) -> list[list[tuple[str, bool]]]:
    """Return the cells of a table, in which the number of exceptions found leads to their list."""
    for row in rows:
        if row[0][0] == gettext("Exceptions found"):
            row[1] = (format_html('<a href="{}">{}</a>', address, row[1][0]), row[1][1])
    return rows


def _year(text: str) -> int | None:
    """Return the year that an address or a form names; None if it names none that has a report."""
    is_year = text.isdecimal() and len(text) == 4 and FIRST_YEAR <= int(text) <= LAST_YEAR
    return int(text) if is_year else None


@reads
def papers(request: HttpRequest) -> HttpResponse:
    """List the reader's files, with a form for the working papers of a period."""
    return _page(request)


def _page(request: HttpRequest, status: int = 200, **forms: Any) -> HttpResponse:
    actor = actor_of(request.user)
    require_somewhere(actor, AUDIT)
    rows = list(papers_of(actor)[:SHOWN])
    context = {
        "papers": rows,
        "is_at_work": any(row.state in {"waiting", "working"} for row in rows),
        "form": PeriodForm(regions=_regions(request)),
    }
    part = is_part(request, "papers")
    template = "bookings/audit/papers_part.html" if part else "bookings/audit/papers.html"
    return render(request, template, context | forms, status=status)


def _regions(request: HttpRequest) -> list[tuple[str, str]]:
    return [(row.code, named(row)) for row in audited_regions(actor_of(request.user))]


@writes
def papers_new(request: HttpRequest) -> HttpResponseBase:
    """Have a worker write the report of a year, or the working papers of a finding or a sample."""
    by, post = by_of(request), request.POST
    require_somewhere(by.actor, AUDIT)
    subject, year = post.get("subject", ""), _year(post.get("year", ""))
    if subject == AuditPaper.Subject.PERIOD:
        return act(
            request,
            partial(_page, request),
            lambda by, data: paper_start(by, wanted=Wanted(subject, **data)),
            to=reverse("bookings:papers"),
            done=gettext("The file is being written. You may leave this page."),
            form=PeriodForm(post, regions=_regions(request)),
        )
    wanted = Wanted(
        subject,
        post.get("format", "zip"),
        region=post.get("region", "")[:40].replace("\0", ""),
        since=date(year, 1, 1) if year else None,
        until=date(year + 1, 1, 1) if year else None,
        finding_id=as_uuid(post.get("finding", "")),
        sample_id=as_uuid(post.get("sample", "")),
    )
    try:
        paper_start(by, wanted=wanted)
    except (Invalid, WrongState) as refused:
        messages.error(request, refusal_sentence(refused))
        return _page(request, status=status_of(refused))
    messages.success(request, gettext("The file is being written. You may leave this page."))
    return redirect("bookings:papers")


@reads
def paper(request: HttpRequest, paper_id: UUID) -> HttpResponseBase:
    """Give a finished file to whoever requested it; the trail has the download."""
    by: By = by_of(request)
    row, file = paper_open(by, paper_id=paper_id)
    return FileResponse(file, as_attachment=True, filename=paper_name(row), content_type=paper_media(row))
