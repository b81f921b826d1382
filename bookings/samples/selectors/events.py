"""Load the webhook events about samples."""

from uuid import UUID

from accounts.domain.hooks import ID, WHOLE, Datum, Happening, Payload, about, data_of, one_of
from accounts.models import OutboxMessage
from bookings.samples.models import SampleItem

SAMPLE: Payload = {
    "id": Datum(lambda one: str(one.pk), ID),
    "code": Datum(lambda one: one.code, about("What its label says.")),
    "state": Datum(lambda one: one.state, one_of(SampleItem.State.values)),
    "organisation": Datum(
        lambda one: one.organisation.code, about("Code of the organisation that it belongs to.")
    ),
    "version": Datum(lambda one: one.version, WHOLE),
}


def of_samples(event: str, row: OutboxMessage) -> list[Happening]:
    """Return the event for each sample that an effect is about, for its owner's organisation and the hosts of
    its bookings."""
    samples = SampleItem.objects.select_related("organisation").filter(pk__in=row.payload["samples"])
    hosts = {UUID(pk) for pk in row.payload.get("hosts", ())}
    return [
        Happening(
            event,
            one.pk,
            f"{row.pk}:{one.pk}",
            frozenset({one.organisation_id, *hosts}),
            data_of(SAMPLE, one),
        )
        for one in samples.order_by("created_at", "id")
    ]
