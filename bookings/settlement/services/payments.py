"""Recording payments on statements and settlements, as the side that is paid."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import By
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from bookings.charging.domain.ledger import RECEIVABLE, SUBSIDY, payment_postings
from bookings.charging.models import LedgerEntry, Posting
from bookings.charging.services.ledger import rows_to_post
from bookings.settlement.domain.statements import (
    ISSUED,
    day_of,
    require_kept,
    require_payment,
    state_of_payment,
)
from bookings.settlement.locks import lock_settlement, lock_statement
from bookings.settlement.models import Payment, Settlement, Statement
from bookings.settlement.selectors.settlements import creditor_of, net_of, place_of_region, settlements_for
from bookings.settlement.selectors.statements import paid_by_bank, paid_out_of_credit, statements_for

# Who pays in advance does so at most this long before the month in which the charges are.
IN_ADVANCE = timedelta(days=92)


@dataclass(frozen=True)
class Paid:
    """A payment that arrived on a day; an amount below 0 takes that much back. On a credit, which is paid
    out, the signs are the other way round."""

    amount: Decimal
    paid_on: date
    reference: str = ""


@transaction.atomic
def statement_pay(by: By, *, statement_id: UUID, paid: Paid, is_taken_back: bool = False) -> Payment:
    """Record a payment on a statement, in whole or in part, for the host's finance. What a bank
    transaction brought, or was paid out of the payer's credit, is only taken back together with the match or
    the credit (`is_taken_back`).

    Raises `WrongState` if it is voided, or an internal note (`nothing-to-pay`), on which earlier payments can
    only be taken back; `Invalid` (`more-than-owed`, `more-than-paid`, `paid-by-bank`,
    `paid-out-of-credit`, `in-the-future`, `long-before`) if the amount or the day is not possible.
    """
    row = lock_statement(statements_for(by.actor), statement_id)
    require(by.actor, "account", place_of(row.host))
    by.require_version(row.version)
    if row.state == Statement.State.VOIDED:
        raise WrongState(state=row.state, wanted="paid")
    if row.payer_id == row.host_id and abs(row.paid + paid.amount) > abs(row.paid):
        raise WrongState("nothing-to-pay")
    is_back = row.paid * paid.amount < 0  # also of a payment whose own day was a slip
    require_day(paid, row.host_region.time_zone, by.now, None if is_back else row.month)
    require_payment(row.payable, row.paid, paid.amount, row.currency)
    if is_back and not is_taken_back:
        by_bank, out_of_credit = paid_by_bank(row), paid_out_of_credit(row)
        require_kept(row.paid, paid.amount, row.currency, by_bank=by_bank, out_of_credit=out_of_credit)
    payment = _payment(by, paid, row.currency, statement=row)
    before = {"state": row.state, "paid": row.paid}
    row.paid += paid.amount
    row.state = Statement.State(state_of_payment(row.payable, row.paid))
    row.version += 1
    row.save(update_fields=["paid", "state", "version"])
    trail.record(by, "statement.payment", row, before=before, after=_after(row.state, row.paid, payment))
    about = {"payment": str(payment.pk)}
    enqueue([Effect("event.payment", f"event.payment:{payment.pk}", about)], now=by.now)
    return payment


@transaction.atomic
def settlement_pay(by: By, *, settlement_id: UUID, paid: Paid) -> Payment:
    """Record a payment on a settlement that both regions have confirmed, for the coordinator of the region
    that is owed."""
    row = lock_settlement(settlements_for(by.actor), settlement_id)
    owed = creditor_of(row)
    require(by.actor, "coordinate", place_of_region(owed))
    by.require_version(row.version)
    if row.state == Settlement.State.DRAWN_UP or not net_of(row):
        raise WrongState(state=row.state, wanted="paid")
    is_back = row.paid * paid.amount < 0
    require_day(paid, owed.time_zone, by.now, None if is_back else row.month)
    require_payment(net_of(row), row.paid, paid.amount, row.currency)
    payment = _payment(by, paid, row.currency, settlement=row)
    before = {"state": row.state, "paid": row.paid}
    row.paid += paid.amount
    state = state_of_payment(net_of(row), row.paid)
    row.state = Settlement.State.CONFIRMED if state == ISSUED else Settlement.State(state)
    row.version += 1
    row.save(update_fields=["paid", "state", "version"])
    trail.record(by, "settlement.payment", row, before=before, after=_after(row.state, row.paid, payment))
    return payment


def require_day(paid: Paid, time_zone: str, now: datetime, month: date | None) -> None:
    """Raise `Invalid` (`in-the-future`) for a day that lies in the future in the time zone of the side that
    is paid, or (`long-before`) so long before the `month` of what it pays that the year is a slip."""
    if month is not None and paid.paid_on < month - IN_ADVANCE:
        raise invalid("paid_on", "long-before", month=f"{month:%Y-%m}")
    if paid.paid_on > day_of(now, time_zone):
        raise invalid("paid_on", "in-the-future")


def _payment(by: By, paid: Paid, currency: str, **on: Any) -> Payment:
    payment = Payment.objects.create(
        amount=paid.amount,
        currency=currency,
        paid_on=paid.paid_on,
        reference=paid.reference.strip(),
        entered_by_id=by.actor.person,
        entered_at=by.now,
        **on,
    )
    payment_post(payment=payment, now=by.now)
    return payment


def _after(state: str, paid: Decimal, payment: Payment) -> dict[str, Any]:
    return {
        "state": state,
        "paid": paid,
        "payment": payment.pk,
        "amount": payment.amount,
        "currency": payment.currency,
        "paid_on": payment.paid_on,
    }


def payment_post(*, payment: Payment, now: datetime) -> None:
    """Post a payment on a statement or a settlement to the ledger."""
    entry = LedgerEntry.objects.create(kind=LedgerEntry.Kind.PAYMENT, payment=payment, at=now)
    statement, settlement = payment.statement, payment.settlement
    to: dict[str, Any] = {"currency": payment.currency}
    if statement is not None:
        names = ("host_id", "payer_id", "host_region_id", "payer_region_id")
        to |= {name: getattr(statement, name) for name in names}
    elif settlement is not None:
        owing, owed = settlement.first_id, settlement.second_id
        if settlement.second_owes > settlement.first_owes:
            owing, owed = owed, owing
        to |= {"host_region_id": owed, "payer_region_id": owing}
    settles = RECEIVABLE if statement is not None else SUBSIDY
    postings = payment_postings(payment.amount, settles=settles)
    Posting.objects.bulk_create(rows_to_post(entry, postings, **to))
