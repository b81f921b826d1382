"""Statements and settlements: numbers, and what is still owed (docs/fees.md, "After use")."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from accounts.domain.errors import invalid
from bookings.record.domain.money import format_amount, minor_digits, round_half_up

# Days from issue within which a statement or a settlement is to be paid.
PAYABLE_WITHIN = timedelta(days=30)
# A payer is reminded on the first day a statement is overdue, and again after this number of days.
REMIND_EVERY = 30
# Among many statements those are left out whose payer was reminded in the last so many days.
REMIND_AGAIN = 7
MOST_REMINDED = 200  # statements at once

# Characters of an order number, and of the number of a tax invoice.
MOST_NUMBER = 60

# Payers are warned if a host's bank account changed less than this long before the day of issue.
NEW_ACCOUNT = timedelta(days=60)

ISSUED, PART_PAID, PAID, VOIDED = "issued", "part_paid", "paid", "voided"
DRAWN_UP = "drawn_up"  # a settlement that waits for confirmation
# These are never stored: one follows from the day, the other from payer and host being one legal person.
OVERDUE, INTERNAL = "overdue", "internal"


def day_of(moment: datetime, time_zone: str) -> date:
    """Return the local day of a moment in a zone."""
    return moment.astimezone(ZoneInfo(time_zone)).date()


def statement_number(host: str, year: int, number: int) -> str:
    """Write a statement's number: `USTC-2026-0007`."""
    return f"{host.upper()}-{year}-{number:04d}"


def settlement_reference(first: str, second: str, month: date, currency: str) -> str:
    """Return the reference of payments between two regions: `CN-AH-CN-SH-2026-03-CNY`."""
    return f"{first}-{second}-{month:%Y-%m}-{currency}"


def state_of_payment(owed: Decimal, paid: Decimal) -> str:
    """Return the state of a payment: `paid` once nothing is owed, also from the beginning if nothing ever
    was; otherwise `part_paid` or `issued`."""
    if paid == owed:
        return PAID
    return PART_PAID if paid else ISSUED


def require_payment(owed: Decimal, paid: Decimal, amount: Decimal, currency: str) -> None:
    """Raise `Invalid` unless, with the amount, no more is paid than is owed and no less than nothing. For a
    credit (owed below 0) money goes the other way, and amounts are below 0 as well."""
    digits = minor_digits(currency)
    if round_half_up(amount, currency) != amount:
        raise invalid("amount", "too-many-decimals", decimals=digits)
    if amount == 0:
        raise invalid("amount", "nothing-paid")
    sign = -1 if owed < 0 else 1
    after = (paid + amount) * sign
    if after > owed * sign:
        most = format_amount(owed - paid, currency)
        raise invalid("amount", "more-than-owed", most=most, currency=currency)
    if after < 0:
        most = format_amount(paid, currency)
        raise invalid("amount", "more-than-paid", most=most, currency=currency)


def require_kept(
    paid: Decimal, amount: Decimal, currency: str, *, by_bank: Decimal, out_of_credit: Decimal
) -> None:
    """Raise `Invalid` if an amount takes back money that bank transactions brought (`paid-by-bank`) or that
    was paid out of the payer's credit (`paid-out-of-credit`): either goes back only where it came from. All
    amounts are below 0 for a credit that was paid out."""
    sign = -1 if paid < 0 else 1
    kept = by_bank + out_of_credit
    if amount * sign >= 0 or (paid + amount) * sign >= kept * sign:
        return
    most = format_amount(max((paid - kept) * sign, Decimal(0)), currency)
    values = {"most": most, "currency": currency}
    if by_bank:
        raise invalid("amount", "paid-by-bank", bank=format_amount(by_bank * sign, currency), **values)
    credit = format_amount(out_of_credit, currency)
    raise invalid("amount", "paid-out-of-credit", credit=credit, **values)


def is_overdue(state: str, owed: Decimal, due_date: date, today: date) -> bool:
    """Say whether money is owed whose due date has passed. A credit is for the host to pay out: it is never
    overdue."""
    return state in {ISSUED, PART_PAID, "confirmed"} and owed > 0 and due_date < today


def state_shown(state: str, owed: Decimal, due_date: date, today: date, *, is_internal: bool) -> str:
    """Return the state of a statement on a day of its host: the stored one; `overdue`; or `internal` if payer
    and host are one legal person, since such a note for its ledger asks for no payment."""
    if is_internal and state != VOIDED:
        return INTERNAL
    return OVERDUE if is_overdue(state, owed, due_date, today) else state


def is_new_account(changed_on: date | None, issued_on: date) -> bool:
    """Say whether a bank account is so new that payers may have paid to the previous one."""
    return changed_on is not None and issued_on - changed_on <= NEW_ACCOUNT


def reminder_of(due_date: date, today: date) -> int:
    """Return which reminder of an overdue statement is due: 0 on the first day after the due date."""
    return ((today - due_date).days - 1) // REMIND_EVERY


def is_reminded(reminded_on: date | None, today: date) -> bool:
    """Say whether a payer was reminded so recently that one reminder of many leaves them out."""
    return reminded_on is not None and (today - reminded_on).days < REMIND_AGAIN


def reminder_day(due_date: date, today: date) -> date:
    """Return the day from which the reminder that is due today has been due."""
    return due_date + timedelta(days=1 + REMIND_EVERY * reminder_of(due_date, today))
