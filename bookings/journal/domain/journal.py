"""Turn events of the ledger into journal entries (docs/journal.md): lines with a role each, which the chart
of accounts later turns into an account. The lines of an entry add up to zero, debits positive and credits
negative, as postings do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from bookings.charging.domain.ledger import RECEIVABLE, RECEIVED, REVENUE, SUBSIDY, TAX
from bookings.funding.domain.funding import HUNDRED, split
from bookings.record.domain.money import proportion

# The two sides on which an organisation has money; each has a journal of its own.
HOST, PAYER = "host", "payer"
SIDES = (HOST, PAYER)

CHARGE, PAYMENT, CREDIT = "charge", "payment", "credit"

USAGE, CONSUMABLES, TRAINING, CANCELLATION = "usage", "consumables", "training", "cancellation"
PARTS = (USAGE, CONSUMABLES, TRAINING, CANCELLATION)

# Roles of lines. As host:
RECEIVABLES, ADVANCES, VOUCHERS, BANK, OUTPUT_TAX = "receivable", "advances", "vouchers", "bank", "output_tax"
REVENUES = {part: f"revenue_{part}" for part in PARTS}
INTERNAL_INCOME, INTERNAL_COST = "internal_income", "internal_cost"
# As payer:
PAYABLES, COST, INPUT_TAX, VOUCHER_INCOME, PAID_FROM, PREPAID = (
    "payable", "cost", "input_tax", "voucher_income", "paid_from", "prepaid",
)  # fmt: skip
HOST_ROLES = (
    RECEIVABLES, ADVANCES, VOUCHERS, BANK, OUTPUT_TAX, *REVENUES.values(), INTERNAL_INCOME, INTERNAL_COST,
)  # fmt: skip
PAYER_ROLES = (PAYABLES, COST, INPUT_TAX, VOUCHER_INCOME, PAID_FROM, PREPAID)
ROLES = (*HOST_ROLES, *PAYER_ROLES)
SIDE_OF = {**dict.fromkeys(HOST_ROLES, HOST), **dict.fromkeys(PAYER_ROLES, PAYER)}

# The account of the ledger that a role of each side belongs to. Money kept for a payer is in no ledger: a
# payment out of it counts as received, and so does what the journal has on the account of advances.
LEDGER_ACCOUNT = {
    RECEIVABLES: RECEIVABLE, INTERNAL_COST: RECEIVABLE, VOUCHERS: SUBSIDY, OUTPUT_TAX: TAX,
    BANK: RECEIVED, ADVANCES: RECEIVED,
    **dict.fromkeys(REVENUES.values(), REVENUE), INTERNAL_INCOME: REVENUE,
    PAYABLES: RECEIVABLE, VOUCHER_INCOME: SUBSIDY, PAID_FROM: RECEIVED, PREPAID: RECEIVED,
}  # fmt: skip
# What a payer spends, with the tax that it may deduct or not.
SPENT = (COST, INPUT_TAX)


@dataclass(frozen=True)
class Event:
    """An event with money, as values. Of a charge `net`, `tax`, `covered` and `payable` are set (below 0
    where it takes another back); of a payment or a credit only `payable`, the amount.

    `parts` says how much of `net` is use, consumables, training or a fee for not using; they add up to it.
    `shares` are the payer's funding sources with their percents, of which the sum is 100, or nothing.
    `deducts_tax`: the payer books the tax apart, because it gets it back. `is_of_credit`: the payment uses
    money that the payer has with the host already.
    """

    kind: str
    currency: str
    payable: Decimal
    net: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    covered: Decimal = Decimal(0)
    parts: tuple[tuple[str, Decimal], ...] = ()
    tax_percent: Decimal | None = None
    shares: tuple[tuple[UUID, Decimal], ...] = ()
    is_internal: bool = False
    deducts_tax: bool = False
    is_of_credit: bool = False


@dataclass(frozen=True)
class Line:
    """A line of an entry: a debit above 0 or a credit below 0. `source` is the funding source that pays, and
    `tax_percent` the rate of the tax, or of what is taxed."""

    role: str
    amount: Decimal
    source: UUID | None = None
    tax_percent: Decimal | None = None


def lines_of(event: Event, side: str) -> tuple[Line, ...]:
    """Return the lines of an event for the journal of one side; without those of 0. An organisation that
    recharges itself has them on the side of the host alone: there is none as payer."""
    if event.is_internal and side == PAYER:
        return ()
    lines = _of_host(event) if side == HOST else _of_payer(event)
    return tuple(line for line in lines if line.amount)


def _of_host(event: Event) -> Iterable[Line]:
    amount = event.payable
    match event.kind:
        case "charge":
            if event.is_internal:
                yield from _shared(INTERNAL_COST, amount, event)
            else:
                yield Line(RECEIVABLES, amount)
            yield Line(VOUCHERS, event.covered)
            for part, sum_of_part in event.parts:
                role = INTERNAL_INCOME if event.is_internal else REVENUES[part]
                yield Line(role, -sum_of_part, tax_percent=event.tax_percent)
            yield Line(OUTPUT_TAX, -event.tax, tax_percent=event.tax_percent)
        case "payment":
            yield Line(ADVANCES if event.is_of_credit else BANK, amount)
            yield Line(INTERNAL_COST if event.is_internal else RECEIVABLES, -amount)
        case "credit":
            yield Line(BANK, amount)
            yield Line(ADVANCES, -amount)


def _of_payer(event: Event) -> Iterable[Line]:
    amount = event.payable
    match event.kind:
        case "charge":
            tax = event.tax if event.deducts_tax else Decimal(0)
            yield from _shared(COST, event.net + event.tax - tax, event)
            yield Line(INPUT_TAX, tax, tax_percent=event.tax_percent)
            yield Line(VOUCHER_INCOME, -event.covered)
            yield Line(PAYABLES, -amount)
        case "payment":
            yield Line(PAYABLES, amount)
            yield Line(PREPAID if event.is_of_credit else PAID_FROM, -amount)
        case "credit":
            yield Line(PREPAID, amount)
            yield Line(PAID_FROM, -amount)


def _shared(role: str, amount: Decimal, event: Event) -> Iterable[Line]:
    """Yield a line for each funding source; one without if no source pays."""
    rate = None if event.is_internal else event.tax_percent
    if sum(percent for _, percent in event.shares) != HUNDRED:
        yield Line(role, amount, tax_percent=rate)
        return
    amounts = split(amount, [percent for _, percent in event.shares], event.currency)
    for (source, _), part in zip(event.shares, amounts, strict=True):
        yield Line(role, part, source, rate)


def parts_of(
    kind: str, result: Mapping[str, Any], net: Decimal, currency: str, units: Mapping[str, str]
) -> tuple[tuple[str, Decimal], ...]:
    """Return how much of the net amount of a charge is what, which adds up to it. `kind` and `result` are
    those of the charge, or of the one that a reversal takes back, whose `net` is then below 0; `units` those
    of the options of its rate card, by code.

    Options by the piece are consumables, and a fee for shortening late is a fee; all else of a use is use.
    What was waived is taken off all of them in proportion.
    """
    if kind != "use":
        return ((TRAINING if kind == "training" else CANCELLATION, net),)
    pieces = [
        Decimal(line["amount"])
        for line in result.get("lines") or ()
        if line.get("kind") == "option" and units.get(line.get("code", "")) == "each"
    ]
    shortening = Decimal((result.get("shortening") or {}).get("fee", 0))
    whole = Decimal(result.get("subtotal") or 0) + shortening
    sums = {CONSUMABLES: sum(pieces, Decimal(0)), CANCELLATION: shortening}
    if whole <= 0:
        return ((USAGE, net),)
    found = {part: proportion(amount, net, whole, currency) for part, amount in sums.items() if amount}
    found = {USAGE: net - sum(found.values(), Decimal(0))} | found
    return tuple((part, amount) for part, amount in found.items() if amount)


def balance(lines: Iterable[Line]) -> Decimal:
    """Return the sum of lines, which is 0 for an entry."""
    return sum((line.amount for line in lines), Decimal(0))


def ledger_sums(lines: Iterable[tuple[str, Decimal]], side: str) -> dict[str, Decimal]:
    """Return the sums of lines (role and amount) by account of the ledger, with the signs of the ledger,
    which is written for the host. What a payer spends is compared as a whole: with revenue and tax together.
    Credits of payers cancel out in it, as they move between accounts that count as received."""
    sums: dict[str, Decimal] = {}
    for role, amount in lines:
        account = REVENUE if role in SPENT else LEDGER_ACCOUNT.get(role)
        if account is not None:
            sums[account] = sums.get(account, Decimal(0)) + (amount if side == HOST else -amount)
    return {account: amount for account, amount in sums.items() if amount}
