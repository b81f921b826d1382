"""Load the webhook events about bookings."""

from accounts.domain.hooks import Happening, instant
from accounts.models import OutboxMessage
from bookings.record.models import Reservation


def of_reservations(event: str, row: OutboxMessage) -> list[Happening]:
    """Return the event for each booking that an effect is about, as the bookings are now."""
    named = row.payload.get("reservations") or [row.payload.get("reservation")]
    reservations = Reservation.objects.select_related("organisation", "host").filter(pk__in=named)
    return [
        Happening(
            event,
            one.pk,
            f"{row.pk}:{one.pk}",
            frozenset({one.organisation_id, one.host_id}),
            {
                "id": str(one.pk),
                "instrument": str(one.instrument_id),
                "start": instant(one.start_at),
                "end": instant(one.end_at),
                "state": one.state,
                "organisation": one.organisation.code,
                "host": one.host.code,
                "version": one.version,
            },
        )
        for one in reservations.order_by("start_at", "id")
    ]
