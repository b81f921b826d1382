"""Reporting payments as a payer, and matching or refusing these notices as the host."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from accounts import trail
from accounts.domain.errors import NotFound, WrongState, WrongVersion, invalid
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from bookings.record.domain.money import format_amount
from bookings.settlement.domain.statements import require_payment
from bookings.settlement.locks import lock_statement
from bookings.settlement.models import Payment, PaymentNotice, Statement
from bookings.settlement.selectors.statements import statements_for
from bookings.settlement.services.payments import Paid, require_day, statement_pay

REPORTED = PaymentNotice.State.REPORTED
RECORDED = ("state", "amount", "currency", "paid_on", "reference")


@transaction.atomic
def payment_notice_report(by: By, *, statement_id: UUID, paid: Paid) -> PaymentNotice:
    """Report that a statement was paid, in whole or in part, for the payer's finance; the host's finance is
    told. Nothing counts as paid until the host's finance has matched the notice.

    Raises `WrongState` if the statement is voided, nothing is open on it (`nothing-to-pay`), or the same was
    reported before (`already-reported`); `Invalid` as for a payment: no more than what is open less other
    notices, and no future day in the host's time zone.
    """
    row = lock_statement(statements_for(by.actor), statement_id)
    require(by.actor, "account", place_of(row.payer))
    by.require_version(row.version)
    if row.state == Statement.State.VOIDED:
        raise WrongState(state=row.state, wanted="paid")
    if row.payable <= row.paid or row.payer_id == row.host_id:
        raise WrongState("nothing-to-pay")
    require_day(paid, row.host_region.time_zone, by.now, row.month)
    if paid.amount < 0:
        raise invalid("amount", "too-small", least=0)
    notices = row.notices.filter(state__in=[REPORTED, PaymentNotice.State.MATCHED])
    reference = paid.reference.strip()
    if notices.filter(amount=paid.amount, paid_on=paid.paid_on, reference=reference).exists():
        raise WrongState("already-reported")
    waiting = notices.filter(state=REPORTED).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    require_payment(row.payable, row.paid + waiting, paid.amount, row.currency)
    notice = PaymentNotice.objects.create(
        statement=row,
        amount=paid.amount,
        currency=row.currency,
        paid_on=paid.paid_on,
        reference=reference,
        reported_by_id=by.actor.person,
        reported_at=by.now,
    )
    _record(by, "report", notice, {})
    return notice


@transaction.atomic
def payment_notice_match(by: By, *, notice_id: UUID, arrived: Paid | None = None) -> PaymentNotice:
    """Match a notice with money that arrived: its payment is recorded together with it, as `arrived` says if
    the bank is known to have booked it on another day, or in parts of which this is the last. For the host's
    finance. Raises `WrongState` if the notice was decided or withdrawn, its statement is voided, or less is
    open by now (`more-than-owed`)."""

    def pay(notice: PaymentNotice) -> Payment:
        row = notice.statement
        still = row.payable - row.paid
        paid = arrived or Paid(notice.amount, notice.paid_on, notice.reference)
        if paid.amount > still:
            most = format_amount(still, row.currency)
            raise WrongState("more-than-owed", most=most, currency=row.currency)
        return statement_pay(By(by.actor, by.now), statement_id=row.pk, paid=paid)

    return _decide(by, notice_id, "match", pay=pay)


@transaction.atomic
def payment_notice_refuse(by: By, *, notice_id: UUID, reason: str) -> PaymentNotice:
    """Refuse a notice because no such money arrived; the payer's finance can read the reason. For the host's
    finance. Raises `Invalid` (`required`) without a reason."""
    return _decide(by, notice_id, "refuse", reason=reason.strip())


@transaction.atomic
def payment_notice_withdraw(by: By, *, notice_id: UUID) -> PaymentNotice:
    """Withdraw a notice that nobody has decided, for the payer's finance."""
    return _decide(by, notice_id, "withdraw")


def payment_notice_reopen(by: By, *, payment: Payment) -> None:
    """Let the notice that a payment was matched with wait again, once the payment is reversed: its statement
    is locked by then."""
    notice = PaymentNotice.objects.select_related("statement").filter(payment=payment).first()
    if notice is None:
        return
    before = {"state": notice.state}
    notice.payment, notice.state = None, REPORTED
    notice.decided_by, notice.decided_at = None, None
    notice.version += 1
    notice.save(update_fields=["payment", "state", "decided_by", "decided_at", "version"])
    after = {"notice": notice.pk} | {name: getattr(notice, name) for name in RECORDED}
    trail.record(by, "statement.notice-reopen", notice.statement, before=before, after=after)


DECIDED = {
    "match": PaymentNotice.State.MATCHED,
    "refuse": PaymentNotice.State.REFUSED,
    "withdraw": PaymentNotice.State.WITHDRAWN,
}


def _decide(
    by: By,
    notice_id: UUID,
    act: str,
    *,
    reason: str = "",
    pay: Callable[[PaymentNotice], Payment] | None = None,
) -> PaymentNotice:
    notice = _locked(by, notice_id)
    row = notice.statement
    side: Organisation = row.payer if act == "withdraw" else row.host
    require(by.actor, "account", place_of(side))
    by.require_version(notice.version)
    if act == "refuse" and not reason:
        raise invalid("reason", "required")
    if notice.state != REPORTED:
        raise WrongState(state=notice.state, wanted=DECIDED[act])
    before = {"state": notice.state}
    notice.payment = pay(notice) if pay else None
    notice.state, notice.reason = DECIDED[act], reason
    notice.decided_by_id, notice.decided_at = by.actor.person, by.now
    notice.version += 1
    notice.save(update_fields=["payment", "state", "reason", "decided_by", "decided_at", "version"])
    _record(by, act, notice, before)
    return notice


def _locked(by: By, notice_id: UUID) -> PaymentNotice:
    """Return a notice whose statement is locked, so that acts on either wait for each other. Voiding a
    statement passes its notices to the one that replaces it, so it is looked up twice."""
    for _ in range(2):
        place = PaymentNotice.objects.filter(pk=notice_id).values_list("statement_id", flat=True)
        if (statement_id := place.first()) is None:
            raise NotFound
        row = lock_statement(statements_for(by.actor), statement_id)
        notice = PaymentNotice.objects.get(pk=notice_id)
        if notice.statement_id == row.pk:
            notice.statement = row
            return notice
    raise WrongVersion


def _record(by: By, act: str, notice: PaymentNotice, before: dict[str, Any]) -> None:
    """Record an act on a notice in the trail of the statement, and tell the other side."""
    row = notice.statement
    trail.record(
        by,
        f"statement.notice-{act}",
        row,
        before=before,
        after={"notice": notice.pk} | {name: getattr(notice, name) for name in RECORDED},
        reason=notice.reason,
    )
    kind = f"statement.notice-{notice.state}"
    payload = {"statement": str(row.pk), "notice": str(notice.pk)}
    enqueue([Effect(kind, f"{kind}:{notice.pk}", payload)], now=by.now)
