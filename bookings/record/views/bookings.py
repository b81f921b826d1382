"""The sums that several pages with lists of bookings show."""

from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum

from bookings.record.domain.reservations import RELEASED
from bookings.record.models import Reservation


def totals_of(rows: QuerySet[Reservation]) -> dict[str, Any]:
    """Return the number of bookings, how many of them were cancelled or otherwise given back, and the minutes
    that the others were booked for."""
    given_back = Q(state__in=RELEASED)
    totals = rows.order_by().aggregate(
        number=Count("pk"),
        released=Count("pk", filter=given_back),
        time=Sum(F("end_at") - F("start_at"), filter=~given_back),
    )
    seconds = totals["time"].total_seconds() if totals["time"] else 0
    return {**totals, "minutes": round(seconds / 60)}
