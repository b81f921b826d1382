"""How facilities receive samples by post."""

from uuid import UUID

from bookings.samples.models import SampleReceiving


def receiving_of(facility_id: UUID) -> SampleReceiving | None:
    """Return how a facility receives samples; None if its managers have not said."""
    return SampleReceiving.objects.filter(pk=facility_id).first()
