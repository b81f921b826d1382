"""Locks of bank transactions, taken behind the books of their host and before statements."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.selectors.rows import visible
from bookings.bank.models import BankMatch, BankTransaction
from bookings.charging.locks import lock_host_books
from bookings.record.locks import locked


def lock_transaction(seen: QuerySet[BankTransaction], transaction_id: UUID) -> BankTransaction:
    """Lock the books of the host of one of the transactions that the actor sees, then it. Raise `NotFound` if
    it is not among them."""
    lock_host_books(visible(seen, pk=transaction_id).host_id)
    return visible(locked(seen), pk=transaction_id)


def lock_match(seen: QuerySet[BankTransaction], match_id: UUID) -> tuple[BankTransaction, BankMatch]:
    """Lock the transaction of a match, as `lock_transaction` does; return both."""
    match = visible(BankMatch.objects.filter(transaction__in=seen.order_by().values("pk")), pk=match_id)
    row = lock_transaction(seen, match.transaction_id)
    return row, BankMatch.objects.select_related("payment").get(pk=match_id)
