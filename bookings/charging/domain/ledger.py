"""Double-entry rules: the postings of each event that concerns money (docs/fees.md, "The ledger"). Debits are
positive, credits negative; the postings of an entry sum to zero."""

from decimal import Decimal

RECEIVABLE = "receivable"
SUBSIDY = "subsidy"
REVENUE = "revenue"
TAX = "tax"
RECEIVED = "received"

Postings = tuple[tuple[str, Decimal], ...]


def charge_postings(*, tax: Decimal, covered: Decimal, payable: Decimal) -> Postings:
    """Return the postings of a charge or a reversing one (amounts below 0): the payer owes the host the
    payable amount, the payer's region what a voucher covers; the host has earned the charge and owes the tax
    on it. Accounts that do not change are left out."""
    return _without_zero(
        (RECEIVABLE, payable), (SUBSIDY, covered), (REVENUE, tax - covered - payable), (TAX, -tax)
    )


def payment_postings(amount: Decimal, *, settles: str) -> Postings:
    """Return the postings of a payment received for `receivable` (a statement) or `subsidy` (a
    settlement)."""
    return _without_zero((RECEIVED, amount), (settles, -amount))


def _without_zero(*postings: tuple[str, Decimal]) -> Postings:
    return tuple((account, amount) for account, amount in postings if amount)
