"""Locks of agreements."""

from uuid import UUID

from accounts.selectors.rows import visible
from bookings.pricing.models import Agreement


def lock_agreement(agreement_id: UUID) -> Agreement:
    """Lock an agreement to change, sign or end it; no other lock with it. `NotFound` if there is
    none."""
    return visible(Agreement.objects.select_for_update(no_key=True), pk=agreement_id)
