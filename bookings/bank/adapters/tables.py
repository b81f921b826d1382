"""CSV files of banks, read by the mapping that an organisation keeps into a plain value."""

import csv
import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import islice

from accounts.domain.errors import Invalid, invalid
from bookings.bank.domain.files import (
    CSV,
    MOST_ROWS,
    BankLine,
    BankStatement,
    CsvFormat,
    account_of,
    shortened,
)

_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_AMOUNTS = ("amount", "debit", "credit")
MOST_LEFT_OUT = 10  # lines at the end
_PARTS = {"YYYY": r"(?P<y>\d{4})", "YY": r"(?P<yy>\d{2})", "MM": r"(?P<m>\d{1,2})", "DD": r"(?P<d>\d{1,2})"}


def csv_read(content: bytes, form: CsvFormat) -> BankStatement:
    """Read a file by a mapping. Raise `Invalid` at `file`: `wrong-encoding`, `no-column` with its name,
    `bad-day` or `bad-amount` with the row, `too-many-transactions`, `several-accounts`."""
    text = text_of(content, form.encoding)
    if text is None:
        raise invalid("file", "wrong-encoding", encoding=form.encoding)
    lines = islice(text.splitlines(keepends=True), form.skipped_lines, None)
    try:
        rows = list(islice(csv.reader(lines, delimiter=form.delimiter), MOST_ROWS + 2))
    except csv.Error:
        raise invalid("file", "not-a-bank-file") from None
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise invalid("file", "no-transactions")
    if len(rows) > MOST_ROWS + 1:
        raise invalid("file", "too-many-transactions", most=MOST_ROWS)
    head = [cell.strip().strip("\ufeff").casefold() for cell in rows[0]]
    places = {}
    for field, name in form.columns.items():
        if name:
            if name.strip().casefold() not in head:
                raise invalid("file", "no-column", column=name)
            places[field] = head.index(name.strip().casefold())
    accounts, read = set(), []
    lines_of = [
        {field: row[at].strip() if at < len(row) else "" for field, at in places.items()} for row in rows[1:]
    ]
    end = _end_of(lines_of, form)
    for number, cells in enumerate(lines_of[:end], start=form.skipped_lines + 2):
        if not cells.get("booked_on") and not any(cells.get(name) for name in _AMOUNTS):
            continue
        accounts.add(account_of(cells.get("account", "") or form.account))
        read.append(_line(cells, form, number))
    if len(accounts) > 1:
        raise invalid("file", "several-accounts")
    currency = read[0].currency if read else form.currency
    account = accounts.pop() if accounts else account_of(form.account)
    left_out = tuple(
        shortened(" ".join(cell.strip() for cell in row if cell.strip()), "name")
        for row in rows[end + 1 :][:MOST_LEFT_OUT]
    )
    return BankStatement(CSV, account, currency, tuple(read), left_out=left_out)


def text_of(content: bytes, encoding: str, errors: str = "strict") -> str | None:
    """Return the text of a file in the encoding that its first bytes name, or else in this one; None if it is
    not written so."""
    encoding = next((name for mark, name in _BOMS if content.startswith(mark)), encoding)
    try:
        text = content.decode(encoding, errors)
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text


def _end_of(rows: Sequence[dict[str, str]], form: CsvFormat) -> int:
    """Return where the transactions end: the lines behind have no day that can be read, and their amounts are
    the sums of those above, or none. A line with any other amount may be a transaction: the file ends behind
    it, and it is refused."""
    end = len(rows)
    while end and not is_day(rows[end - 1].get("booked_on", ""), form.date_format):
        end -= 1
    if not end or len(rows) - end > MOST_LEFT_OUT:
        return len(rows)
    sums = {name: _sums_of(rows[:end], name, form) for name in _AMOUNTS}
    for row in rows[end:]:
        for name in _AMOUNTS:
            if (text := row.get(name, "")) and not _is_total(text, sums[name], form):
                return len(rows)
    return end


