"""Load the webhook events about bookings."""

from uuid import UUID

from accounts.domain.hooks import (
    ID,
    INSTANT,
    TEXT,
    WHOLE,
    Datum,
    Happening,
    Payload,
    data_of,
    instant,
    one_of,
)
from accounts.models import OutboxMessage
from accounts.prepared import Prepared
from bookings.record.models import Reservation

BOOKING: Payload = {
    "id": Datum(lambda one: str(one.pk), ID),
    "instrument": Datum(lambda one: str(one.instrument_id), ID),
    "start": Datum(lambda one: instant(one.start_at), INSTANT),
    "end": Datum(lambda one: instant(one.end_at), INSTANT),
    "state": Datum(lambda one: one.state, one_of(Reservation.State.values)),
    "organisation": Datum(lambda one: one.organisation.code, TEXT),
    "host": Datum(lambda one: one.host.code, TEXT),
    "version": Datum(lambda one: one.version, WHOLE),
}


def of_reservations(event: str, row: OutboxMessage) -> list[Happening]:
    """Return the event for each booking that an effect is about, as the bookings are now."""
    named = row.payload.get("reservations") or [row.payload.get("reservation")]
    return [
        Happening(
            event,
            one.pk,
            f"{row.pk}:{one.pk}",
            frozenset({one.organisation_id, one.host_id}),
            data_of(BOOKING, one),
        )
        for one in _RESERVATIONS.rows(ids=[UUID(one) for one in named if one])
    ]


_RESERVATIONS = Prepared(
    lambda ids: (
        Reservation.objects.select_related("organisation", "host")
        .filter(pk__one_of=ids)
        .order_by("start_at", "id")
    )
)
