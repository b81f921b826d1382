"""Paying from several sources by percent (docs/fees.md, "Funding")."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from accounts.domain.errors import FieldProblem, Invalid
from bookings.domain.money import exact_arithmetic, minor_digits, round_half_up

MOST_SHARES = 10
HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Share:
    """`percent` of what is payable, from the source with a code."""

    source: str
    percent: Decimal


@dataclass(frozen=True)
class Purse:
    """A funding source as the rules see it. `left` None: it has no budget. Days are local ones
    of the booking, [`valid_from`, `valid_until`)."""

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
    """`Invalid` unless each source is named once with a percent above 0, in all 100."""
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


def require_chargeable(index: int, purse: Purse | None, day: date) -> Purse:
    """`Invalid` names `funding[index].source` where the person may not charge it on the day."""
    problem = None
    if purse is None or not purse.may_charge:
        problem = "unknown-source"
    elif purse.is_suspended:
        problem = "source-suspended"
    elif not purse.is_valid(day):
        problem = "source-not-valid"
    if problem or purse is None:
        raise Invalid([FieldProblem(f"funding[{index}].source", problem or "unknown-source")])
    return purse


def split(amount: Decimal, percents: Sequence[Decimal], currency: str) -> list[Decimal]:
    """The amount in parts by percent (in all 100), which add up to it exactly: each is rounded
    down to the minor unit, and what is left goes, a unit each, to those that lost most (of
    equals the earlier). Of an amount below 0 the parts are those of its opposite."""
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
    """The amount at a rate, in the currency of a source, rounded once."""
    with exact_arithmetic():
        return round_half_up(amount * rate, currency)
