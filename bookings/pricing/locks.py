"""Locks of agreements."""

from uuid import UUID

from bookings.pricing.models import Agreement


def lock_agreement(agreement_id: UUID) -> Agreement | None:
    """While it is changed, signed or ended. It is taken alone."""
    return Agreement.objects.select_for_update(no_key=True).filter(pk=agreement_id).first()
