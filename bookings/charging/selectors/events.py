"""Load what webhooks report about charges."""

from uuid import UUID

from accounts.domain.hooks import Happening
from accounts.models import OutboxMessage
from bookings.pricing.models import Charge


def of_charge(event: str, row: OutboxMessage) -> list[Happening]:
    """Return the webhook events of an effect about a charge, with the charge's present data."""
    charges = Charge.objects.select_related("reservation__organisation", "reservation__host")
    one = charges.get(pk=UUID(row.payload["charge"]))
    booked = one.reservation
    data = {
        "id": str(one.pk),
        "reservation": str(booked.pk),
        "state": one.state,
        "payable": {"amount": str(one.payable), "currency": one.currency},
        "organisation": booked.organisation.code,
        "host": booked.host.code,
    }
    concerned = frozenset({booked.organisation_id, booked.host_id})
    return [Happening(event, one.pk, str(row.pk), concerned, data)]
