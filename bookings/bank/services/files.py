"""Reading the files of banks, and keeping how a bank writes CSV."""

import hashlib
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts import trail
from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from bookings.bank.adapters.camt import camt_read
from bookings.bank.adapters.reading import format_of
from bookings.bank.adapters.swift import swift_read
from bookings.bank.adapters.tables import csv_read, is_date_format
from bookings.bank.domain.files import (
    CAMT053,
    COLUMNS,
    MOST_BYTES,
    MT940,
    BankStatement,
    CsvFormat,
    account_of,
    checked,
    keys_of,
)
from bookings.bank.models import BankCredit, BankFile, BankMapping, BankMatch, BankTransaction
from bookings.bank.selectors.bank import files_for, known_accounts, mappings_for
from bookings.charging.locks import lock_host_books
from bookings.record.locks import locked

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}


@dataclass(frozen=True)
class MappingTerms:
    """How a bank writes CSV, as an organisation states it."""

    name: str
    columns: dict[str, str]
    delimiter: str = "comma"
    encoding: str = "utf-8"
    date_format: str = "YYYY-MM-DD"
    is_decimal_comma: bool = False
    skipped_lines: int = 0
    account: str = ""
    currency: str = ""


@transaction.atomic
def mapping_save(by: By, *, host: Organisation, terms: MappingTerms) -> BankMapping:
    """Keep how the files of a bank are read, by its name; the one of this name is replaced. For finance.
    Raises `Invalid`: `unknown-field`, `required`, `bad-date-format`, `unknown-currency-of-file`."""
    require(by.actor, "account", place_of(host))
    columns = {name: column.strip()[:80] for name, column in terms.columns.items() if column.strip()}
    if unknown := set(columns) - set(COLUMNS):
        raise invalid(sorted(unknown)[0], "unknown-field")
    if "booked_on" not in columns:
        raise invalid("column_booked_on", "required")
    if "amount" not in columns and not {"debit", "credit"} & set(columns):
        raise invalid("column_amount", "required")
    if not is_date_format(terms.date_format):
        raise invalid("date_format", "bad-date-format")
    currency = terms.currency.strip().upper()
    if (currency or "currency" not in columns) and currency not in MINOR_DIGITS:
        raise invalid("currency", "unknown-currency-of-file", currency=currency or "–")
    if not account_of(terms.account) and "account" not in columns:
        raise invalid("account", "required")
    lock_host_books(host.pk)
    terms = replace(
        terms, name=terms.name.strip(), columns=columns, currency=currency, account=account_of(terms.account)
    )
    row = BankMapping.objects.filter(host=host, name=terms.name).first()
    before = {}
    if row is None:
        row = BankMapping(host=host, **asdict(terms))
        row.save(force_insert=True)
    else:
        before = _recorded(row)
        for name, value in asdict(terms).items():
            setattr(row, name, value)
        row.version += 1
        row.save(update_fields=[*asdict(terms), "version"])
    trail.record(by, "bankmapping.save", row, before=before, after=_recorded(row))
    return row


def _recorded(row: BankMapping) -> dict[str, Any]:
    names = ("name", "delimiter", "encoding", "date_format", "is_decimal_comma", "skipped_lines", "account")
    return {name: getattr(row, name) for name in (*names, "currency", "columns")}


@transaction.atomic
def mapping_delete(by: By, *, mapping_id: UUID) -> None:
    """Forget how the files of a bank are read. For finance."""
    row = visible(mappings_for(by.actor), pk=mapping_id)
    require(by.actor, "account", place_of(row.host))
    by.require_version(row.version)
    trail.record(by, "bankmapping.delete", row, before=_recorded(row))
    row.delete()


@dataclass(frozen=True)
class GivenFile:
    """A file as it was uploaded, with the mapping that reads it if it is CSV. `is_other_account`: it may be
    of an account that the host has not stated."""

    name: str
    content: bytes
    mapping: UUID | None = None
    is_other_account: bool = False


