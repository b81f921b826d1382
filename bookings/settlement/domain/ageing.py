"""How long money that is owed has been due, by counterparty and currency (docs/fees.md)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

NOT_DUE, CREDIT = "not_due", "credit"
# The last day past due of each bucket; anything later is in the last one.
LATEST = ((30, "days_1_30"), (60, "days_31_60"), (90, "days_61_90"))
OVER = "over_90"
LATE = (*(name for _, name in LATEST), OVER)
BUCKETS = (NOT_DUE, *LATE, CREDIT)


@dataclass(frozen=True)
class OpenAmount:
    """The open amount of one statement; `today` is the day in its host's time zone."""

    counterparty: UUID
    currency: str
    amount: Decimal
    due_date: date
    today: date


@dataclass(frozen=True)
class AgedRow:
    """The open amounts of one counterparty in one currency, by bucket."""

    counterparty: UUID
    currency: str
    buckets: dict[str, Decimal]
    statements: int

    @property
    def total(self) -> Decimal:
        return whole_of(self.buckets)


def whole_of(buckets: Mapping[str, Decimal]) -> Decimal:
    """Return the sum of all buckets except credits, which are owed in the other direction."""
    return sum((amount for name, amount in buckets.items() if name != CREDIT), Decimal(0))


def late_of(buckets: Mapping[str, Decimal]) -> Decimal:
    """Return the sum of the buckets of what is past due."""
    return sum((buckets[name] for name in LATE), Decimal(0))


def parts_of(buckets: Mapping[str, Decimal]) -> list[tuple[str, str, str]]:
    """Return the parts of a bar that shows open amounts by age, in hundredths and without credits: bucket,
    beginning, width."""
    whole = whole_of(buckets)
    parts, begin = [], Decimal(0)
    for name, amount in buckets.items():
        if name != CREDIT and amount:
            width = (amount * 100 / whole).quantize(Decimal("0.01"))
            parts.append((name, f"{begin}", f"{width}"))
            begin += width
    return parts


def bucket_of(amount: Decimal, due_date: date, today: date) -> str:
    """Return the bucket of an open amount. It is due through its due date; a credit, which is for the host to
    pay out, is never late and has a bucket of its own."""
    if amount < 0:
        return CREDIT
    late = (today - due_date).days
    if late <= 0:
        return NOT_DUE
    return next((name for last, name in LATEST if late <= last), OVER)


def aged(amounts: Iterable[OpenAmount]) -> list[AgedRow]:
    """Return the sums of open amounts by counterparty and currency: by currency, then the larger in the
    bucket that has been due longest."""
    rows: dict[tuple[UUID, str], AgedRow] = {}
    for one in amounts:
        key = (one.counterparty, one.currency)
        row = rows.setdefault(key, AgedRow(*key, dict.fromkeys(BUCKETS, Decimal(0)), 0))
        row.buckets[bucket_of(one.amount, one.due_date, one.today)] += one.amount
        rows[key] = replace(row, statements=row.statements + 1)
    latest = (OVER, *(name for _, name in reversed(LATEST)), NOT_DUE)
    return sorted(
        rows.values(),
        key=lambda row: (row.currency, [-row.buckets[name] for name in latest], row.counterparty),
    )


def with_credit(rows: Iterable[AgedRow], keys: Iterable[tuple[UUID, str]]) -> list[AgedRow]:
    """Return rows by currency, with one of no open amount for each counterparty and currency in `keys` that
    has none: credit is kept for it, and all its statements are paid."""
    found = list(rows)
    had = {(row.counterparty, row.currency) for row in found}
    for key in sorted(set(keys) - had):
        found.append(AgedRow(*key, dict.fromkeys(BUCKETS, Decimal(0)), 0))
    return sorted(found, key=lambda row: row.currency)


def totals(rows: Iterable[AgedRow]) -> dict[str, dict[str, Decimal]]:
    """Return the sum of each age bucket by currency."""
    sums: dict[str, dict[str, Decimal]] = {}
    for row in rows:
        total = sums.setdefault(row.currency, dict.fromkeys(BUCKETS, Decimal(0)))
        for name, amount in row.buckets.items():
            total[name] += amount
    return dict(sorted(sums.items()))
