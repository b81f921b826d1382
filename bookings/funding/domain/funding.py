"""Paying from several sources by percent (docs/fees.md, "Funding")."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from accounts.domain.errors import FieldProblem, Invalid
from bookings.record.domain.money import exact_arithmetic, format_amount, minor_digits, round_half_up
from bookings.record.domain.refusals import Refusal

MOST_SHARES = 10
HUNDRED = Decimal(100)


class Cost(Protocol):
    """The amount to be paid for a booking, or for a place in a course."""

    @property
    def payable(self) -> Decimal: ...

    @property
    def currency(self) -> str: ...


@dataclass(frozen=True)
class PlaceCost:
    """The price of a place in a course."""

    payable: Decimal
    currency: str


@dataclass(frozen=True)
class Share:
    """The part of a booking, as a `percent` of what is payable, that the source with this code pays."""

    source: str
    percent: Decimal


@dataclass(frozen=True)
class Purse:
    """A funding source as the rules see it. `left` is None if it has no budget. It pays for bookings that
    start on the local days [`valid_from`, `valid_until`)."""

    id: UUID
    code: str
    currency: str
    left: Decimal | None
    valid_from: date
    valid_until: date | None
    is_suspended: bool
    may_charge: bool

    def is_valid(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


def require_shares(shares: Sequence[Share]) -> None:
    """Raise `Invalid` unless the shares name each source once, with a percent above 0, and their percents add
    up to 100."""
    problems = []
    if len(shares) > MOST_SHARES:
        problems.append(FieldProblem("funding", "too-many", {"most": MOST_SHARES}))
    seen: set[str] = set()
    for index, share in enumerate(shares):
        where = f"funding[{index}]"
        if share.source in seen:
            problems.append(FieldProblem(f"{where}.source", "repeated"))
        seen.add(share.source)
        if not share.percent.is_finite() or not 0 < share.percent <= HUNDRED:
            problems.append(
                FieldProblem(f"{where}.percent", "out-of-range", {"least": "0.001", "most": "100"})
            )
        elif share.percent != round(share.percent, 3):
            problems.append(FieldProblem(f"{where}.percent", "too-many-decimals", {"decimals": 3}))
    if not problems and shares and sum(share.percent for share in shares) != HUNDRED:
        problems.append(FieldProblem("funding", "not-a-whole"))
    if problems:
        raise Invalid(problems)


def require_known(shares: Sequence[Share], purses: Mapping[str, Purse]) -> None:
    """Raise `Invalid` naming each `funding[index].source` that does not exist or that the person may not
    charge; the two cases are not told apart."""
    problems = [
        FieldProblem(f"funding[{index}].source", "unknown-source")
        for index, share in enumerate(shares)
        if (purse := purses.get(share.source)) is None or not purse.may_charge
    ]
    if problems:
        raise Invalid(problems)


@dataclass(frozen=True)
class SourceShare:
    """One source's part of a booking: `amount` in the currency of the price, `reserved` the same at `rate` in
    the source's own. Both are None if no rate is known."""

    purse: Purse
    percent: Decimal
    amount: Decimal
    rate: Decimal | None
    reserved: Decimal | None

    @property
    def left(self) -> Decimal | None:
        """Return the amount that the source would have left after paying; None without a budget or a rate."""
        if self.purse.left is None or self.reserved is None:
            return None
        return self.purse.left - self.reserved


def parts_of(
    shares: Sequence[Share],
    purses: Mapping[str, Purse],
    rates: Mapping[str, Decimal],
    payable: Decimal,
    currency: str,
) -> tuple[SourceShare, ...]:
    """Return each source's part, in the order of the shares. `rates` convert from the currency of the price
    to those of the sources."""
    amounts = split(payable, [share.percent for share in shares], currency)
    parts = []
    for share, amount in zip(shares, amounts, strict=True):
        purse = purses[share.source]
        rate = Decimal(1) if purse.currency == currency else rates.get(purse.currency)
        reserved = None if rate is None else converted(amount, rate, purse.currency)
        parts.append(SourceShare(purse, share.percent, amount, rate, reserved))
    return tuple(parts)


def refuse_parts(parts: Sequence[SourceShare], currency: str, day: date | None) -> tuple[Refusal, ...]:
    """Return every reason why the sources will not pay for a booking that starts on a local day. `day` None:
    the booking only gives time back, so a suspended or outdated source does not matter."""
    refusals = []
    for part in parts:
        purse = part.purse
        if day is not None and purse.is_suspended:
            refusals.append(Refusal("source-suspended", {"source": purse.code}))
        if day is not None and not purse.is_valid(day):
            refusals.append(Refusal("source-not-valid", {"source": purse.code}))
        if part.reserved is None:
            numbers = {"source": purse.code, "base": currency, "quote": purse.currency}
            refusals.append(Refusal("no-exchange-rate", numbers))
        elif purse.left is not None and part.reserved > max(purse.left, Decimal(0)):
            numbers = {
                "source": purse.code,
                "left": format_amount(max(purse.left, Decimal(0)), purse.currency),
                "needed": format_amount(part.reserved, purse.currency),
                "currency": purse.currency,
            }
            refusals.append(Refusal("funding-short", numbers))
    return tuple(refusals)


def without_numbers(refusals: Sequence[Refusal]) -> tuple[Refusal, ...]:
    """Return the refusals as the host's people may see them: which source it is and what it has left is the
    payer's affair."""
    return (Refusal("funding-blocked"),) if refusals else ()


def split(amount: Decimal, percents: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Split an amount by percents (100 in all) into parts that add up to it exactly. Each part is rounded
    down to the minor unit; the remaining units go, one each, to the parts that lost most by rounding (the
    earlier of equals). A negative amount is split as its opposite."""
    if amount < 0:
        return [-part for part in split(-amount, percents, currency)]
    unit = Decimal(1).scaleb(-minor_digits(currency))
    with exact_arithmetic():
        exact = [amount * percent / HUNDRED for percent in percents]
        parts = [each // unit * unit for each in exact]
        lost = [each - part for each, part in zip(exact, parts, strict=True)]
        units_left = int((amount - sum(parts)) / unit)
    first = sorted(range(len(parts)), key=lambda index: (-lost[index], index))
    for index in first[:units_left]:
        parts[index] += unit
    return parts


def converted(amount: Decimal, rate: Decimal, currency: str) -> Decimal:
    """Return the amount at a rate, in the currency of a source, rounded once."""
    with exact_arithmetic():
        return round_half_up(amount * rate, currency)
