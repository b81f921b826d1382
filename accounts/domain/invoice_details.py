"""Check the invoice details of an organisation, and mask them for messages."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from accounts.domain.errors import FieldProblem, Invalid

# Most characters of each; those of several lines have at most so many of them.
LENGTHS = {
    "legal_name": 200,
    "address": 500,
    "tax_number": 40,
    "bank_name": 120,
    "account_number": 40,
    "iban": 34,
    "bic": 11,
    "bank_account": 200,
    "invoice_email": 254,
    "order_number": 60,
}
IN_LINES = frozenset({"address", "bank_account"})
MOST_LINES = 8
# Where money goes: people are told when one of these changes.
BANK = ("bank_name", "account_number", "iban", "bic", "bank_account")
# Any of these says to which account a payer pays.
ACCOUNT = ("iban", "account_number", "bank_account")
# What a payer needs in order to pay a host, and to book what it paid.
NEEDED = ("legal_name", "address", "tax_number", "bank_account")
# What hosts name on the invoices to a payer.
BILLED_TO = ("legal_name", "address", "tax_number")
_REFUSED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")


def is_iban(text: str) -> bool:
    """Say whether a text without blanks is an IBAN, with check digits that fit (ISO 13616, mod 97)."""
    if not _IBAN.fullmatch(text):
        return False
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1


def missing_of(details: object, needed: Sequence[str] = NEEDED) -> list[str]:
    """Return which of the needed details somebody has not entered. Any account is a bank account."""
    return [
        name
        for name in needed
        if not any(getattr(details, one) for one in (ACCOUNT if name == "bank_account" else (name,)))
    ]


def is_paid_from_abroad(details: object) -> bool:
    """Say whether a bank abroad could pay to the account: it has a BIC or an IBAN, or is written in lines.
    True without any account, which is a gap of its own."""
    is_known = any(getattr(details, name) for name in ("iban", "bic", "bank_account"))
    return is_known or not any(getattr(details, name) for name in ACCOUNT)


def parse_invoice_details(values: Mapping[str, str]) -> dict[str, str]:
    """Return the given details without superfluous blanks, IBAN and BIC without any. Raise `Invalid` with
    `unknown-field`, `too-long`, `too-many` (lines), `not-an-iban`, `not-a-bic`, or `bad-character` for
    characters that are invisible or change the direction of writing."""
    problems, parsed = [], {}
    for name, value in values.items():
        if name not in LENGTHS:
            problems.append(FieldProblem(name, "unknown-field"))
            continue
        lines = value.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        lines = [" ".join(line.split(" ")).strip(" \t\u3000") for line in lines]
        lines = [line for line in lines if line]
        text = "\n".join(lines)
        if name in {"iban", "bic"}:
            text = text.replace(" ", "").upper()
        if any(unicodedata.category(sign) in _REFUSED for line in lines for sign in line):
            problems.append(FieldProblem(name, "bad-character"))
        elif len(text) > LENGTHS[name]:
            problems.append(FieldProblem(name, "too-long", {"most": LENGTHS[name]}))
        elif len(lines) > (MOST_LINES if name in IN_LINES else 1):
            most = MOST_LINES if name in IN_LINES else 1
            problems.append(FieldProblem(name, "too-many", {"most": most}))
        elif name == "iban" and text and not is_iban(text):
            problems.append(FieldProblem(name, "not-an-iban"))
        elif name == "bic" and text and not _BIC.fullmatch(text):
            problems.append(FieldProblem(name, "not-a-bic"))
        parsed[name] = text
    if problems:
        raise Invalid(problems)
    return parsed


def masked(account: str) -> str:
    """Return the last four characters of a bank account after an ellipsis, as messages show it; empty if
    there is no account."""
    signs = "".join(account.split())
    return f"…{signs[-4:]}" if signs else ""


def told_apart(name: str, before: str, after: str) -> tuple[str, str]:
    """Return both values of a changed detail of `BANK` as messages show them: name and BIC of the bank in
    full; of an account its last four characters, or where these are the same four that differ."""
    if name not in ACCOUNT:
        return before, after
    old, new = ("".join(account.split()) for account in (before, after))
    if masked(old) != masked(new):
        return masked(old), masked(new)
    alike = 0
    while alike < min(len(old), len(new)) and old[-alike - 1] == new[-alike - 1]:
        alike += 1
    parts = [signs[max(0, len(signs) - alike - 4) : len(signs) - alike] for signs in (old, new)]
    first, second = (f"…{part}…" if part else masked(old) for part in parts)
    return first, second
