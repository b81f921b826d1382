"""Read the balances of the ledger."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Sum

from bookings.charging.models import Posting


@dataclass(frozen=True)
class Balance:
    """The balance of an account between a payer and a host in one currency; debits are positive. For payments
    between regions `host_id` and `payer_id` are None."""

    account: str
    currency: str
    host_id: UUID | None
    payer_id: UUID | None
    host_region_id: UUID
    payer_region_id: UUID
    amount: Decimal


def balances(**only: Any) -> list[Balance]:
    """Return the balance of every account, or of those that match (`account`, `host_id`, `payer_id`,
    `currency`, ...), except zero balances. It takes one statement."""
    names = ("account", "currency", "host_id", "payer_id", "host_region_id", "payer_region_id")
    rows = Posting.objects.filter(**only).order_by(*names).values_list(*names).annotate(amount=Sum("amount"))
    return [Balance(*row) for row in rows if row[-1]]
