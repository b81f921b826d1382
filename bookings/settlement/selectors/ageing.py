"""Load what is owed to an actor's organisations and by them, and how long it has been due."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet

from accounts.domain.roles import Actor
from accounts.models import Organisation
from bookings.settlement.domain.ageing import AgedRow, OpenAmount, aged, bucket_of
from bookings.settlement.domain.statements import ISSUED, PART_PAID
from bookings.settlement.models import Statement
from bookings.settlement.selectors.statements import IS_INTERNAL, statements_for, today_of

# The two sides: others owe us, or we owe them; the counterparty is the payer, or the host.
OWED, OWING = "owed", "owing"
SIDES = {OWED: "payer", OWING: "host"}


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


def narrowed(ageing: Ageing, side: str, now: datetime, **by: Any) -> list[Statement]:
    """Return the statements behind a cell of the table of ages: of a counterparty's `code`, a `currency` and
    a `bucket`; empty values do not filter."""
    return [
        row
        for row in ageing.statements
        if by.get("code") in {None, "", getattr(row, SIDES[side]).code}
        and by.get("currency") in {None, "", row.currency}
        and by.get("bucket")
        in {None, "", bucket_of(row.payable - row.paid, row.due_date, today_of(row, now))}
    ]
