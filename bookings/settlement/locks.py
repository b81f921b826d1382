"""Locks of statements and settlements."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.selectors.rows import visible
from bookings.record.locks import locked
from bookings.settlement.models import Settlement, Statement


def lock_statement(seen: QuerySet[Statement], statement_id: UUID) -> Statement:
    """Lock one of the statements that the actor sees, after the books of its host if they are needed. Raise
    `NotFound` if it is not among them."""
    return visible(locked(seen), pk=statement_id)


def lock_settlement(seen: QuerySet[Settlement], settlement_id: UUID) -> Settlement:
    """Lock one of the settlements that the actor sees. Raise `NotFound` if it is not among them."""
    return visible(locked(seen), pk=settlement_id)
