"""MT940 of SWIFT, read by `mt940` into a plain value (docs/decisions/0017)."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

import mt940

from accounts.domain.errors import invalid
from bookings.bank.domain.files import MOST_ROWS, MT940, BankLine, BankStatement, account_of, shortened

_ENCODINGS = ("utf-8-sig", "gb18030", "cp1252", "latin-1")
_TRANSACTION = re.compile(r"^:61:", re.MULTILINE)
_ACCOUNT = re.compile(r"^:25:\s*(\S+)", re.MULTILINE)
# Words between slashes, by which banks outside Germany divide the text of a transaction.
_WORDS = re.compile(r"/(NAME|REMI|IBAN|EREF|CNTP|ORDP|BENM|PREF|TRCD|CSID|MARF|RTRN|ADDR|INIT)/")
_SIGNS = {"C": 1, "RD": 1, "D": -1, "RC": -1}


def is_swift(content: bytes) -> bool:
    """Return whether the beginning of a file looks like this format."""
    return b":20:" in content[:4000] and b":25:" in content[:4000]


def swift_read(content: bytes) -> BankStatement:
    """Read a file. Raise `Invalid` (`not-a-bank-file`, `several-accounts`, `too-many-transactions`)."""
    text = _text(content)
    if len(_TRANSACTION.findall(text)) > MOST_ROWS:
        raise invalid("file", "too-many-transactions", most=MOST_ROWS)
    accounts = {account_of(found) for found in _ACCOUNT.findall(text)}
    if len(accounts) != 1:
        raise invalid("file", "several-accounts" if accounts else "not-a-bank-file")
    try:
        statements = mt940.parse_statements(text, options=mt940.Options.all())
    except Exception:  # the library raises errors of many kinds
        raise invalid("file", "not-a-bank-file") from None
    lines = [_line(each.data) for statement in statements for each in statement.transactions]
    if len(lines) != len(_TRANSACTION.findall(text)):
        raise invalid("file", "not-a-bank-file")  # it passed over what it did not understand
    first, last = statements[0].data, statements[-1].data
    opening = _balance(first, "final_opening_balance", "intermediate_opening_balance")
    closing = _balance(last, "final_closing_balance", "intermediate_closing_balance")
    currency = lines[0].currency if lines else ""
    return BankStatement(MT940, accounts.pop(), currency, tuple(lines), opening, closing)


def _text(content: bytes) -> str:
    for encoding in _ENCODINGS:
        try:
            return content.decode(encoding).replace("\r\n", "\n")
        except UnicodeDecodeError:
            continue
    raise AssertionError("Latin-1 reads every byte.")


def _balance(data: dict[str, Any], *names: str) -> Decimal | None:
    for name in names:
        if balance := data.get(name):
            return Decimal(balance.amount.amount)
    return None


def _line(data: dict[str, Any]) -> BankLine:
    status = (data.get("status") or "").upper()
    amount = data.get("amount")
    if amount is None or status not in _SIGNS:
        raise invalid("file", "not-a-bank-file")
    booked = data.get("entry_date") or data["date"]
    details = data.get("transaction_details") or ""
    worded = _worded(details)
    name = data.get("applicant_name") or worded.get("NAME") or ""
    purpose = " ".join(
        part for part in (data.get("purpose"), data.get("additional_purpose"), worded.get("REMI")) if part
    ) or " ".join(details.split())
    account = data.get("applicant_iban") or data.get("gvc_applicant_iban") or worded.get("IBAN") or ""
    reference = data.get("end_to_end_reference") or worded.get("EREF") or data.get("customer_reference") or ""
    is_return = status in {"RC", "RD"} or "RTI" in (data.get("id") or "") or "RTRN" in worded
    return BankLine(
        date(booked.year, booked.month, booked.day),
        abs(Decimal(amount.amount)) * _SIGNS[status],
        amount.currency or data.get("currency") or "",
        name=shortened(name, "name"),
        counter_account=account_of(account),
        reference=shortened("" if reference in {"NONREF", "NOTPROVIDED"} else reference, "reference"),
        purpose=shortened(purpose, "purpose"),
        bank_reference=shortened(data.get("bank_reference") or "", "bank_reference"),
        is_return=is_return,
    )


def _worded(details: str) -> dict[str, str]:
    """Return the parts of a text that banks divide by words between slashes: "/NAME/Fudan/REMI/USTC-…"."""
    text = "".join(details.splitlines())
    found = list(_WORDS.finditer(text))
    ends = [*(each.start() for each in found[1:]), len(text)]
    parts = {each[1]: text[each.end() : end].strip("/ ") for each, end in zip(found, ends, strict=False)}
    if "CNTP" in parts:  # account/BIC/name/city
        account, _, rest = parts["CNTP"].partition("/")
        parts.setdefault("IBAN", account)
        parts.setdefault("NAME", rest.split("/")[1] if rest.count("/") else rest)
    return parts
