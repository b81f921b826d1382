"""Double entry: what each thing that happens to money means on the accounts (docs/fees.md,
"The ledger"). Debits are above zero, credits below; the postings of an entry sum to zero."""

from collections.abc import Iterable
from decimal import Decimal

RECEIVABLE = "receivable"
SUBSIDY = "subsidy"
REVENUE = "revenue"
TAX = "tax"
RECEIVED = "received"

Postings = tuple[tuple[str, Decimal], ...]


def charge_postings(*, tax: Decimal, covered: Decimal, payable: Decimal) -> Postings:
    """Of a charge or a reversing one (amounts below 0): the payer owes the host what is
    payable, the payer's region what a voucher covers; the host has earned it, and owes the
    tax on. Accounts that nothing happens to are left out."""
    return _said(
        (RECEIVABLE, payable),
        (SUBSIDY, covered),
        (REVENUE, tax - covered - payable),
        (TAX, -tax),
    )


def payment_postings(amount: Decimal, *, settles: str) -> Postings:
    """Of money that came in against `receivable` (a statement) or `subsidy` (a settlement)."""
    return _said((RECEIVED, amount), (settles, -amount))


def _said(*postings: tuple[str, Decimal]) -> Postings:
    return tuple((account, amount) for account, amount in postings if amount)


def is_balanced(postings: Iterable[tuple[str, Decimal]]) -> bool:
    """Whether they sum to zero. The database asks the same of every entry at commit."""
    return sum((amount for _, amount in postings), Decimal(0)) == 0
