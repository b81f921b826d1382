"""Check the terms of voucher programmes and of the grants made from them (docs/fees.md, step 7)."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import FieldProblem, Invalid, invalid
from bookings.pricing.domain.agreements import days_problems, named_problems, percent_problems
from bookings.pricing.domain.vouchers import serves_kind
from bookings.record.domain.money import format_amount, minor_digits

LARGEST = Decimal(10) ** 12
LEAST_PERCENT = Decimal("0.001")
MOST_REGIONS = 50


@dataclass(frozen=True)
class ProgrammeTerms:
    """The terms of a programme: a region pays `percent` of the use of its organisations, at most
    `cap_per_booking` of each booking, from grants that together do not exceed `budget`. Empty lists mean no
    restriction."""

    code: str
    name: str
    name_zh: str
    percent: Decimal
    currency: str
    valid_from: date
    valid_until: date | None
    cap_per_booking: Decimal | None = None
    budget: Decimal | None = None
    payer_kinds: tuple[str, ...] = ()
    is_for_small_only: bool = False
    host_regions: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class Served:
    """The currency, days and payers of a programme, which a grant from it must fit."""

    currency: str
    valid_from: date
    valid_until: date | None
    payer_kinds: tuple[str, ...]
    is_for_small_only: bool


@dataclass(frozen=True)
class GrantTerms:
    """One organisation's amount, usable on the local days [`valid_from`, `valid_until`)."""

    code: str
    amount: Decimal
    valid_from: date
    valid_until: date


def require_programme(
    terms: ProgrammeTerms,
    *,
    kinds: Collection[str],
    regions: Collection[UUID],
    granted: Decimal = Decimal(0),
    today: date | None,
) -> None:
    """Raise `Invalid` with all that is wrong with a programme. `kinds` and `regions` are those that exist,
    `granted` what has been granted already. `today` None: the end is unchanged, so it is not checked."""
    problems = [*named_problems(terms.code, terms.name, terms.name_zh)]
    problems += percent_problems("percent", terms.percent, least=LEAST_PERCENT)
    problems += days_problems(terms.valid_from, terms.valid_until, today)
    if terms.currency not in MINOR_DIGITS:
        problems.append(FieldProblem("currency", "unknown-currency"))
    else:
        for field in ("cap_per_booking", "budget"):
            problems += amount_problems(field, getattr(terms, field), terms.currency)
        if not problems and terms.budget is not None and terms.budget < granted:
            numbers = _numbers(granted, terms.currency)
            problems.append(FieldProblem("budget", "below-granted", numbers))
    problems += _list_problems("payer_kinds", terms.payer_kinds, kinds)
    problems += _list_problems("host_regions", terms.host_regions, regions)
    if len(terms.host_regions) > MOST_REGIONS:
        problems.append(FieldProblem("host_regions", "too-many", {"most": MOST_REGIONS}))
    if problems:
        raise Invalid(problems)


def amount_problems(field: str, amount: Decimal | None, currency: str) -> Iterator[FieldProblem]:
    """Yield what is wrong with an amount: it must be above 0, and no finer than the currency's minor unit."""
    if amount is None:
        return
    digits = minor_digits(currency)
    if not amount.is_finite() or not 0 < amount <= LARGEST:
        least = str(Decimal(1).scaleb(-digits))
        yield FieldProblem(field, "out-of-range", {"least": least, "most": str(LARGEST)})
    elif amount != round(amount, digits):
        yield FieldProblem(field, "too-many-decimals", {"decimals": digits})


def _list_problems(
    field: str, values: Collection[object], known: Collection[object]
) -> Iterator[FieldProblem]:
    seen: set[object] = set()
    for index, value in enumerate(values):
        if value not in known:
            yield FieldProblem(f"{field}[{index}]", "unknown-value")
        elif value in seen:
            yield FieldProblem(f"{field}[{index}]", "repeated")
        seen.add(value)


def require_grant(terms: GrantTerms, programme: Served, *, today: date | None) -> None:
    """Raise `Invalid` with all that is wrong with a grant; its days must lie within the programme's. `today`
    None: the end is unchanged, so it is not checked."""
    problems = [*named_problems(terms.code, "grant", "")]
    problems += amount_problems("amount", terms.amount, programme.currency)
    problems += days_problems(terms.valid_from, terms.valid_until, today)
    if terms.valid_from < programme.valid_from:
        problems.append(FieldProblem("valid_from", "outside-programme"))
    if programme.valid_until is not None and terms.valid_until > programme.valid_until:
        problems.append(FieldProblem("valid_until", "outside-programme"))
    if problems:
        raise Invalid(problems)


def require_payer(programme: Served, *, kind: str, is_small: bool, is_of_region: bool) -> None:
    """Raise `Invalid` for an organisation of another region, or of a kind the programme is not for."""
    if not is_of_region:
        raise invalid("organisation", "not-of-the-region")
    served = serves_kind(programme.payer_kinds, programme.is_for_small_only, kind=kind, is_small=is_small)
    if not served:
        raise invalid("organisation", "kind-not-served")


def require_room(*, budget: Decimal | None, granted: Decimal, more: Decimal, currency: str) -> None:
    """Raise `Invalid` (`programme-short`) if a programme's budget has less than `more` left to grant."""
    if budget is not None and more > 0 and granted + more > budget:
        left = max(budget - granted, Decimal(0))
        raise invalid("amount", "programme-short", **_numbers(left, currency))


def require_not_below(*, amount: Decimal, held: Decimal, redeemed: Decimal, currency: str) -> None:
    """Raise `Invalid` (`below-used`) for an amount below what is already reserved and spent of the grant."""
    if amount < held + redeemed:
        raise invalid("amount", "below-used", **_numbers(held + redeemed, currency))


def _numbers(amount: Decimal, currency: str) -> dict[str, str | int]:
    return {"amount": format_amount(amount, currency), "currency": currency}


def grant_state(
    *,
    is_suspended: bool,
    programme_suspended: bool,
    valid_from: date,
    valid_until: date,
    left: Decimal,
    today: date,
) -> str:
    """Return the state of a grant: `expired`, `suspended`, `coming`, `used_up` or `open`. What was reserved
    while it was open stays so: an expired grant pays for bookings that began on its days."""
    if valid_until <= today:
        return "expired"
    if is_suspended or programme_suspended:
        return "suspended"
    if today < valid_from:
        return "coming"
    return "open" if left > 0 else "used_up"


def programme_state(*, is_suspended: bool, valid_from: date, valid_until: date | None, today: date) -> str:
    """Return the state of a programme: `over`, `suspended`, `coming` or `open`."""
    if valid_until is not None and valid_until <= today:
        return "over"
    if is_suspended:
        return "suspended"
    return "coming" if today < valid_from else "open"
