"""Locks of chains."""

from uuid import UUID

from bookings.reserving.models import Chain


def lock_chain(chain_id: UUID) -> Chain:
    """What ties steps on different instruments together; after their reservations."""
    return Chain.objects.select_for_update(no_key=True).get(pk=chain_id)
