"""Load the webhook events about results."""

from uuid import UUID

from accounts.domain.hooks import (
    ID,
    INSTANT,
    TEXT,
    WHOLE,
    Datum,
    Happening,
    Payload,
    about,
    data_of,
    instant,
    one_of,
)
from accounts.models import OutboxMessage
from bookings.results.models import HandOff

_KEPT = about("Until when the files are kept.", INSTANT)
HAND_OFF: Payload = {
    "id": Datum(lambda one: str(one.pk), ID),
    "reservation": Datum(lambda one: str(one.reservation_id), ID),
    "state": Datum(lambda one: one.state, one_of(HandOff.State.values)),
    "retain_until": Datum(lambda one: one.retain_until and instant(one.retain_until), _KEPT, may_lack=True),
    "organisation": Datum(lambda one: one.reservation.organisation.code, TEXT),
    "host": Datum(lambda one: one.host.code, TEXT),
    "version": Datum(lambda one: one.version, WHOLE),
}


def of_hand_off(event: str, row: OutboxMessage) -> list[Happening]:
    """Return the webhook event about the results of a booking, with their present data."""
    rows = HandOff.objects.select_related("host", "reservation__organisation")
    one = rows.get(pk=UUID(row.payload["hand_off"]))
    concerned = frozenset({one.reservation.organisation_id, one.host_id})
    return [Happening(event, one.pk, str(row.pk), concerned, data_of(HAND_OFF, one))]
