"""How long money that is owed has been due, by counterparty and currency (docs/fees.md)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

NOT_DUE, CREDIT = "not_due", "credit"
# The last day past due of each bucket; what is later is in the last one.
LATEST = ((30, "days_1_30"), (60, "days_31_60"), (90, "days_61_90"))
OVER = "over_90"
BUCKETS = (NOT_DUE, *(name for _, name in LATEST), OVER, CREDIT)


@dataclass(frozen=True)
class OpenAmount:
    """What is open of one statement; `today`: the day it is where its host is."""

    counterparty: UUID
    currency: str
    amount: Decimal
    due_date: date
    today: date


@dataclass(frozen=True)
class AgedRow:
    """What is open with one counterparty in one currency, by bucket."""

    counterparty: UUID
    currency: str
    buckets: dict[str, Decimal]
    statements: int

    @property
    def total(self) -> Decimal:
        return sum(self.buckets.values(), Decimal(0))


def bucket_of(amount: Decimal, due_date: date, today: date) -> str:
    """Which bucket an open amount is in. It is due through its due date; a credit, which is for
    the host to pay out, is never late and has a bucket of its own."""
    if amount < 0:
        return CREDIT
    late = (today - due_date).days
    if late <= 0:
        return NOT_DUE
    return next((name for last, name in LATEST if late <= last), OVER)


def aged(amounts: Iterable[OpenAmount]) -> list[AgedRow]:
    """Sums by counterparty and currency: what has been due longest first, then the larger."""
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


def totals(rows: Iterable[AgedRow]) -> dict[str, dict[str, Decimal]]:
    """Return the sum of each bucket by currency."""
    sums: dict[str, dict[str, Decimal]] = {}
    for row in rows:
        total = sums.setdefault(row.currency, dict.fromkeys(BUCKETS, Decimal(0)))
        for name, amount in row.buckets.items():
            total[name] += amount
    return dict(sorted(sums.items()))
