"""The bookings of instruments that one manages."""

from typing import Any

from django.db.models import Count, F, QuerySet, Sum
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.permissions import require_somewhere
from accounts.views.pages import by_of, reads
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import hosted_reservations, shown
from bookings.record.views.bookings import HEADS, WORDS, booking_cells
from bookings.record.views.lists import ListPage


def _totals(rows: QuerySet[Reservation]) -> dict[str, Any]:
    """How many they are, and the minutes booked."""
    totals = rows.order_by().aggregate(number=Count("pk"), time=Sum(F("end_at") - F("start_at")))
    seconds = totals["time"].total_seconds() if totals["time"] else 0
    return {"number": totals["number"], "minutes": round(seconds / 60)}


LIST = ListPage(
    "bookings/overview/hosted.html",
    hosted_reservations,
    shown=lambda row, by: shown(row, by.now),
    totals=_totals,
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
