"""Locks of chains."""

from uuid import UUID

from bookings.reserving.models import Chain


def lock_chain(chain_id: UUID) -> Chain:
    """Lock a chain of steps on different instruments, after the locks of their reservations."""
    return Chain.objects.select_for_update(no_key=True).get(pk=chain_id)
