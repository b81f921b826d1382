"""Statements and settlements: numbers, and what is still owed (docs/fees.md, "After use")."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from accounts.domain.errors import invalid
from bookings.record.domain.money import format_amount, minor_digits, round_half_up

# Days from issue within which a statement or a settlement is to be paid.
PAYABLE_WITHIN = timedelta(days=30)
# A payer is reminded on the first day a statement is overdue, and again after so many days.
REMIND_EVERY = 30

# Payers are warned of a host's bank account that changed so shortly before the day of issue.
NEW_ACCOUNT = timedelta(days=60)

ISSUED, PART_PAID, PAID = "issued", "part_paid", "paid"
OVERDUE = "overdue"  # never stored: it follows from the day


def day_of(moment: datetime, time_zone: str) -> date:
    """The day of a moment on the wall calendar of a zone."""
    return moment.astimezone(ZoneInfo(time_zone)).date()


def statement_number(host: str, year: int, number: int) -> str:
    """Write a statement's number: `USTC-2026-0007`."""
    return f"{host.upper()}-{year}-{number:04d}"


def settlement_reference(first: str, second: str, month: date, currency: str) -> str:
    """What a payment between two regions names: `CN-AH-CN-SH-2026-03-CNY`."""
    return f"{first}-{second}-{month:%Y-%m}-{currency}"


def state_of_payment(owed: Decimal, paid: Decimal) -> str:
    """`paid` once nothing is owed any more, and from the beginning where nothing is."""
    if paid == owed:
        return PAID
    return PART_PAID if paid else ISSUED


def require_payment(owed: Decimal, paid: Decimal, amount: Decimal, currency: str) -> None:
    """`Invalid` unless with the amount no more is paid than is owed, and no less than nothing.
    Of a credit (owed below 0) money goes the other way, and amounts are below 0 as well."""
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


def is_overdue(state: str, owed: Decimal, due_date: date, today: date) -> bool:
    """Whether money is owed whose day has passed. A credit is for the host to pay out: it is
    never overdue."""
    return state in {ISSUED, PART_PAID, "confirmed"} and owed > 0 and due_date < today


def is_new_account(changed_on: date | None, issued_on: date) -> bool:
    """Whether a bank account is so new that its payers may have paid to another before."""
    return changed_on is not None and issued_on - changed_on <= NEW_ACCOUNT


def reminder_of(due_date: date, today: date) -> int:
    """Return which reminder of an overdue statement it is time for: 0 on the first day after."""
    return ((today - due_date).days - 1) // REMIND_EVERY
