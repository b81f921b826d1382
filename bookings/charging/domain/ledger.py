"""Double entry: what each thing that happens to money means on the accounts (docs/fees.md,
"The ledger"). Debits are above zero, credits below; the postings of an entry sum to zero."""

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
    return _without_zero(
        (RECEIVABLE, payable), (SUBSIDY, covered), (REVENUE, tax - covered - payable), (TAX, -tax)
    )


def payment_postings(amount: Decimal, *, settles: str) -> Postings:
    """Return the postings of money that came in against `receivable` (a statement) or `subsidy` (a
    settlement)."""
    return _without_zero((RECEIVED, amount), (settles, -amount))


def _without_zero(*postings: tuple[str, Decimal]) -> Postings:
    return tuple((account, amount) for account, amount in postings if amount)
