"""Locks of statements and settlements."""

from uuid import UUID

from accounts.selectors.rows import visible
from bookings.settlement.models import Settlement, Statement


def lock_statement(statement_id: UUID) -> Statement:
    """Lock a statement, after the books of its host where those are needed. `NotFound` if there is
    none."""
    return visible(
        Statement.objects.select_for_update(of=("self",), no_key=True).select_related(
            "host", "payer", "host_region", "payer_region"
        ),
        pk=statement_id,
    )


def lock_settlement(settlement_id: UUID) -> Settlement:
    """Lock a settlement. `NotFound` if there is none."""
    return visible(
        Settlement.objects.select_for_update(of=("self",), no_key=True).select_related(
            "first", "second"
        ),
        pk=settlement_id,
    )
