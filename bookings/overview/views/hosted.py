"""The bookings of instruments that the reader manages."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.permissions import require_somewhere
from accounts.views.pages import by_of, reads
from bookings.pricing.selectors.bookings import HOSTED_BOOKINGS
from bookings.record.selectors.reservations import shown
from bookings.record.views.bookings import totals_of
from bookings.record.views.lists import ListPage

LIST = ListPage(
    "bookings/overview/hosted.html",
    HOSTED_BOOKINGS,
    shown=lambda row, by: shown(row, by.now),
    totals=lambda rows, actor: totals_of(rows),
    number=lambda totals: int(totals["number"]),
)


@reads
def hosted(request: HttpRequest) -> HttpResponseBase:
    """List the bookings of instruments that the reader manages, the latest start first, with the total time
    booked."""
    by = by_of(request)
    require_somewhere(by.actor, "manage-instruments")
    return LIST.answer(request, by)
