"""What statements print of an organisation: its shape, and how little of it a message shows."""

from collections.abc import Mapping

from accounts.domain.errors import FieldProblem, Invalid
from accounts.domain.organisations import MOST_TEXT, PAPER, text_of

# What a payer needs in order to pay a host, and to book what it paid.
NEEDED = ("legal_name", "address", "tax_number", "bank_account")


def parse_invoice_details(values: Mapping[str, str]) -> dict[str, str]:
    """The named details as they are stored. `Invalid` with all problems: `unknown-field`, and
    what `text_of` says."""
    problems, parsed = [], {}
    for name, value in values.items():
        if name not in PAPER:
            problems.append(FieldProblem(name, "unknown-field"))
            continue
        try:
            parsed[name] = text_of(name, value, MOST_TEXT[name])
        except Invalid as problem:
            problems += problem.problems
    if problems:
        raise Invalid(problems)
    return parsed


def masked(account: str) -> str:
    """The last four signs of a bank account, as messages name it; empty for none."""
    signs = "".join(account.split())
    return f"…{signs[-4:]}" if signs else ""
