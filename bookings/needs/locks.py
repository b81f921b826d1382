"""The lock of a place in a batch, which is taken after those of its instrument and reservation."""

from uuid import UUID

from accounts.domain.errors import NotFound
from bookings.needs.models import BatchPlace
from bookings.record.locks import lock_reservation
from bookings.record.models import Reservation


def lock_place(place_id: UUID) -> tuple[BatchPlace, Reservation | None]:
    """Lock a place and its reservation, the instrument first; raise `NotFound` if there is no such place."""
    rows = BatchPlace.objects.filter(pk=place_id)
    kept = rows.values_list("reservation_id", flat=True).first()
    hold = lock_reservation(kept)[1] if kept is not None else None
    place = (
        rows.select_for_update(of=("self",), no_key=True)
        .select_related("organisation__region", "need__organisation")
        .first()
    )
    if place is None:
        raise NotFound
    return place, hold
