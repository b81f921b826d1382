"""Locks of statements and settlements."""

from uuid import UUID

from accounts.domain.errors import NotFound
from bookings.settlement.models import Settlement, Statement


def lock_statement(statement_id: UUID) -> Statement:
    """After the books of its host, where those are needed. `NotFound` if there is none."""
    found = (
        Statement.objects.select_for_update(of=("self",), no_key=True)
        .select_related("host", "payer", "host_region", "payer_region")
        .filter(pk=statement_id)
        .first()
    )
    if found is None:
        raise NotFound
    return found


def lock_settlement(settlement_id: UUID) -> Settlement:
    """`NotFound` if there is none."""
    found = (
        Settlement.objects.select_for_update(of=("self",), no_key=True)
        .select_related("first", "second")
        .filter(pk=settlement_id)
        .first()
    )
    if found is None:
        raise NotFound
    return found
