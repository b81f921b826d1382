"""Payers' credit: kept of transactions that paid too much, and used on later statements."""

from decimal import Decimal
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from bookings.bank.models import BankCredit, BankTransaction
from bookings.bank.selectors.bank import credits_for
from bookings.charging.locks import lock_host_books
from bookings.record.domain.money import format_amount
from bookings.settlement.models import Payment, Statement
from bookings.settlement.selectors.statements import statements_for, today_of
from bookings.settlement.services.payments import Paid, statement_pay

Kind = BankCredit.Kind


def credit_change(
    by: By,
    *,
    host: Organisation,
    payer_id: UUID,
    currency: str,
    kind: str,
    amount: Decimal,
    transaction: BankTransaction | None = None,
    payment: Payment | None = None,
    reverses: BankCredit | None = None,
) -> BankCredit:
    """Add a change to a payer's credit, under the lock of the host's books, and tell the payer. Raises
    `WrongState` (`credit-used`) if less than nothing would be left; `Invalid` at `payer` if credit of the
    host itself (`own-credit`), or of a closed organisation, is to be kept."""
    rows = BankCredit.objects.filter(host=host, payer_id=payer_id, currency=currency)
    last = rows.order_by("-position").first()
    balance = (last.balance if last else Decimal(0)) + amount
    if balance < 0:
        most = format_amount(last.balance if last else Decimal(0), currency)
        raise WrongState("credit-used", most=most, currency=currency)
    if kind == Kind.KEPT:
        payer = Organisation.objects.filter(pk=payer_id).first()
        if payer is None:
            raise invalid("payer", "unknown-value")
        if payer.pk == host.pk:
            raise invalid("payer", "own-credit")
        if payer.closed_at is not None:
            raise invalid("payer", "organisation-closed", organisation=payer.code)
    row = BankCredit.objects.create(
        host=host,
        payer_id=payer_id,
        currency=currency,
        position=last.position + 1 if last else 1,
        kind=kind,
        amount=amount,
        balance=balance,
        transaction=transaction,
        payment=payment,
        reverses=reverses,
        entered_by_id=by.actor.person,
        entered_at=by.now,
    )
    trail.record(
        by,
        "bankcredit.change",
        row,
        after={
            "kind": str(kind),
            "amount": amount,
            "currency": currency,
            "balance": balance,
            "payer": payer_id,
        },
    )
    if payer_id != host.pk:
        enqueue([Effect("credit.changed", f"credit.changed:{row.pk}", {"credit": str(row.pk)})], now=by.now)
    return row


@transaction.atomic
def credit_use(by: By, *, statement_id: UUID, amount: Decimal) -> BankCredit:
    """Pay a statement out of the credit that its payer has at the host, for the host's finance, on this day.

    Raises `WrongState` (`credit-used`) if the credit is smaller, and what a payment refuses.
    """
    seen = visible(statements_for(by.actor), pk=statement_id)
    require(by.actor, "account", place_of(seen.host))
    host = lock_host_books(seen.host_id)
    if amount <= 0:
        raise invalid("amount", "nothing-paid")
    paid = Paid(amount, today_of(seen, by.now), "")
    payment = statement_pay(by, statement_id=statement_id, paid=paid)
    return credit_change(
        By(by.actor, by.now), host=host, payer_id=seen.payer_id, currency=seen.currency, kind=Kind.USED,
        amount=-amount, payment=payment,
    )  # fmt: skip


@transaction.atomic
def credit_return(by: By, *, credit_id: UUID) -> BankCredit:
    """Take back the use of credit on a statement: the payment is reversed, and the payer has the credit
    again. For the host's finance. Raises `WrongState` (`already-undone`) if it was taken back."""
    row = visible(credits_for(by.actor), pk=credit_id)
    require(by.actor, "account", place_of(row.host))
    host = lock_host_books(row.host_id)
    if row.kind != Kind.USED or row.payment is None or row.payment.statement_id is None:
        raise WrongState("no-credit")
    if BankCredit.objects.filter(reverses=row).exists():
        raise WrongState("already-undone")
    statement = Statement.objects.select_related("host_region").get(pk=row.payment.statement_id)
    paid = Paid(row.amount, today_of(statement, by.now), "")
    payment = statement_pay(By(by.actor, by.now), statement_id=statement.pk, paid=paid, is_taken_back=True)
    return credit_change(
        by, host=host, payer_id=row.payer_id, currency=row.currency, kind=Kind.RETURNED,
        amount=-row.amount, payment=payment, reverses=row,
    )  # fmt: skip
