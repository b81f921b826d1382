"""Load the webhook events about needs."""

from uuid import UUID

from accounts.domain.hooks import ID, WHOLE, Datum, Happening, Payload, about, data_of
from accounts.models import OutboxMessage
from bookings.needs.models import Need

# Nothing of what somebody wants to measure: programs read it where people may.
NEED: Payload = {
    "id": Datum(lambda one: str(one.pk), ID),
    "organisation": Datum(
        lambda one: one.organisation.code, about("Code of the organisation that would pay.")
    ),
    "is_withdrawn": Datum(lambda one: one.state == Need.State.WITHDRAWN, {"type": "boolean"}),
    "version": Datum(lambda one: one.version, WHOLE),
}


def of_need(event: str, row: OutboxMessage) -> list[Happening]:
    """Return the event about a need, for the organisation that would pay."""
    one = Need.objects.select_related("organisation").get(pk=UUID(row.payload["need"]))
    return [Happening(event, one.pk, str(row.pk), frozenset({one.organisation_id}), data_of(NEED, one))]
