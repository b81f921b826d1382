"""The values of a bank's file in any format, and the key of a transaction, which is read only once."""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import invalid
from bookings.record.domain.money import exact_arithmetic, round_half_up

MOST_BYTES = 10_000_000
MOST_ROWS = 5_000
CAMT053, MT940, CSV = "camt053", "mt940", "csv"
# Fields of a CSV file that an organisation names columns for.
COLUMNS = (
    "booked_on", "amount", "debit", "credit", "currency", "account", "name", "counter_account", "reference",
    "purpose", "bank_reference",
)  # fmt: skip
MOST_AMOUNT = Decimal(10) ** 15
LENGTHS = {"name": 200, "counter_account": 64, "reference": 200, "purpose": 2000, "bank_reference": 100}


@dataclass(frozen=True)
class BankLine:
    """One transaction of a file: below zero if money went out."""

    booked_on: date
    amount: Decimal
    currency: str
    name: str = ""
    counter_account: str = ""
    reference: str = ""
    purpose: str = ""
    bank_reference: str = ""
    is_return: bool = False


@dataclass(frozen=True)
class BankStatement:
    """The transactions of a file on one account, with the balances that it states."""

    format: str
    account: str
    currency: str
    lines: tuple[BankLine, ...]
    opening: Decimal | None = None
    closing: Decimal | None = None
    not_booked: int = 0  # entries that the bank has yet to book, which are left out
    left_out: tuple[str, ...] = ()  # lines at the end that are no transactions

    @property
    def adds_up(self) -> bool:
        """Return whether the transactions lead from the first balance to the last; also true where the file
        does not state both."""
        if self.opening is None or self.closing is None:
            return True
        with exact_arithmetic():
            return self.opening + sum(line.amount for line in self.lines) == self.closing


@dataclass(frozen=True)
class CsvFormat:
    """How a bank writes CSV: signs, formats, and the names of columns by field."""

    columns: dict[str, str] = field(default_factory=dict)
    delimiter: str = ","
    encoding: str = "utf-8"
    date_format: str = "YYYY-MM-DD"
    is_decimal_comma: bool = False
    skipped_lines: int = 0
    account: str = ""
    currency: str = ""


def shortened(text: str, name: str) -> str:
    """Return a text of a file without control characters and double blanks, at most as long as is stored."""
    plain = "".join(sign if unicodedata.category(sign)[0] != "C" else " " for sign in text)
    return " ".join(plain.split())[: LENGTHS[name]]


def account_of(text: str) -> str:
    """Return an account as it is compared: letters and digits only, in capitals."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", text).upper() if sign.isalnum())[:64]


def checked(statement: BankStatement) -> BankStatement:
    """Return what a file says, once it is possible. Raise `Invalid`: `no-transactions`,
    `too-many-transactions`, `no-account`, `unknown-currency-of-file`, `other-currency-of-row`,
    `bad-balance`, or `bad-amount` with the number of the row."""
    if not statement.account:
        raise invalid("file", "no-account")
    if statement.currency not in MINOR_DIGITS:
        raise invalid("file", "unknown-currency-of-file", currency=statement.currency or "–")
    if not statement.lines:
        raise invalid("file", "no-transactions")
    if len(statement.lines) > MOST_ROWS:
        raise invalid("file", "too-many-transactions", most=MOST_ROWS)
    for row, line in enumerate(statement.lines, start=1):
        if line.currency != statement.currency:
            raise invalid("file", "other-currency-of-row", row=row, currency=line.currency or "–")
        if not line.amount or not _is_amount(line.amount, line.currency):
            raise invalid("file", "bad-amount", row=row)
    for balance in (statement.opening, statement.closing):
        if balance is not None and not _is_amount(balance, statement.currency):
            raise invalid("file", "bad-balance")
    return statement


def _is_amount(value: Decimal, currency: str) -> bool:
    """Return whether a value can be stored as money of a currency."""
    is_small = value.is_finite() and abs(value) < MOST_AMOUNT
    return is_small and round_half_up(value, currency) == value


def keys_of(account: str, lines: Sequence[BankLine]) -> list[str]:
    """Return for each transaction the digest by which another file is known to bring it again. Transactions
    that are alike in everything are counted, so that two of them stay two."""
    seen: Counter[str] = Counter()
    keys = []
    for line in lines:
        basis = "\x1f".join(_parts_of(account, line))
        keys.append(hashlib.sha256(f"{basis}\x1f{seen[basis]}".encode()).hexdigest())
        seen[basis] += 1
    return keys


def _parts_of(account: str, line: BankLine) -> Iterable[str]:
    yield account_of(account)
    yield line.booked_on.isoformat()
    yield f"{round_half_up(line.amount, line.currency):f}"
    yield line.currency
    for text in (line.bank_reference, line.counter_account, line.name, line.reference, line.purpose):
        yield account_of(text)
