"""Amounts of money: decimals, rounded half-up to the currency's minor unit (docs/fees.md).

Nothing here depends on the caller's decimal context: a quote can be replayed to the cent in any thread.
"""

from contextlib import AbstractContextManager
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext

from accounts.domain.currencies import MINOR_DIGITS

# A rate, two multipliers and the minutes, with all the digits a rate card allows, fit in 60; the rest keeps a
# quotient that is not a tie from looking like one.
EXACT = Context(prec=100, rounding=ROUND_HALF_UP)


def exact_arithmetic() -> AbstractContextManager[Context]:
    """Return a context in which sums and products of amounts are exact, whatever the caller's context."""
    return localcontext(EXACT)


def minor_digits(currency: str) -> int:
    """Return the number of decimals of a currency (ISO 4217 code). Raise ValueError if it is unknown."""
    try:
        return MINOR_DIGITS[currency]
    except KeyError:
        raise ValueError(f"unknown currency {currency!r}") from None


def round_half_up(amount: Decimal, currency: str) -> Decimal:
    """Return the amount rounded to the currency's minor unit; ties go away from zero, and 0 has no sign."""
    unit = Decimal(1).scaleb(-minor_digits(currency), EXACT)
    rounded = amount.quantize(unit, ROUND_HALF_UP, EXACT)
    return rounded if rounded else rounded.copy_abs()


def proportion(
    amount: Decimal, numerator: Decimal | int, denominator: Decimal | int, currency: str
) -> Decimal:
    """Return amount x numerator / denominator, rounded once. The denominator must not be 0."""
    with exact_arithmetic():
        return round_half_up(amount * numerator / denominator, currency)


def percentage(percent: Decimal, amount: Decimal, currency: str) -> Decimal:
    """Return percent % of the amount, rounded once."""
    return proportion(amount, percent, 100, currency)


def format_amount(amount: Decimal, currency: str) -> str:
    """Return the rounded amount with exactly the currency's decimals: "12.50", "-0.05", "6694"."""
    return f"{round_half_up(amount, currency):f}"


def format_number(value: Decimal) -> str:
    """Write a plain number without an exponent or trailing zeros: "0.5", "1", "12.5", "100"."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
