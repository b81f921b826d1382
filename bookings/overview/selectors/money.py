"""What of money waits for somebody: the rows behind each number, and how many there are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import (
    Count,
    DateField,
    DecimalField,
    F,
    Min,
    QuerySet,
    Sum,
    TextField,
    Value,
)
from django.db.models.functions import Cast, TruncDate

from accounts.domain.roles import Actor
from bookings.audit.selectors.audit import findings_to_answer
from bookings.charging.selectors.waiting import (
    charges_to_agree,
    charges_to_answer,
    charges_to_bill,
    charges_to_check,
)
from bookings.funding.selectors.funding_sources import (
    grants_nearly_used,
    sources_nearly_used,
)
from bookings.pricing.selectors.agreements import agreements_to_sign
from bookings.record.models import Reservation
from bookings.settlement.selectors.settlements import settlements_to_confirm
from bookings.settlement.selectors.statements import (
    notices_to_match,
    statements_owed,
    statements_to_pay,
)
from bookings.usage.selectors.sessions import sessions_to_complete


def sessions_waiting(actor: Actor, now: datetime) -> QuerySet[Reservation]:
    """Bookings that cannot be charged before somebody says when they were used."""
    return sessions_to_complete(actor)


# How many of what each list is asked for by `waits`


@dataclass(frozen=True)
class Waiting:
    """So many of something wait. `sums` by currency, of what has one; `due` the first day."""

    what: str
    number: int
    sums: tuple[tuple[str, Decimal], ...] = ()
    due: date | None = None


@dataclass(frozen=True)
class Kind:
    """One kind of thing: who has any, its rows, a column that is the same for all of them where
    they have no currency, what is owed and until when: `due` is a day, `until` a moment."""

    has: Callable[[Actor], bool]
    rows: Callable[[Actor, datetime], QuerySet[Any]]
    group: str = "currency"
    amount: Any = None
    due: str = ""
    until: str = ""


def may(*capabilities: str) -> Callable[[Actor], bool]:
    return lambda actor: any(actor.organisations_where(one) for one in capabilities)


def _coordinates(actor: Actor) -> bool:
    return bool(actor.regions_where("coordinate"))


def anybody(actor: Actor) -> bool:
    return actor.user_id is not None


STILL = F("payable") - F("paid")
# In the order of their urgency.
KINDS: dict[str, Kind] = {
    "findings": Kind(may("manage-charges"), findings_to_answer, "state", due="due_date"),
    "answer": Kind(may("manage-charges"), charges_to_answer, amount="payable"),
    "agree": Kind(may("manage-charges"), charges_to_agree, amount="payable"),
    "sign": Kind(_coordinates, agreements_to_sign, "signed_at", due="valid_from"),
    "confirm": Kind(_coordinates, settlements_to_confirm, "state", due="due_date"),
    "complete": Kind(anybody, sessions_waiting, "state"),
    "notices": Kind(may("account"), notices_to_match, amount="amount"),
    "pay": Kind(may("account"), statements_to_pay, amount=STILL, due="due_date"),
    "check": Kind(anybody, charges_to_check, amount="payable", until="open_until"),
    "owed": Kind(may("account"), statements_owed, amount=STILL, due="due_date"),
    "bill": Kind(may("account"), charges_to_bill, amount="payable"),
    "grants": Kind(
        lambda actor: _coordinates(actor) or may("manage-charges")(actor),
        grants_nearly_used,
        "suspended_at",
    ),
    "sources": Kind(anybody, sources_nearly_used, "suspended_at"),
}


# What nobody has to do anything about today.
TO_WATCH = frozenset({"owed", "bill", "grants", "sources"})


def load_waiting(actor: Actor, now: datetime, kinds: Mapping[str, Kind] = KINDS) -> list[Waiting]:
    """Return what waits for somebody, in the order of the kinds, which is that of their urgency;
    nothing is left out but noughts. One statement."""
    parts = [
        _counted(what, kind, kind.rows(actor, now))
        for what, kind in kinds.items()
        if kind.has(actor)
    ]
    first, *others = parts
    waiting: dict[str, list[Any]] = {}
    for row in first.union(*others, all=True) if others else first:
        waiting.setdefault(row[0], []).append(row[1:])
    return [
        Waiting(
            what,
            sum(number for _, number, _, _ in rows),
            tuple(sorted((currency, total) for currency, _, total, _ in rows if currency)),
            min((due for *_, due in rows if due is not None), default=None),
        )
        for what in kinds
        if (rows := waiting.get(what))
    ]


def _counted(what: str, kind: Kind, rows: QuerySet[Any]) -> QuerySet[Any]:
    money: DecimalField[Any, Any] = DecimalField(max_digits=20, decimal_places=3)
    has_currency = kind.group == "currency"
    columns = {
        "its_kind": Value(what, output_field=TextField()),
        "its_currency": Cast(
            F("currency") if has_currency else Value(""), output_field=TextField()
        ),
        "its_number": Count("pk", distinct=True),
        "its_sum": Cast(Sum(kind.amount) if kind.amount else Value(None), money),
        # A moment lies on the reader's day.
        "its_due": TruncDate(Min(kind.until))
        if kind.until
        else Cast(Min(kind.due) if kind.due else Value(None), DateField()),
    }
    grouped: QuerySet[Any] = rows.order_by().values(kind.group).annotate(**columns)
    counted: QuerySet[Any] = grouped.values_list(*columns)
    return counted
