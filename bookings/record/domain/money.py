"""Amounts of money: decimals, rounded half-up to the currency's minor unit (docs/fees.md).

Nothing here depends on the caller's decimal context: a quote can be replayed to the cent in any thread.
"""

import re
import unicodedata
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


# An amount as people write it: thousands apart (1,079.68 or 1.079,68) or not (1079.68 or 1079,68).
_AMOUNT = re.compile(
    r"(?P<sign>-?)(?:(?P<whole>0|[1-9]\d{0,14})(?:[.,](?P<part>\d{1,3}))?"
    r"|(?P<grouped>[1-9]\d{0,2}(?:,\d{3}){1,4})(?:\.(?P<point>\d{1,3}))?"
    r"|(?P<dotted>[1-9]\d{0,2}(?:\.\d{3}){1,4}),(?P<comma>\d{1,3}))"
)


# Other names of currencies that people put beside an amount.
_NAMED = {"\u4eba\u6c11\u5e01": "CNY", "RMB": "CNY", "HK$": "HKD", "\u20ac": "EUR", "\u00a3": "GBP"}


def amount_named(text: str) -> tuple[Decimal, str] | None:
    """Return the amount that a text of a search names, and its currency ("" if it names none); None if the
    text is no amount, or nothing but 0. A number that begins with zeros is no amount but part of a number."""
    plain = unicodedata.normalize("NFKC", text).upper().replace("\u2212", "-")
    for name, code in _NAMED.items():
        plain = plain.replace(name, f" {code} ")
    letters = set(re.findall(r"[A-Z]+", plain))
    if len(letters) > 1 or not letters <= MINOR_DIGITS.keys():
        return None
    found = _AMOUNT.fullmatch(re.sub(r"[A-Z\s$\u00a3\u00a5\u20ac\u5143\u6574'\u2019]", "", plain))
    if found is None:
        return None
    # "1,079" is a thousand and 79, as it is written with a comma between groups of three; "1079,680" is not.
    whole = found["whole"] or "0"
    if found["part"] and len(found["part"]) == 3 and "," in found[0] and whole != "0" and len(whole) <= 3:
        whole, part = found["whole"] + found["part"], ""
    else:
        whole = re.sub(r"[.,]", "", found["whole"] or found["grouped"] or found["dotted"])
        part = found["part"] or found["point"] or found["comma"] or ""
    amount = Decimal(f"{found['sign']}{whole}.{part or '0'}")
    return (amount, "".join(letters)) if amount else None


_ENDS_IN_ZEROS = re.compile(r"[.,]0{1,2}[^0-9]*")


def amounts_searched(text: str) -> tuple[Decimal, Decimal | None, str] | None:
    """Return the amounts, without their sign, that a text of a search finds: from the first on and below the
    second, or only the first if there is no second; and the currency that it names. A whole number finds what
    begins with it (`73383` also 73,383.80); one with decimals only itself. None if the text names no
    amount."""
    if (named := amount_named(text)) is None:
        return None
    amount, currency = abs(named[0]), named[1]
    plain = unicodedata.normalize("NFKC", text)
    has_decimals = amount % 1 or any(found.end() == len(plain) for found in _ENDS_IN_ZEROS.finditer(plain))
    return amount, None if has_decimals else amount + 1, currency
