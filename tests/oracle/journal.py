"""What the journal of an organisation says of charges, payments and credit, written from the design's page on
fees without reading `bookings/journal/domain/`: debits above zero, credits below, by what a line is about.

A charge is what the payer owes (`receivable`), what a region owes for a voucher (`vouchers`), what the
host has earned (`revenue`) and the tax that it passes on (`output_tax`); for the payer what it spends,
what a voucher gives and what it owes. An organisation that charges itself recharges (`internal_cost`,
`internal_income`), without tax. A payment moves what is owed to the bank; credit (`advances`, `prepaid`) is
money that came for no statement. A reversal has the signs of its amounts.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

NOUGHT = Decimal(0)
HOST, PAYER = "host", "payer"
# What the design adds up, and which lines a journal may divide it into.
ONE_SUM = {
    "revenue_usage": "revenue",
    "revenue_consumables": "revenue",
    "revenue_training": "revenue",
    "revenue_cancellation": "revenue",
    "cost": "spent",
    "input_tax": "spent",
}


@dataclass(frozen=True)
class Event:
    """A charge, a payment of a statement, or a change of credit by a bank transaction; of the day on which it
    was written, where the organisation is. `is_from_credit`: a payment that credit paid, not the bank."""

    row: object
    kind: str  # "charge", "payment", "credit"
    day: date
    currency: str
    host: object
    payer: object
    payable: Decimal  # of a payment and of credit: the amount
    tax: Decimal = NOUGHT
    total: Decimal = NOUGHT
    covered: Decimal = NOUGHT
    is_from_credit: bool = False


def lines(of: Event, side: str) -> dict[str, Decimal]:
    """The amounts of an event by what they are about; none on the payer's side of what it charges itself."""
    found = _host(of) if side == HOST else _payer(of)
    return {role: amount for role, amount in found.items() if amount}


def _host(of: Event) -> dict[str, Decimal]:
    if of.kind == "payment":
        return {"advances" if of.is_from_credit else "bank": of.payable, "receivable": -of.payable}
    if of.kind == "credit":
        return {"bank": of.payable, "advances": -of.payable}
    if of.host == of.payer:
        return {"internal_cost": of.total, "internal_income": -of.total}
    return {
        "receivable": of.payable,
        "vouchers": of.covered,
        "revenue": of.tax - of.total,
        "output_tax": -of.tax,
    }


def _payer(of: Event) -> dict[str, Decimal]:
    if of.host == of.payer:
        return {}
    if of.kind == "payment":
        return {"payable": of.payable, "prepaid" if of.is_from_credit else "paid_from": -of.payable}
    if of.kind == "credit":
        return {"prepaid": of.payable, "paid_from": -of.payable}
    return {"spent": of.total, "voucher_income": -of.covered, "payable": -of.payable}


Sums = dict[tuple[str, str], Decimal]  # by what it is about, and currency


def sums(events: Iterable[Event], side: str) -> Sums:
    """The sums of events by what they are about; those that are 0 are left out."""
    found: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for event in events:
        for role, amount in lines(event, side).items():
            found[role, event.currency] += amount
    return {key: amount for key, amount in found.items() if amount}


def merged(by_role: Mapping[tuple[str, str], Decimal]) -> Sums:
    """The sums of a journal's lines by the sums of the design."""
    found: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for (role, currency), amount in by_role.items():
        found[ONE_SUM.get(role, role), currency] += amount
    return {key: amount for key, amount in found.items() if amount}


def is_balanced(amounts: Mapping[tuple[str, str], Decimal]) -> bool:
    """Whether debits and credits are equal in each currency."""
    left: defaultdict[str, Decimal] = defaultdict(Decimal)
    for (_, currency), amount in amounts.items():
        left[currency] += amount
    return not any(left.values())
