"""Check the invoice details of an organisation, and mask them for messages."""

import unicodedata
from collections.abc import Mapping

from accounts.domain.errors import FieldProblem, Invalid

# Most characters of each; those of several lines have at most so many of them.
LENGTHS = {"legal_name": 200, "address": 500, "tax_number": 40, "bank_account": 200, "invoice_email": 254}
IN_LINES = frozenset({"address", "bank_account"})
MOST_LINES = 8
# What a payer needs in order to pay a host, and to book what it paid.
NEEDED = ("legal_name", "address", "tax_number", "bank_account")
_REFUSED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def parse_invoice_details(values: Mapping[str, str]) -> dict[str, str]:
    """Return the given details without superfluous blanks. Raise `Invalid` with `unknown-field`, `too-long`,
    `too-many` (lines), or `bad-character` for characters that are invisible or change the direction of
    writing."""
    problems, parsed = [], {}
    for name, value in values.items():
        if name not in LENGTHS:
            problems.append(FieldProblem(name, "unknown-field"))
            continue
        lines = value.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        lines = [" ".join(line.split(" ")).strip(" \t\u3000") for line in lines]
        lines = [line for line in lines if line]
        text = "\n".join(lines)
        if any(unicodedata.category(sign) in _REFUSED for line in lines for sign in line):
            problems.append(FieldProblem(name, "bad-character"))
        elif len(text) > LENGTHS[name]:
            problems.append(FieldProblem(name, "too-long", {"most": LENGTHS[name]}))
        elif len(lines) > (MOST_LINES if name in IN_LINES else 1):
            most = MOST_LINES if name in IN_LINES else 1
            problems.append(FieldProblem(name, "too-many", {"most": most}))
        parsed[name] = text
    if problems:
        raise Invalid(problems)
    return parsed


def masked(account: str) -> str:
    """Return the last four characters of a bank account after an ellipsis, as messages show it; empty if
    there is no account."""
    signs = "".join(account.split())
    return f"…{signs[-4:]}" if signs else ""
