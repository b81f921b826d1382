"""Locks of agreements."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.selectors.rows import visible
from bookings.pricing.models import Agreement


def lock_agreement(seen: QuerySet[Agreement], agreement_id: UUID) -> Agreement:
    """Lock one of the agreements that the actor sees, to change, sign or end it; no other lock is taken with
    it. Raise `NotFound` if it is not among them."""
    rows = seen.prefetch_related(None).select_for_update(of=("self",), no_key=True)
    return visible(rows, pk=agreement_id)
