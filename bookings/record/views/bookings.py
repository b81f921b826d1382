"""The sums that several pages with lists of bookings show."""

from typing import Any

from django.db.models import Count, F, QuerySet, Sum

from bookings.record.models import Reservation


def totals_of(rows: QuerySet[Reservation]) -> dict[str, Any]:
    """Return the number of bookings, and the minutes booked."""
    totals = rows.order_by().aggregate(number=Count("pk"), time=Sum(F("end_at") - F("start_at")))
    seconds = totals["time"].total_seconds() if totals["time"] else 0
    return {"number": totals["number"], "minutes": round(seconds / 60)}
