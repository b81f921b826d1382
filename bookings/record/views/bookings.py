"""What lists of bookings have in common: what is looked for in them, and the columns of a file."""

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
