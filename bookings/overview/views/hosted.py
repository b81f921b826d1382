"""The bookings of instruments that one manages."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.permissions import require_somewhere
from accounts.views.pages import by_of, reads
from bookings.record.selectors.reservations import hosted_reservations, shown
from bookings.record.views.bookings import HEADS, WORDS, booking_cells, totals_of
from bookings.record.views.lists import ListPage

LIST = ListPage(
    "bookings/overview/hosted.html",
    hosted_reservations,
    shown=lambda row, by: shown(row, by.now),
    totals=totals_of,
    number=lambda totals: int(totals["number"]),
    sheet=("bookings", HEADS, booking_cells),
    words=WORDS,
    day="start_at",
    sorts={0: "start_at", 1: "instrument__name", 2: "user__name", 3: "state"},
)


@reads
def hosted(request: HttpRequest) -> HttpResponseBase:
    """List them, the latest start first, with how much time is booked."""
    by = by_of(request)
    require_somewhere(by.actor, "manage-instruments")
    return LIST.answer(request, by, LIST.rows(by.actor))
