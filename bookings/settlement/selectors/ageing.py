"""Load what is owed to an actor's organisations and by them, and how long it has been due."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, F, Q, QuerySet, Sum, Value, When
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Actor
from accounts.models import Organisation
from bookings.settlement.domain.ageing import (
    BUCKETS,
    CREDIT,
    LATE,
    AgedRow,
    OpenAmount,
    aged,
    bucket_of,
    late_of,
    parts_of,
    whole_of,
    with_credit,
)
from bookings.settlement.domain.statements import ISSUED, PART_PAID, day_of
from bookings.settlement.models import Statement
from bookings.settlement.selectors.statements import IS_INTERNAL, statements_for, today_of

BUCKET_LABELS = {
    "not_due": _("Not due"),
    "days_1_30": _("1–30 days"),
    "days_31_60": _("31–60 days"),
    "days_61_90": _("61–90 days"),
    "over_90": _("Over 90 days"),
    "credit": _("Credit statements"),
}

# The two sides: others owe us, or we owe them; the counterparty is the payer, or the host.
OWED, OWING = "owed", "owing"
SIDES = {OWED: "payer", OWING: "host"}
# Functions of areas above that say what credit is kept, of organisations on one side (`host` or `payer`), by
# the other party and currency.
keepers: list[Callable[[Sequence[UUID], str], Mapping[tuple[UUID, str], Decimal]]] = []
ANY_LATE = "late"  # names all buckets of what is past due


@dataclass(frozen=True)
class Ageing:
    """The rows of one side, each with its counterparty, and the statements behind them."""

    rows: list[tuple[Organisation, AgedRow]]
    statements: list[Statement]


def open_statements(actor: Actor, side: str) -> QuerySet[Statement]:
    """Return the statements, including credits, that are not wholly paid, of the organisations whose money
    the actor reads; without what an organisation charges itself."""
    ours = actor.organisations_where("read-money")
    theirs = Q(payer__in=ours) if side == OWING else Q(host__in=ours) & ~Q(payer__in=ours)
    return statements_for(actor).filter(
        theirs, ~IS_INTERNAL, ~Q(payable=F("paid")), state__in=[ISSUED, PART_PAID]
    )


def load_ageing(actor: Actor, side: str, now: datetime) -> Ageing:
    """Return the amounts that are open on one side, by counterparty and currency. One statement."""
    statements = list(open_statements(actor, side).order_by("due_date", "id"))
    parties = {party.pk: party for row in statements if (party := getattr(row, SIDES[side]))}
    rows = aged(
        OpenAmount(
            counterparty=getattr(row, f"{SIDES[side]}_id"),
            currency=row.currency,
            amount=row.payable - row.paid,
            due_date=row.due_date,
            today=today_of(row, now),
        )
        for row in statements
    )
    return Ageing([(parties[row.counterparty], row) for row in rows], statements)


def load_kept_credit(actor: Actor, side: str) -> dict[tuple[UUID, str], Decimal]:
    """Return the credit that is kept beside what is open on one side, by counterparty and currency: of payers
    at the actor's organisations, or of these at their hosts. No statement lists it before it is used."""
    ours = actor.organisations_where("read-money")
    sums: dict[tuple[UUID, str], Decimal] = {}
    for kept in keepers:
        sums |= kept(list(ours), "host" if side == OWED else "payer")
    return sums


@dataclass(frozen=True)
class KeptRow:
    """The open amounts of a counterparty in one currency, and the credit that is kept beside them."""

    party: Organisation
    row: AgedRow
    kept: Decimal


def load_rows_with_credit(actor: Actor, side: str, aged: Ageing) -> list[KeptRow]:
    """Return the rows of one side with the credit that is kept beside each; a counterparty that has only
    credit has a row too."""
    kept = {key: amount for key, amount in load_kept_credit(actor, side).items() if amount}
    parties = {party.pk: party for party, _ in aged.rows}
    parties |= Organisation.objects.in_bulk({party for party, _ in kept} - set(parties))
    return [
        KeptRow(parties[row.counterparty], row, kept.get((row.counterparty, row.currency), Decimal(0)))
        for row in with_credit((row for _, row in aged.rows), kept)
    ]


def kept_sums(rows: Iterable[KeptRow]) -> dict[str, Decimal]:
    """Return the sum of the credit that is kept, by currency."""
    sums: dict[str, Decimal] = {}
    for one in rows:
        sums[one.row.currency] = sums.get(one.row.currency, Decimal(0)) + one.kept
    return sums


@dataclass(frozen=True)
class OpenSum:
    """The open amounts in one currency on one side: by bucket, how many statements have them, how many of
    these are past due and since when. Credits are a bucket of their own and count in no sum."""

    side: str
    currency: str
    buckets: dict[str, Decimal]
    statements: int = 0
    late: int = 0
    first_due: date | None = None

    @property
    def whole(self) -> Decimal:
        return whole_of(self.buckets)

    @property
    def past_due(self) -> Decimal:
        return late_of(self.buckets)

    @property
    def bar(self) -> list[tuple[str, str, str]]:
        return parts_of(self.buckets)

    @property
    def shown(self) -> list[tuple[str, Decimal]]:
        """Return the buckets that have something, credits among them."""
        return [(name, amount) for name, amount in self.buckets.items() if amount]


def load_open_sums(actor: Actor, now: datetime) -> list[OpenSum]:
    """Return what is open on each side, by currency: the sums of `load_ageing` without its statements, which
    are added up by due date and zone of the host. One statement."""
    sides = (open_statements(actor, side).order_by().values(side=Value(side)) for side in SIDES)
    names = ("side", "currency", "due_date", "host_region__time_zone", "is_credit")
    owed, owing = (
        rows.annotate(is_credit=Case(When(payable__lt=F("paid"), then=True), default=False))
        .values_list(*names)
        .annotate(number=Count("pk"), amount=Sum(F("payable") - F("paid")))
        for rows in sides
    )
    sums: dict[tuple[str, str], OpenSum] = {}
    for side, currency, due, zone, _is_credit, number, amount in owed.union(owing, all=True):
        one = sums.setdefault((side, currency), OpenSum(side, currency, dict.fromkeys(BUCKETS, Decimal(0))))
        bucket = bucket_of(amount, due, day_of(now, zone))
        one.buckets[bucket] += amount
        if bucket in LATE:
            first = min(due, one.first_due or due)
            one = replace(one, late=one.late + number, first_due=first)
        counted = number if bucket != CREDIT else 0
        sums[side, currency] = replace(one, statements=one.statements + counted)
    return [sums[key] for key in sorted(sums, key=lambda key: (list(SIDES).index(key[0]), key[1]))]


def narrowed(ageing: Ageing, side: str, now: datetime, **by: Any) -> list[Statement]:
    """Return the statements behind a cell of the table of ages: of a counterparty's `code`, a `currency` and
    a `bucket`, or all that is past due (`late`); empty values do not filter."""
    buckets = LATE if by.get("bucket") == ANY_LATE else (by.get("bucket"),)
    return [
        row
        for row in ageing.statements
        if by.get("code") in {None, "", getattr(row, SIDES[side]).code}
        and by.get("currency") in {None, "", row.currency}
        and (
            not by.get("bucket")
            or bucket_of(row.payable - row.paid, row.due_date, today_of(row, now)) in buckets
        )
    ]
