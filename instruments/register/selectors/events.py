"""Load the data about instruments that webhooks send."""

from uuid import UUID

from accounts.domain.hooks import Happening
from accounts.models import OutboxMessage
from instruments.register.models import Instrument


def of_instrument(event: str, row: OutboxMessage) -> list[Happening]:
    """Return the webhook events of an effect about an instrument, with the instrument's present data."""
    instruments = Instrument.objects.select_related("organisation")
    one = instruments.get(pk=UUID(row.payload["instrument"]))
    data = {
        "id": str(one.pk),
        "name": one.name,
        "publication": one.publication,
        "host": one.organisation.code,
        "version": one.version,
    }
    return [Happening(event, one.pk, str(row.pk), frozenset({one.organisation_id}), data)]
