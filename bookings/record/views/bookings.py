"""What lists of bookings have in common: what is looked for in them, the columns of a file, and
their sums."""

from typing import Any

from django.db.models import Count, F, QuerySet, Sum

from accounts.domain.roles import By
from bookings.record.adapters.figures import Cell
from bookings.record.models import Reservation

WORDS = (
    "instrument__name", "instrument__name_zh", "user__name", "organisation__name",
    "organisation__name_zh",
)  # fmt: skip
HEADS = ("booking", "instrument", "start", "end", "person", "payer", "payer_name", "state")


def booking_cells(row: Reservation, by: By) -> tuple[Cell, ...]:
    return (
        str(row.pk),
        row.instrument.name,
        row.start_at.isoformat(),
        row.end_at.isoformat(),
        str(row.user),
        row.organisation.code,
        row.organisation.name,
        row.state,
    )


def totals_of(rows: QuerySet[Reservation]) -> dict[str, Any]:
    """How many they are, and the minutes booked."""
    totals = rows.order_by().aggregate(number=Count("pk"), time=Sum(F("end_at") - F("start_at")))
    seconds = totals["time"].total_seconds() if totals["time"] else 0
    return {"number": totals["number"], "minutes": round(seconds / 60)}
