"""Decide where the payer, and not the host, owes the tax on a use (docs/fees.md, "Tax")."""

import re

# Countries of the Union's tax on services, by their codes of ISO 3166.
UNION = frozenset(
    (
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
        *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    )
)
# The form of the numbers of each country after its code: the table of the Commission's VIES; of others two to
# thirteen digits and letters, with a digit.
_FORMS = {
    "AT": r"U[0-9]{8}", "BE": r"[01][0-9]{9}", "BG": r"[0-9]{9,10}", "CY": r"[0-9]{8}[A-Z]",
    "CZ": r"[0-9]{8,10}",
    "DE": r"[1-9][0-9]{8}", "DK": r"[0-9]{8}", "EE": r"[0-9]{9}", "ES": r"[0-9A-Z][0-9]{7}[0-9A-Z]",
    "FI": r"[0-9]{8}", "FR": r"[0-9A-HJ-NP-Z]{2}[0-9]{9}", "GR": r"[0-9]{9}", "HR": r"[0-9]{11}",
    "HU": r"[0-9]{8}", "IE": r"[0-9][0-9A-Z+*][0-9]{5}[A-Z]{1,2}", "IT": r"[0-9]{11}",
    "LT": r"([0-9]{9}|[0-9]{12})", "LU": r"[0-9]{8}", "LV": r"[0-9]{11}", "MT": r"[0-9]{8}",
    "NL": r"[0-9A-Z+*]{10}[0-9]{2}", "PL": r"[0-9]{10}", "PT": r"[0-9]{9}", "RO": r"[0-9]{2,10}",
    "SE": r"[0-9]{12}", "SI": r"[0-9]{8}", "SK": r"[0-9]{10}",
}  # fmt: skip
_VAT = re.compile(r"(?=.*[0-9])[0-9A-Z+*]{2,13}")
_NOUGHTS = re.compile(r"[A-Z]{0,2}0+[A-Z]?")  # no country gives it out


def is_vat(number: str, country: str) -> bool:
    """Say whether a tax number has the form of one for value added tax: the code of its country, and as many
    digits and letters as that country gives. Whether it is registered only its register knows."""
    text = re.sub(r"[\s.-]", "", number).upper()
    prefixes = {country, {"GR": "EL"}.get(country, country)} - {""}
    if text[:2] not in prefixes or _NOUGHTS.fullmatch(text[2:]):
        return False
    form = _FORMS.get(country)
    return (re.fullmatch(form, text[2:], re.ASCII) if form else _VAT.fullmatch(text[2:])) is not None


def is_reverse_charge(
    *, host_country: str, payer_country: str, host_tax_number: str, payer_tax_number: str
) -> bool:
    """Say whether the payer owes the tax on a use, so that the host charges none: between two countries of
    the Union, if both parties have a number for value added tax (Directive 2006/112/EC, articles 44 and 196).
    """
    return (
        host_country != payer_country
        and {host_country, payer_country} <= UNION
        and is_vat(payer_tax_number, payer_country)
        and is_vat(host_tax_number, host_country)
    )
