"""What the books say, for tests of what happens to money."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Sum

from bookings.charging.models import Posting
from bookings.charging.selectors.ledger import Balance, balances


def receivables(
    *, host_ids: Iterable[UUID] | None = None, payer_ids: Iterable[UUID] | None = None
) -> list[Balance]:
    """What payers owe hosts, of some hosts or payers only if they are named. One statement."""
    only: dict[str, Any] = {"account": Posting.Account.RECEIVABLE}
    if host_ids is not None:
        only["host_id__in"] = list(host_ids)
    if payer_ids is not None:
        only["payer_id__in"] = list(payer_ids)
    return balances(**only)


def sums_by_currency() -> dict[str, Decimal]:
    """The sum of all postings by currency: zero each, or the books are wrong. One statement."""
    rows = Posting.objects.order_by().values_list("currency").annotate(amount=Sum("amount"))
    return dict(rows)