def is_day(text: str, form: str) -> bool:
    """Return whether a text is a day as a format says, such as "DD.MM.YYYY"."""
    try:
        _day(text, form, 0)
    except Invalid:
        return False
    return True


def _sums_of(rows: Sequence[dict[str, str]], name: str, form: CsvFormat) -> set[Decimal]:
    """Return what a line of totals may say of a column: the sum, of all or of one sign."""
    amounts = []
    for row in rows:
        try:
            amounts.append(_amount(row.get(name) or "0", form, 0))
        except Invalid:
            return set()
    above, below = (sum((each for each in amounts if (each > 0) is is_), Decimal(0)) for is_ in (True, False))
    return {Decimal(0), above, below, -below, above + below}


def _is_total(text: str, sums: set[Decimal], form: CsvFormat) -> bool:
    """Return whether a cell is one of these sums, or words such as "12 items"."""
    try:
        return _amount(text, form, 0) in sums
    except Invalid:
        return any(sign.isalpha() for sign in text)


def _line(cells: dict[str, str], form: CsvFormat, row: int) -> BankLine:
    if cells.get("amount"):
        amount = _amount(cells["amount"], form, row)
    else:
        credit = _amount(cells.get("credit") or "0", form, row)
        debit = _amount(cells.get("debit") or "0", form, row)
        # Some banks write what went out below zero in its own column, too.
        amount = credit - abs(debit)
    return BankLine(
        _day(cells.get("booked_on", ""), form.date_format, row),
        amount,
        (cells.get("currency") or form.currency).upper(),
        name=shortened(cells.get("name", ""), "name"),
        counter_account=account_of(cells.get("counter_account", "")),
        reference=shortened(cells.get("reference", ""), "reference"),
        purpose=shortened(cells.get("purpose", ""), "purpose"),
        bank_reference=shortened(cells.get("bank_reference", ""), "bank_reference"),
        is_return=amount < 0 and bool(_RETURNED.search(cells.get("purpose", ""))),
    )


_RETURNED = re.compile(r"\b(?:returned|reversal|return of|rücküberweisung)\b|退汇|冲正|退回", re.IGNORECASE)


def _amount(text: str, form: CsvFormat, row: int) -> Decimal:
    """Return an amount as banks write it: thousands apart, the sign before or behind, or in brackets."""
    plain = re.sub(r"[\s\u00a0\u202f'\u2019\u00a5\uffe5$\u20ac]", "", text).replace("\u2212", "-")
    is_below = plain.startswith(("-", "(")) or plain.endswith("-")
    plain = plain.strip("+-()")
    plain = plain.replace(".", "").replace(",", ".") if form.is_decimal_comma else plain.replace(",", "")
    if not re.fullmatch(r"\d{1,15}(\.\d{0,5})?|\.\d{1,5}", plain):
        raise invalid("file", "bad-amount", row=row)
    try:
        return Decimal(plain) * (-1 if is_below else 1)
    except InvalidOperation:
        raise invalid("file", "bad-amount", row=row) from None


def _day(text: str, form: str, row: int) -> date:
    pattern = re.escape(form)
    for part, digits in _PARTS.items():
        pattern = pattern.replace(part, digits, 1)
    found = re.match(pattern + r"(?!\d)", text)
    if found:
        parts = found.groupdict()
        year = int(parts["y"]) if parts.get("y") else 2000 + int(parts.get("yy") or 0)
        try:
            return date(year, int(parts["m"]), int(parts["d"]))
        except (ValueError, KeyError, TypeError):
            pass
    raise invalid("file", "bad-day", row=row)


def is_date_format(text: str) -> bool:
    """Return whether a text says where year, month and day stand, such as "DD.MM.YYYY"."""
    return bool(re.fullmatch(r"[YMD./\- \u5e74\u6708\u65e5]{6,20}", text)) and all(
        text.count(part) == times
        for part, times in (("MM", 1), ("DD", 1), ("M", 2), ("D", 2), ("Y", 4 if "YYYY" in text else 2))
    )
