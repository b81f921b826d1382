"""Check the terms of a funding source (docs/fees.md, "Funding")."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import FieldProblem, Invalid
from bookings.record.domain.money import format_amount

LONGEST_CODE = 40
LONGEST_NAME = 200
MOST_USERS = 200
MOST_BUDGET = Decimal(10) ** 12
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)
_CODE = re.compile(r"\w[\w.-]*")

VALID, SUSPENDED, COMING, ENDED = "valid", "suspended", "coming", "ended"
STATES = (VALID, COMING, ENDED, SUSPENDED)


@dataclass(frozen=True)
class SourceTerms:
    """The terms of a funding source that finance sets, without its code; days are [`valid_from`,
    `valid_until`)."""

    name: str
    owner: UUID
    currency: str
    valid_from: date
    valid_until: date | None = None
    budget: Decimal | None = None
    is_open: bool = False
    users: frozenset[UUID] = frozenset()


@dataclass(frozen=True)
class Used:
    """The use that was made of a source: its currency, the amount reserved or spent, and the part of it that
    counts towards the budget. `currency` is None if the source was never used."""

    currency: str | None = None
    amount: Decimal = Decimal(0)
    budget: Decimal | None = None


def require_code(code: str) -> None:
    """Raise `Invalid` unless the text may be the code of a source."""
    if not code:
        raise Invalid([FieldProblem("code", "required")])
    if len(code) > LONGEST_CODE:
        raise Invalid([FieldProblem("code", "too-long", {"most": LONGEST_CODE})])
    if not _CODE.fullmatch(code):
        raise Invalid([FieldProblem("code", "not-a-code")])


def require_terms(terms: SourceTerms, used: Used) -> None:
    """Raise `Invalid` naming all terms of a source that do not fit. The currency cannot change once it is in
    use, and a new budget cannot be less than what is reserved and spent."""
    problems = [*_of_name(terms), *_of_days(terms)]
    if terms.currency not in MINOR_DIGITS:
        problems.append(FieldProblem("currency", "unknown-currency"))
    elif used.currency is not None and terms.currency != used.currency:
        problems.append(FieldProblem("currency", "currency-in-use"))
    elif terms.budget is not None:
        problems += _of_budget(terms.budget, terms.currency, used)
    if len(terms.users) > MOST_USERS:
        problems.append(FieldProblem("users", "too-many", {"most": MOST_USERS}))
    if problems:
        raise Invalid(problems)


def _of_name(terms: SourceTerms) -> list[FieldProblem]:
    if not terms.name:
        return [FieldProblem("name", "required")]
    if len(terms.name) > LONGEST_NAME:
        return [FieldProblem("name", "too-long", {"most": LONGEST_NAME})]
    return []


def _of_days(terms: SourceTerms) -> list[FieldProblem]:
    limits: dict[str, str | int] = {"least": str(FIRST_DAY), "most": str(LAST_DAY)}
    problems = [
        FieldProblem(name, "out-of-range", limits)
        for name, day in (("valid_from", terms.valid_from), ("valid_until", terms.valid_until))
        if day is not None and not FIRST_DAY <= day <= LAST_DAY
    ]
    if terms.valid_until is not None and terms.valid_until <= terms.valid_from:
        problems.append(FieldProblem("valid_until", "not-after-valid-from"))
    return problems


def _of_budget(budget: Decimal, currency: str, used: Used) -> list[FieldProblem]:
    if not budget.is_finite() or not 0 <= budget <= MOST_BUDGET:
        return [FieldProblem("budget", "out-of-range", {"least": 0, "most": str(MOST_BUDGET)})]
    digits = MINOR_DIGITS[currency]
    if budget != round(budget, digits):
        return [FieldProblem("budget", "too-many-decimals", {"decimals": digits})]
    if budget < used.amount and budget != used.budget:
        numbers = {"used": format_amount(used.amount, currency), "currency": currency}
        return [FieldProblem("budget", "budget-below-use", numbers)]
    return []


def state_on(today: date, valid_from: date, valid_until: date | None, *, is_suspended: bool) -> str:
    """Return the state of a funding source on a day of its organisation."""
    if is_suspended:
        return SUSPENDED
    if today < valid_from:
        return COMING
    if valid_until is not None and today >= valid_until:
        return ENDED
    return VALID
