"""The page of a year's report."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.domain.errors import NotFound
from accounts.permissions import actor_of
from accounts.replica import from_replica
from accounts.selectors.rows import as_uuid
from accounts.views.pages import reads
from bookings.statistics.domain.reports import FIRST_YEAR, LAST_YEAR, texts_of
from bookings.statistics.selectors.reports import ABOUT, load_report
from bookings.statistics.views.hours import NARROWED_BY

FORMATS = ("pdf", "docx", "xlsx")


def about_of(request: HttpRequest) -> dict[str, str]:
    """Return what a report is about by its address; raise `NotFound` where nothing has such a code or id."""
    about = {name: request.GET[name][:40] for name in NARROWED_BY if request.GET.get(name) and name in ABOUT}
    ids = {"facility", "instrument"} & about.keys()
    if any("\0" in text for text in about.values()) or any(as_uuid(about[name]) is None for name in ids):
        raise NotFound
    return about


def year_of(request: HttpRequest) -> int:
    """Return the year that an address names; otherwise the last that is over."""
    text = request.GET.get("year", "")
    is_year = text.isdecimal() and len(text) == 4 and FIRST_YEAR <= int(text) <= LAST_YEAR
    return int(text) if is_year else timezone.localdate().year - 1


@reads
@from_replica
def report(request: HttpRequest) -> HttpResponse:
    """Show the report of a year about an instrument, a facility, an organisation or a region."""
    about, year = about_of(request), year_of(request)
    found = load_report(actor_of(request.user), about, date(year, 1, 1), date(year + 1, 1, 1))
    this = timezone.localdate().year
    context = {
        "report": found,
        "sections": [(section, texts_of(section)) for section in found.sections],
        "year": year,
        "years": sorted({year, *range(this - 5, this + 1)}, reverse=True),
        "about": about,
        "since": date(year, 1, 1),
        "until": date(year + 1, 1, 1),
        "formats": FORMATS,
    }
    return render(request, "bookings/statistics/hours_report.html", context)
