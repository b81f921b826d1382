"""Load the data about instruments that webhooks send."""

from uuid import UUID

from accounts.domain.hooks import ID, TEXT, WHOLE, Datum, Happening, Payload, data_of, one_of
from accounts.models import OutboxMessage
from instruments.register.models import Instrument

INSTRUMENT: Payload = {
    "id": Datum(lambda one: str(one.pk), ID),
    "name": Datum(lambda one: one.name, TEXT),
    "publication": Datum(lambda one: one.publication, one_of(Instrument.Publication.values)),
    "host": Datum(lambda one: one.organisation.code, TEXT),
    "version": Datum(lambda one: one.version, WHOLE),
}


def of_instrument(event: str, row: OutboxMessage) -> list[Happening]:
    """Return the webhook events of an effect about an instrument, with the instrument's present data."""
    instruments = Instrument.objects.select_related("organisation")
    one = instruments.get(pk=UUID(row.payload["instrument"]))
    return [Happening(event, one.pk, str(row.pk), frozenset({one.organisation_id}), data_of(INSTRUMENT, one))]
