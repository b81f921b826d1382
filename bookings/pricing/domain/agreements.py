"""Find the terms that two regions have agreed on for a day (docs/fees.md, "Price group")."""

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from accounts.domain.errors import FieldProblem, Invalid, invalid


@dataclass(frozen=True)
class AgreementValues:
    """An agreement that every member has signed, for the local days [`valid_from`, `valid_until`);
    `valid_until` None: until somebody ends it."""

    id: UUID
    code: str
    valid_from: date
    valid_until: date | None
    discount_percent: Decimal = Decimal(0)
    honours_vouchers: bool = False
    recognises_qualifications: bool = False

    def is_in_force(self, day: date) -> bool:
        """Say whether the agreement is in force on a day."""
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


@dataclass(frozen=True)
class Recognition:
    """The terms of all agreements in force between two regions on a day. `agreement` is the one whose
    discount counts."""

    agreement: AgreementValues
    honours_vouchers: bool
    recognises_qualifications: bool

    @property
    def discount_percent(self) -> Decimal:
        return self.agreement.discount_percent


def recognition(agreements: Iterable[AgreementValues], day: date) -> Recognition | None:
    """Combine the agreements in force: the highest discount counts (of equals, that of the lower code);
    vouchers and qualifications are recognised if any of them says so. None if no agreement is in force."""
    in_force = [agreement for agreement in agreements if agreement.is_in_force(day)]
    if not in_force:
        return None
    return Recognition(
        agreement=min(in_force, key=lambda each: (-each.discount_percent, each.code)),
        honours_vouchers=any(each.honours_vouchers for each in in_force),
        recognises_qualifications=any(each.recognises_qualifications for each in in_force),
    )


CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)
MOST_MEMBERS = 50


@dataclass(frozen=True)
class AgreementTerms:
    """The proposed terms of an agreement between the `regions`."""

    code: str
    name: str
    name_zh: str
    regions: tuple[UUID, ...]
    valid_from: date
    valid_until: date | None
    discount_percent: Decimal = Decimal(0)
    honours_vouchers: bool = False
    recognises_qualifications: bool = False


def require_terms(terms: AgreementTerms, *, sharing: Container[UUID], today: date) -> None:
    """Raise `Invalid` with all that is wrong with a proposal; `sharing` are the regions that share."""
    problems = [*named_problems(terms.code, terms.name, terms.name_zh)]
    if len(terms.regions) < 2:
        problems.append(FieldProblem("regions", "too-few", {"least": 2}))
    if len(terms.regions) > MOST_MEMBERS:
        problems.append(FieldProblem("regions", "too-many", {"most": MOST_MEMBERS}))
    for index, region in enumerate(terms.regions):
        where = f"regions[{index}]"
        if region in terms.regions[:index]:
            problems.append(FieldProblem(where, "repeated"))
        elif region not in sharing:
            problems.append(FieldProblem(where, "region-does-not-share"))
    problems += percent_problems("discount_percent", terms.discount_percent, least=Decimal(0))
    problems += days_problems(terms.valid_from, terms.valid_until, today)
    if problems:
        raise Invalid(problems)


def named_problems(code: str, name: str, name_zh: str) -> Iterator[FieldProblem]:
    """Yield problems with the code and names of an agreement or programme."""
    if not CODE.fullmatch(code):
        yield FieldProblem("code", "not-a-code")
    if not name.strip():
        yield FieldProblem("name", "required")
    for field, text in (("name", name), ("name_zh", name_zh)):
        if len(text) > 200:
            yield FieldProblem(field, "too-long", {"most": 200})
        if "\0" in text:
            yield FieldProblem(field, "bad-character")


def percent_problems(field: str, percent: Decimal, *, least: Decimal) -> Iterator[FieldProblem]:
    """Yield what is wrong with a percent: from `least` to 100, with three decimals at most."""
    if not percent.is_finite() or not least <= percent <= 100:
        yield FieldProblem(field, "out-of-range", {"least": str(least), "most": "100"})
    elif percent != round(percent, 3):
        yield FieldProblem(field, "too-many-decimals", {"decimals": 3})


def days_problems(valid_from: date, valid_until: date | None, today: date | None) -> Iterator[FieldProblem]:
    """Yield problems with the days [`valid_from`, `valid_until`), which must not all be over on `today`."""
    for field, day in (("valid_from", valid_from), ("valid_until", valid_until)):
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            yield FieldProblem(field, "out-of-range", {"least": str(FIRST_DAY), "most": str(LAST_DAY)})
    if valid_until is not None:
        if valid_until <= valid_from:
            yield FieldProblem("valid_until", "not-after-valid-from")
        elif today is not None and valid_until <= today:
            yield FieldProblem("valid_until", "in-the-past")


def agreement_state(
    *, is_signed: bool, is_ended: bool, valid_from: date, valid_until: date | None, today: date
) -> str:
    """Return the state of an agreement: `proposed` until all have signed, or `withdrawn` if it was ended
    before that; then `coming`, `in_force`, `over`. `is_ended`: somebody has ended it early."""
    if not is_signed:
        return "withdrawn" if is_ended else "proposed"
    if valid_until is not None and (valid_until <= today or valid_until <= valid_from):
        return "over"
    return "coming" if today < valid_from else "in_force"


def end_of(*, valid_from: date, valid_until: date | None, requested: date | None, today: date) -> date:
    """Return the first day on which an agreement is no longer in force, if it is ended now: the day
    `requested`, or today. One that has not begun never begins.

    Raises `Invalid` for a day in the past, or not before the day on which it ends anyway.
    """
    day = requested if requested is not None else max(today, valid_from)
    if day < today:
        raise invalid("valid_until", "in-the-past")
    if day > LAST_DAY:
        raise invalid("valid_until", "out-of-range", least=str(today), most=str(LAST_DAY))
    day = max(day, valid_from)
    if valid_until is not None and day >= valid_until:
        raise invalid("valid_until", "ends-before-that", day=str(valid_until))
    return day
