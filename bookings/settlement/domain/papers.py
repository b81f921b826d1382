"""Decide what a statement prints by the countries of its two parties: which account, and what is said of tax;
write amounts in Chinese capitals (docs/fees.md, "Paper")."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from bookings.pricing.domain.taxes import UNION
from bookings.record.domain.money import minor_digits, round_half_up

# Where public payers take invoices by the European standard EN 16931.
TAKES_E_INVOICES = UNION | {"GB", "IS", "LI", "NO"}

REVERSE_CHARGE, ABROAD, NO_TAX = "reverse_charge", "abroad", ""


def account_of(bank: Mapping[str, str], host_country: str, payer_country: str) -> list[tuple[str, str]]:
    """Return the details of a host's account that its payer needs, as (name, value): in the same country bank
    and number, from another one IBAN and BIC, as far as they have been entered; what was entered as lines
    always."""
    number, iban = bank.get("account_number", ""), bank.get("iban", "")
    is_at_home = bool(payer_country) and payer_country == host_country
    by_number = bool(number) and (is_at_home or not iban)
    rows = [
        ("bank_name", bank.get("bank_name", "")),
        ("account_number", number) if by_number else ("iban", spaced(iban)),
        ("bic", "" if by_number and is_at_home else bank.get("bic", "")),
        ("bank_account", bank.get("bank_account", "")),
    ]
    return [(name, value) for name, value in rows if value]


def spaced(iban: str) -> str:
    """Write an IBAN in groups of four, as it is printed."""
    return " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))


def tax_note(*, host_country: str, payer_country: str, is_reversed: bool, tax: Decimal) -> str:
    """Return what a statement says of a tax that it does not charge: `reverse_charge` if the payer owes the
    tax on one of its charges (`is_reversed`, as it was decided when that was made), `abroad` from one country
    to another; empty at home and within the Union, where a country is unknown, and where tax is charged."""
    if is_reversed:
        return REVERSE_CHARGE
    if tax or not host_country or not payer_country or host_country == payer_country:
        return NO_TAX
    return NO_TAX if {host_country, payer_country} <= UNION else ABROAD


# By how much less than one unit of the currency the tax of a rate may differ from that of its sum (BR-CO-17,
# BR-S-09 of EN 16931).
TAX_TOLERANCE = Decimal(1)


def stated_tax(net: Decimal, tax: Decimal, percent: Decimal, currency: str) -> Decimal:
    """Return the tax that an electronic invoice by EN 16931 states for the lines of one rate: the sum of what
    was rounded line by line, or the tax of the sum where the two differ by the tolerance or more."""
    of_sum = round_half_up(net * percent / 100, currency)
    return tax if abs(tax - of_sum) < TAX_TOLERANCE else of_sum


_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_UNITS = ((10**8, "亿"), (10**4, "万"), (1000, "仟"), (100, "佰"), (10, "拾"))


def in_capitals(amount: Decimal) -> str:
    """Write an amount of yuan in the capitals that Chinese papers and banks ask for:
    `人民币壹仟零伍元叁角整`. Amounts below 0 begin with 负 after 人民币."""
    value = round_half_up(amount, "CNY")
    cents = int(abs(value).scaleb(minor_digits("CNY")))
    yuan, jiao, fen = cents // 100, cents // 10 % 10, cents % 10
    if yuan >= 10**16:
        raise ValueError(f"{amount} is more than capitals can say")
    words = ""
    if yuan or not (jiao or fen):
        words = f"{_whole(yuan)}元"
    if jiao:
        words += f"{_DIGITS[jiao]}角"
    elif fen and yuan:
        words += "零"
    words += f"{_DIGITS[fen]}分" if fen else "整"
    return f"人民币{'负' if value < 0 else ''}{words}"


def _whole(number: int) -> str:
    """Write a whole number in capitals: one 零 for zeros between two digits, none at the end."""
    for unit, word in _UNITS:
        if number >= unit:
            rest = number % unit
            gap = _DIGITS[0] if 0 < rest < unit // 10 else ""
            return f"{_whole(number // unit)}{word}{gap}{_whole(rest) if rest else ''}"
    return _DIGITS[number]


@dataclass(frozen=True)
class PostalAddress:
    """An address as invoices state it: `lines` besides postal code and city."""

    lines: tuple[str, ...]
    city: str = ""
    postal_code: str = ""


# How a line with postal code and city is written, by country. A Chinese one may be the whole address.
_CHINA = re.compile(
    r"(?P<city>.*?)[\s,，]*(?:邮编|邮政编码)?[:：\s]*(?<![0-9])(?P<code>[0-9]{6})"
    r"|(?P<code_first>[0-9]{6})(?![0-9])[\s,，]*(?P<city_last>.*)"
)
_CHINESE_CITY = re.compile(r"(?:.*?(?:省|自治区))?(?P<city>[一-鿿]{2,7}?市).*")
_BRITAIN = re.compile(
    r"(?:(?P<city>.*?)[\s,]+)?(?P<code>[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2})", re.IGNORECASE
)
_POSTAL = {
    "CN": _CHINA,
    "DE": re.compile(r"(?:D[E]?-)?(?P<code>[0-9]{5})\s+(?P<city>\D.*)"),
    "FR": re.compile(r"(?:F[R]?-)?(?P<code>[0-9]{5})\s+(?P<city>\D.*)"),
    "NL": re.compile(r"(?:NL-)?(?P<code>[1-9][0-9]{3} ?[A-Z]{2})\s+(?P<city>\D.*)"),
    "GB": _BRITAIN,
}


def address_read(text: str, country: str) -> PostalAddress:
    """Return the parts of an address that was entered in lines: postal code and city of its last line, or of
    the one before if the last has no digit, as the country writes them (China, Germany, France, the
    Netherlands, Britain). Next to a postal code alone the line before is the city, unless it has a number; a
    Chinese street names its city. The lines as they are where this does not tell them apart."""
    lines = [line for line in (" ".join(line.split()) for line in text.split("\n")) if line]
    if len(lines) < 2 or country not in _POSTAL:
        return PostalAddress(tuple(lines))
    at = len(lines) - 1
    if at > 1 and not any(letter.isdigit() for letter in lines[at]):
        at -= 1  # the last names a country or a part of one
    found = _POSTAL[country].fullmatch(lines[at])
    if found is None:
        return PostalAddress(tuple(lines))
    parts = found.groupdict()
    code = parts["code"] or parts.get("code_first") or ""
    city = (parts["city"] or parts.get("city_last") or "").strip(" ,，")
    rest = [*lines[:at], *lines[at + 1 :]]
    if country == "CN" and any(letter.isdigit() for letter in city):  # a street stands before the code
        rest.insert(at, city)
        city = ""
    elif not city and at > 1 and not any(letter.isdigit() for letter in lines[at - 1]):
        city = rest.pop(at - 1)
    for line in rest:
        if country == "CN" and not city and (chinese := _CHINESE_CITY.fullmatch(line)):
            city = chinese["city"]
    return PostalAddress(tuple(rest), city, code)
