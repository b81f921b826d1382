"""The lock of a delivery, taken after those of bookings, and before those of its files and of the host's
storage."""

from uuid import UUID

from accounts.selectors.rows import visible
from bookings.record.locks import locked
from bookings.results.models import HandOff

WITH = (
    "reservation__instrument__facility",
    "reservation__organisation__region",
    "reservation__host_region",
    "reservation__payer_region",
    "reservation__user",
    "host__region",
)


def lock_hand_off(hand_off_id: UUID) -> HandOff:
    """Lock a delivery, with what its rules need; `NotFound` if there is none."""
    rows = HandOff.objects.select_related(*WITH).order_by("pk")
    return visible(locked(rows), pk=hand_off_id)
