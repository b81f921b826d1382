"""CAMT.053 of ISO 20022, in any version, read into a plain value."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from lxml import etree

from accounts.domain.errors import invalid
from bookings.bank.domain.files import CAMT053, MOST_ROWS, BankLine, BankStatement, account_of, shortened

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,17})?|\.[0-9]{1,17})")
# Codes of returned transfers: the family of the entry, or a reason for the return.
_RETURNS = frozenset({"RRTN", "RPCR", "RIMB", "PRCT", "ARET", "RRCT"})


def is_camt(content: bytes) -> bool:
    """Return whether the beginning of a file looks like this format."""
    return b"BkToCstmrStmt" in content[:4000] or b"camt.053" in content[:4000]


def camt_read(content: bytes) -> BankStatement:
    """Read a file. Raise `Invalid`: `several-accounts`, `too-many-transactions`, `bad-amount` with the row,
    `bad-balance`, or `not-a-bank-file` for one that is none, or has entities."""
    # No entity is expanded, nothing is fetched, and no tree grows beyond what the size of the file allows.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise invalid("file", "not-a-bank-file") from None
    if root.getroottree().docinfo.doctype or root.getroottree().docinfo.internalDTD is not None:
        raise invalid("file", "not-a-bank-file")
    statements = list(_all(root, "BkToCstmrStmt", "Stmt"))
    if not statements:
        raise invalid("file", "not-a-bank-file")
    accounts = {_account(each) for each in statements}
    if len(accounts) > 1:
        raise invalid("file", "several-accounts")
    lines: list[BankLine] = []
    not_booked = 0
    for statement in statements:
        for entry in _all(statement, "Ntry"):
            state = {_text(entry, "Sts", "Cd"), _text(entry, "Sts")}
            if state & {"PDNG", "INFO"}:
                not_booked += "PDNG" in state
                continue
            try:
                lines += _lines(entry, MOST_ROWS - len(lines))
            except _BadAmountError:
                raise invalid("file", "bad-amount", row=len(lines) + 1) from None
    opening = _balance(statements[0], {"OPBD", "PRCD"})
    closing = _balance(statements[-1], {"CLBD"})
    currency = _text(statements[0], "Acct", "Ccy")
    if not currency and lines:
        currency = lines[0].currency
    return BankStatement(CAMT053, accounts.pop(), currency, tuple(lines), opening, closing, not_booked)


def _local(node: Any) -> str:
    return etree.QName(node).localname if isinstance(node.tag, str) else ""


def _all(node: Any, *path: str) -> Iterator[Any]:
    """Yield the descendants at a path of local names; versions differ in their namespaces only."""
    first, *rest = path
    for child in node:
        if _local(child) == first:
            if rest:
                yield from _all(child, *rest)
            else:
                yield child


def _one(node: Any, *path: str) -> Any:
    return next(_all(node, *path), None)


def _text(node: Any, *path: str) -> str:
    found = _one(node, *path)
    return (found.text or "").strip() if found is not None else ""


def _account(statement: Any) -> str:
    return account_of(_text(statement, "Acct", "Id", "IBAN") or _text(statement, "Acct", "Id", "Othr", "Id"))


class _BadAmountError(ValueError):
    """An amount that is no number: "NaN", "1E400"."""


def _decimal(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise _BadAmountError(text)
    return Decimal(text)


def _signed(node: Any, sign: str) -> tuple[Decimal, str]:
    """Return the amount of a node, with its currency."""
    amount = _one(node, "Amt")
    if amount is None:
        raise invalid("file", "not-a-bank-file")
    value = _decimal((amount.text or "").strip())
    return (-value if sign == "DBIT" else value), amount.get("Ccy", "")


def _balance(statement: Any, kinds: set[str]) -> Decimal | None:
    for balance in _all(statement, "Bal"):
        if _text(balance, "Tp", "CdOrPrtry", "Cd") in kinds:
            try:
                return _signed(balance, _text(balance, "CdtDbtInd"))[0]
            except _BadAmountError:
                raise invalid("file", "bad-balance") from None
    return None


def _day(entry: Any) -> date:
    for name in ("BookgDt", "ValDt"):
        text = _text(entry, name, "Dt") or _text(entry, name, "DtTm")
        if text:
            try:
                return date.fromisoformat(text[:10])
            except ValueError:
                break
    raise invalid("file", "not-a-bank-file")


@dataclass(frozen=True)
class _Entry:
    """The values of an entry that hold for all its transactions; read once, as a batch may have thousands."""

    day: date
    currency: str
    note: str
    bank_reference: str
    own_reference: str
    is_return: bool


def _codes(node: Any) -> set[str]:
    return {each.text for each in node.iter() if _local(each) in {"SubFmlyCd", "Fmly"} and each.text}


def _lines(entry: Any, most: int) -> list[BankLine]:
    """Return the transactions of an entry: a batch that states the amount of each is one for each. Raise
    `Invalid` (`too-many-transactions`) before any is read if there are more than `most`."""
    sign = _text(entry, "CdtDbtInd")
    whole, currency = _signed(entry, sign)
    details = list(_all(entry, "NtryDtls", "TxDtls"))
    if max(len(details), 1) > most:
        raise invalid("file", "too-many-transactions", most=MOST_ROWS)
    amounts = [_amount_of(each, sign, currency) for each in details]
    is_split = len(details) > 1 and None not in amounts and sum(a for a in amounts if a is not None) == whole
    own = [each for each in entry if not is_split or _local(each) != "NtryDtls"]
    of = _Entry(
        _day(entry),
        currency,
        _text(entry, "AddtlNtryInf"),
        _text(entry, "AcctSvcrRef"),
        _text(entry, "NtryRef"),
        _text(entry, "RvslInd") == "true" or any(_codes(each) & _RETURNS for each in own),
    )
    if is_split:
        return [_line(of, each, amount) for each, amount in zip(details, amounts, strict=True) if amount]
    return [_line(of, details[0] if len(details) == 1 else None, whole)]


def _amount_of(details: Any, sign: str, currency: str) -> Decimal | None:
    """Return the amount of one transaction of a batch in the currency of the account, if it is stated."""
    own_sign = _text(details, "CdtDbtInd") or sign
    for path in (("Amt",), ("AmtDtls", "TxAmt", "Amt")):
        amount = _one(details, *path)
        if amount is not None and amount.get("Ccy") == currency:
            value = _decimal((amount.text or "").strip())
            return -value if own_sign == "DBIT" else value
    return None


def _line(of: _Entry, details: Any, amount: Decimal) -> BankLine:
    party, other = ("Dbtr", "DbtrAcct") if amount > 0 else ("Cdtr", "CdtrAcct")
    if details is None:
        return BankLine(
            of.day,
            amount,
            of.currency,
            purpose=shortened(of.note, "purpose"),
            bank_reference=shortened(of.bank_reference or of.own_reference, "bank_reference"),
            is_return=of.is_return,
        )
    is_return = of.is_return or bool(_codes(details) & _RETURNS) or _one(details, "RtrInf") is not None
    if is_return and _one(details, "RltdPties", party) is None:
        party, other = "Dbtr", "DbtrAcct"
    # Versions before 08 have the name right below the party, later ones below `Pty`.
    name = _text(details, "RltdPties", party, "Nm") or _text(details, "RltdPties", party, "Pty", "Nm")
    ultimate = f"Ultmt{party}"
    name = name or _text(details, "RltdPties", ultimate, "Nm")
    account = _text(details, "RltdPties", other, "Id", "IBAN") or _text(
        details, "RltdPties", other, "Id", "Othr", "Id"
    )
    purpose = " ".join((node.text or "").strip() for node in _all(details, "RmtInf", "Ustrd"))
    structured = " ".join(
        (node.text or "").strip()
        for each in _all(details, "RmtInf", "Strd")
        for node in each.iter()
        if _local(node) in {"Ref", "Nb", "AddtlRmtInf"}
    )
    reference = _text(details, "Refs", "EndToEndId")
    bank_reference = (
        _text(details, "Refs", "AcctSvcrRef")
        or of.bank_reference
        or _text(details, "Refs", "TxId")
        or of.own_reference
    )
    return BankLine(
        of.day,
        amount,
        of.currency,
        name=shortened(name, "name"),
        counter_account=account_of(account),
        reference=shortened("" if reference in {"NOTPROVIDED", "NOTPROVIDED."} else reference, "reference"),
        purpose=shortened(f"{purpose} {structured}" if structured else purpose, "purpose")
        or shortened(_text(details, "AddtlTxInf") or of.note, "purpose"),
        bank_reference=shortened(bank_reference, "bank_reference"),
        is_return=is_return,
    )
