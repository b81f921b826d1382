"""Guess from a file of a bank how it writes CSV, so that a person has only to look it over."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from accounts.domain.errors import invalid
from bookings.bank.adapters.tables import is_day, text_of

MOST_BYTES = 200_000  # of a sample that are looked at
HEAD_LINES = 30  # lines among which the one with the names of columns is looked for
_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
_DAYS = (
    "YYYY-MM-DD", "YYYY/MM/DD", "YYYY.MM.DD", "YYYYMMDD", "YYYY年MM月DD日", "DD.MM.YYYY", "DD/MM/YYYY",
    "MM/DD/YYYY", "DD-MM-YYYY", "DD.MM.YY", "DD/MM/YY",
)  # fmt: skip
# Words of the names of columns; those of a field that comes first win.
_WORDS = {
    "booked_on": (
        "交易日期", "记账日期", "入账日期", "日期",
        "交易时间", "booking date", "buchungstag", "date", "datum",
    ),
    "debit": (
        "借方", "支出", "付款金额", "debit",
        "withdrawal", "paid out", "money out", "soll",
    ),
    "credit": (
        "贷方", "收入", "收款金额", "credit",
        "deposit", "paid in", "money in", "haben",
    ),
    "amount": ("交易金额", "发生额", "金额", "amount", "betrag"),
    "currency": ("币种", "币别", "货币", "currency", "währung", "waehrung"),
    "counter_account": (
        "对方账号", "对方帐号", "对方账户",
        "counterparty account", "kontonummer/iban", "iban",
    ),
    "account": ("本方账号", "本方帐号", "own account", "auftragskonto"),
    "name": (
        "对方户名", "对方名称", "对方单位", "counterparty",
        "beguenstigter", "begünstigter", "payee", "name",
    ),
    "reference": (
        "end to end", "end-to-end",
        "kundenreferenz", "customer reference",
    ),
    "bank_reference": (
        "流水号", "交易流水", "凭证号",
        "bank reference", "reference", "transaction id",
    ),
    "purpose": (
        "摘要", "用途", "附言", "备注",
        "purpose", "verwendungszweck", "description", "details", "text",
    ),
}  # fmt: skip
_NONE = ("余额", "balance", "saldo")  # what is no amount


@dataclass(frozen=True)
class Sample:
    """The way in which a file is written: `heads` are the names of its columns, `columns` those that
    probably have each field."""

    encoding: str
    delimiter: str
    skipped_lines: int
    heads: tuple[str, ...]
    columns: dict[str, str] = field(default_factory=dict)
    date_format: str = ""
    is_decimal_comma: bool = False


def sample_read(content: bytes) -> Sample:
    """Return how a file is probably written. Raise `Invalid` at `sample` (`no-heads`) if no line has names of
    columns."""
    content = content[:MOST_BYTES]
    best = max(_readings(content), key=lambda one: (len(one[0].columns), len(one[0].heads)), default=None)
    if best is None or not best[0].columns:
        raise invalid("sample", "no-heads")
    found, rows = best
    values = {
        name: [row[at].strip() for row in rows if at < len(row) and row[at].strip()]
        for name, head in found.columns.items()
        for at in [found.heads.index(head)]
    }
    days = [form for form in _DAYS if sum(is_day(day, form) for day in values.get("booked_on", ())) > 0]
    days.sort(key=lambda form: -sum(is_day(day, form) for day in values["booked_on"]))
    amounts = [text for name in ("amount", "debit", "credit") for text in values.get(name, ())]
    is_comma = any(text.rstrip("-")[-3:-2] == "," for text in amounts)
    return Sample(
        found.encoding,
        found.delimiter,
        found.skipped_lines,
        tuple(head for head in found.heads if head),
        found.columns,
        days[0] if days else "",
        is_comma,
    )


def _readings(content: bytes) -> Iterator[tuple[Sample, Sequence[Sequence[str]]]]:
    """Yield the ways to read a file, with its first lines behind the names of its columns."""
    for encoding in ("utf-8", "gb18030", "cp1252", "utf-16"):
        text = text_of(content, encoding, errors="ignore" if encoding == "utf-8" else "strict")
        if text is None:
            continue
        lines = text.splitlines(keepends=True)
        for name, sign in _DELIMITERS.items():
            for at, line in enumerate(lines[:HEAD_LINES]):
                heads = [
                    cell.strip().strip("\ufeff")[:80] for cell in next(csv.reader([line], delimiter=sign), [])
                ]
                if len(heads) < 2:
                    continue
                try:
                    rows = list(islice(csv.reader(lines[at + 1 :], delimiter=sign), 20))
                except csv.Error:
                    continue
                yield Sample(encoding, name, at, tuple(heads), _columns(heads)), rows


def _columns(heads: Sequence[str]) -> dict[str, str]:
    """Return the head that probably names the column of each field; none names two."""
    left = [head for head in heads if head and not any(word in head.casefold() for word in _NONE)]
    found: dict[str, str] = {}
    for name, words in _WORDS.items():
        if name == "amount" and {"debit", "credit"} <= set(found):
            continue
        exact = (head for word in words for head in left if head.casefold() == word)
        within = (head for word in words for head in left if word in head.casefold())
        if (head := next(exact, None) or next(within, None)) is not None:
            found[name] = head
            left.remove(head)
    return found