def file_read(by: By, *, host: Organisation, given: GivenFile) -> BankFile:
    """Read a bank's file for a host's finance: its transactions are stored, without those that an earlier
    file has brought. A long file is understood before the transaction that stores it begins.

    Raises `Invalid` at `file` for one that cannot be read, `too-large-file`, `other-account` if the host has
    stated others, `no-format` for CSV without one; `WrongState` (`already-read`) for the same file again.
    """
    require(by.actor, "account", place_of(host))
    if not given.content:
        raise invalid("file", "no-transactions")
    if len(given.content) > MOST_BYTES:
        raise invalid("file", "too-large-file", most=MOST_BYTES // 1_000_000)
    digest = hashlib.sha256(given.content).hexdigest()
    statement = checked(_read(by, host, given))
    return _store(by, host, given, digest, statement)


@transaction.atomic
def _store(by: By, host: Organisation, given: GivenFile, digest: str, statement: BankStatement) -> BankFile:
    """Store a file that was understood; see `file_read` for what it raises."""
    host = lock_host_books(host.pk)
    if BankFile.objects.filter(host=host, sha256=digest, taken_back_at=None).exists():
        raise WrongState("already-read")
    known = known_accounts(host)
    if known and not given.is_other_account and statement.account not in {account_of(each) for each in known}:
        raise invalid("file", "other-account", account=statement.account)
    keys = keys_of(statement.account, statement.lines)
    before = set(BankTransaction.objects.filter(host=host, key__in=keys).values_list("key", flat=True))
    file = BankFile.objects.create(
        host=host,
        name=given.name[:200] or digest[:12],
        format=statement.format,
        sha256=digest,
        account=statement.account,
        currency=statement.currency,
        opening_balance=statement.opening,
        closing_balance=statement.closing,
        transactions_read=len(keys) - len(before),
        known_before=len(before),
        not_booked=statement.not_booked,
        left_out=list(statement.left_out),
        read_by_id=by.actor.person,
        read_at=by.now,
    )
    BankTransaction.objects.bulk_create(
        BankTransaction(
            file=file,
            host=host,
            account=statement.account,
            position=position,
            key=key,
            **{name: getattr(line, name) for name in _FIELDS},
        )
        for position, (key, line) in enumerate(zip(keys, statement.lines, strict=True), start=1)
        if key not in before
    )
    trail.record(
        by,
        "bankfile.read",
        file,
        after={
            "name": file.name,
            "format": file.format,
            "sha256": digest,
            "account": file.account,
            "currency": file.currency,
            "transactions": file.transactions_read,
            "known_before": file.known_before,
        },
    )
    return file


@transaction.atomic
def file_take_back(by: By, *, file_id: UUID) -> BankFile:
    """Take back a file that was read by mistake, for the host's finance: its transactions are deleted, and
    may be read again. Those with a history, of matches or credit that were undone, stay set aside.

    Raises `WrongState`: `already-taken-back`, `something-is-matched`, with how many; `later-file-overlaps` if
    a later file of the account left out what earlier ones had brought, which would be lost.
    """
    file = visible(files_for(by.actor), pk=file_id)
    require(by.actor, "account", place_of(file.host))
    lock_host_books(file.host_id)
    file = visible(locked(files_for(by.actor)), pk=file_id)
    if file.taken_back_at is not None:
        raise WrongState("already-taken-back")
    rows = locked(file.transactions.order_by("pk"))
    if number := sum(bool(row.matched or row.credited) for row in rows):
        raise WrongState("something-is-matched", number=number)
    later = BankFile.objects.filter(host=file.host, account=file.account, taken_back_at=None)
    later = later.filter(read_at__gte=file.read_at, known_before__gt=0).exclude(pk=file.pk)
    if (one := later.order_by("-read_at").first()) is not None:
        raise WrongState("later-file-overlaps", name=one.name)
    has_history = Exists(BankMatch.objects.filter(transaction=OuterRef("pk"))) | Exists(
        BankCredit.objects.filter(transaction=OuterRef("pk"))
    )
    kept = list(file.transactions.filter(has_history))
    deleted, _ = file.transactions.exclude(pk__in=[row.pk for row in kept]).delete()
    for row in kept:
        # Another file may bring it again.
        row.key = hashlib.sha256(f"{row.key} {row.pk}".encode()).hexdigest()
        row.state, row.aside_by_id, row.aside_at = BankTransaction.State.SET_ASIDE, by.actor.person, by.now
        row.version += 1
    BankTransaction.objects.bulk_update(kept, ["key", "state", "aside_by", "aside_at", "version"])
    file.taken_back_by_id, file.taken_back_at = by.actor.person, by.now
    file.save(update_fields=["taken_back_by", "taken_back_at"])
    trail.record(
        by,
        "bankfile.take-back",
        file,
        before={"name": file.name, "sha256": file.sha256, "transactions": deleted + len(kept)},
        after={"transactions": len(kept)},
    )
    return file


_FIELDS = (
    "booked_on", "amount", "currency", "name", "counter_account", "reference", "purpose", "bank_reference",
    "is_return",
)  # fmt: skip


def _read(by: By, host: Organisation, given: GivenFile) -> BankStatement:
    match format_of(given.content):
        case name if name == CAMT053:
            return camt_read(given.content)
        case name if name == MT940:
            return swift_read(given.content)
    rows = BankMapping.objects.filter(host=host).order_by("name")
    if given.mapping is not None:
        mapping = visible(rows, pk=given.mapping)
    elif (only := list(rows[:2])) and len(only) == 1:
        mapping = only[0]
    else:
        raise invalid("mapping", "no-format")
    return csv_read(given.content, csv_format(mapping))


def csv_format(row: BankMapping) -> CsvFormat:
    """Return how a mapping reads files."""
    return CsvFormat(
        columns=row.columns,
        delimiter=DELIMITERS[row.delimiter],
        encoding=row.encoding,
        date_format=row.date_format,
        is_decimal_comma=row.is_decimal_comma,
        skipped_lines=row.skipped_lines,
        account=row.account,
        currency=row.currency,
    )
