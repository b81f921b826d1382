"""Match bank transactions with the statements that they pay, and undo it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from accounts import trail
from accounts.domain.errors import NotFound, WrongState, invalid
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from bookings.bank.domain.books import Part, Proposal
from bookings.bank.locks import lock_match, lock_transaction
from bookings.bank.models import BankCredit, BankMatch, BankTransaction
from bookings.bank.selectors.bank import entered_payments, left_of, load_proposals, transactions_for
from bookings.bank.services.credits import credit_change
from bookings.charging.locks import lock_host_books
from bookings.record.domain.money import format_amount, minor_digits, round_half_up
from bookings.record.locks import locked
from bookings.settlement.models import Payment, PaymentNotice, Statement
from bookings.settlement.services.payment_notices import payment_notice_match, payment_notice_reopen
from bookings.settlement.services.payments import Paid, statement_pay

Reason = BankMatch.Reason
State = BankTransaction.State
MOST_PARTS = 50
MOST_ASIDE = 500  # transactions that are set aside at once


@dataclass(frozen=True)
class Given:
    """A match by hand: the parts that statements get, and what is kept as which payer's credit."""

    parts: tuple[Part, ...] = ()
    credit: Decimal = Decimal(0)
    payer: UUID | None = None


@transaction.atomic
def matches_book(by: By, *, host: Organisation, transactions: Sequence[UUID]) -> int:
    """Match these transactions as their certain proposals say, all or none, for the host's finance;
    return how many. Raises `WrongState` (`no-longer-certain`) if one of them is not certain any more."""
    require(by.actor, "account", place_of(host))
    lock_host_books(host.pk)
    wanted = sorted(set(transactions))
    if not wanted:
        raise invalid("transactions", "required")
    seen = transactions_for(by.actor).filter(host=host, pk__in=wanted).order_by("pk")
    rows = list(locked(seen))
    proposals = load_proposals(host, rows)
    certain = {
        row.pk: first
        for row in rows
        if (first := next(iter(proposals.get(row.pk, ())), None)) and first.is_certain
    }
    if set(certain) != set(wanted):
        raise WrongState("no-longer-certain", number=len(set(wanted) - set(certain)))
    for row in sorted(rows, key=lambda one: (one.booked_on, one.pk)):
        _book(by, row, certain[row.pk])
    return len(rows)


@transaction.atomic
def proposal_book(by: By, *, transaction_id: UUID, number: int) -> BankTransaction:
    """Match a transaction as one of its proposals says, by its place from 0 on, for the host's finance.
    Raises `WrongState` (`no-longer-proposed`) if there is none; `WrongVersion` if it was changed since."""
    row = _locked(by, transaction_id)
    proposals = load_proposals(row.host, [row]).get(row.pk, ())
    if not 0 <= number < len(proposals):
        raise WrongState("no-longer-proposed")
    _book(by, row, proposals[number])
    return row


@transaction.atomic
def transaction_match(by: By, *, transaction_id: UUID, given: Given) -> BankTransaction:
    """Match a transaction, or what is left of it, with statements of its host that a person has chosen, and
    keep the rest as a payer's credit if they say so. For the host's finance.

    Raises `Invalid`: `nothing-chosen`, `more-than-left`, `too-many-decimals`, `other-currency-of-statement`,
    `twice`, `unknown-value`, and what a payment refuses.
    """
    row = _locked(by, transaction_id)
    if not given.parts and not given.credit:
        raise invalid("parts", "nothing-chosen")
    if len({part.statement for part in given.parts}) != len(given.parts) or len(given.parts) > MOST_PARTS:
        raise invalid("parts", "twice")
    statements = Statement.objects.filter(host=row.host).in_bulk([part.statement for part in given.parts])
    for part in given.parts:
        if part.statement not in statements:
            raise invalid("parts", "unknown-value")
        if statements[part.statement].currency != row.currency:
            raise invalid("parts", "other-currency-of-statement", currency=row.currency)
    if round_half_up(given.credit, row.currency) != given.credit:
        raise invalid("amount", "too-many-decimals", decimals=minor_digits(row.currency))
    sums = sum((part.amount for part in given.parts), given.credit)
    left = left_of(row)
    sign = 1 if row.amount > 0 else -1
    is_other_way = any(part.amount * sign <= 0 for part in given.parts) or given.credit * sign < 0
    if is_other_way or sums * sign > left * sign:
        raise invalid(
            "amount" if given.credit else "parts",
            "more-than-left",
            most=format_amount(abs(left), row.currency),
            currency=row.currency,
        )
    proposal = Proposal(Reason.BY_HAND, given.parts, given.payer, credit=given.credit)
    _book(by, row, proposal)
    return row


def _locked(by: By, transaction_id: UUID) -> BankTransaction:
    """Return a transaction that the actor may match as finance, locked with the books of its host. Raise
    `WrongState` if nothing of it is left, or it is set aside."""
    row = lock_transaction(transactions_for(by.actor), transaction_id)
    require(by.actor, "account", place_of(row.host))
    by.require_version(row.version)
    if row.state not in (State.TO_MATCH, State.PART):
        raise WrongState(state=row.state, wanted="matched")
    return row


def _book(by: By, row: BankTransaction, proposal: Proposal) -> None:
    """Carry out a proposal for a locked transaction. Statements are locked in the order of their ids."""
    before = _recorded(row)
    if proposal.returns is not None:
        payments = _take_back(by, row, proposal.returns)
    elif proposal.entered:
        payments = _link(by, row, proposal)
    else:
        payments = [
            _pay(by, row, part, Reason(proposal.reason))
            for part in sorted(proposal.parts, key=lambda part: part.statement)
        ]
        if proposal.credit:
            if proposal.payer is None:
                raise invalid("payer", "required")
            kind = BankCredit.Kind.KEPT if row.amount > 0 else BankCredit.Kind.PAID_OUT
            credit_change(
                by, host=row.host, payer_id=proposal.payer, currency=row.currency, kind=kind,
                amount=proposal.credit, transaction=row,
            )  # fmt: skip
            row.credited += proposal.credit
        row.matched += sum((payment.amount for payment in payments), Decimal(0))
    _store(row)
    trail.record(
        by,
        "banktransaction.match",
        row,
        before=before,
        after=_recorded(row) | {"reason": str(proposal.reason), "payments": [one.pk for one in payments]},
    )


def _pay(by: By, row: BankTransaction, part: Part, reason: Reason) -> Payment:
    """Record the payment of a statement on the day on which the bank booked it, together with what the payer
    has reported of it: this amount or, with the last part of what is due, the whole that came in parts."""
    own = By(by.actor, by.now)
    paid = Paid(part.amount, row.booked_on, _reference_of(row))
    reported = PaymentNotice.objects.filter(
        statement_id=part.statement, state=PaymentNotice.State.REPORTED
    ).order_by("reported_at", "id")
    notice = reported.filter(amount=part.amount).first()
    if notice is None:
        notice = reported.filter(statement__payable=F("statement__paid") + part.amount).first()
    if notice is not None:
        payment = payment_notice_match(own, notice_id=notice.pk, arrived=paid).payment
    else:
        payment = statement_pay(own, statement_id=part.statement, paid=paid)
    assert payment is not None
    BankMatch.objects.create(
        transaction=row, payment=payment, reason=reason, matched_by_id=by.actor.person, matched_at=by.now
    )
    return payment


def _link(by: By, row: BankTransaction, proposal: Proposal) -> list[Payment]:
    """Match a transaction with payments that people have entered before the bank's file came: nothing is paid
    again. Raise `WrongState` (`no-longer-proposed`) if one of them is not as it was."""
    statements = Statement.objects.filter(host=row.host, payments__in=proposal.entered).order_by("pk")
    list(locked(Statement.objects.filter(pk__in=statements.values("pk")).order_by("pk")).values_list("pk"))
    held = {each.id for each in entered_payments(row.host, [row])}
    payments = list(Payment.objects.filter(pk__in=proposal.entered).order_by("statement_id", "id"))
    whole = sum((payment.amount for payment in payments), Decimal(0))
    if not held.issuperset(proposal.entered) or whole != left_of(row):
        raise WrongState("no-longer-proposed")
    for payment in payments:
        BankMatch.objects.create(
            transaction=row,
            payment=payment,
            reason=Reason(proposal.reason),
            matched_by_id=by.actor.person,
            matched_at=by.now,
        )
    row.matched += whole
    return payments


def _reference_of(row: BankTransaction) -> str:
    """Return what a payment names as its reference."""
    return (row.reference or row.bank_reference or row.purpose)[:100].strip()


def _take_back(by: By, row: BankTransaction, original_id: UUID) -> list[Payment]:
    """Reverse the payments of a transfer that the bank has returned, and pay out what was kept of it as
    credit."""
    original = locked(BankTransaction.objects.filter(host=row.host).order_by("pk")).get(pk=original_id)
    live = list(
        BankMatch.objects.filter(transaction=original, undone_by=None)
        .select_related("payment")
        .order_by("payment__statement_id")
    )
    whole = sum((match.payment.amount for match in live), original.credited)
    is_returned = BankTransaction.objects.filter(returns=original).exists()
    if is_returned or whole != -row.amount or row.matched or row.credited:
        raise WrongState("no-longer-proposed")
    row.returns = original
    payments = []
    for match in live:
        paid = Paid(-match.payment.amount, row.booked_on, _reference_of(row))
        payment = _reverse(by, match, paid)
        BankMatch.objects.create(
            transaction=row,
            payment=payment,
            reason=Reason.RETURN,
            matched_by_id=by.actor.person,
            matched_at=by.now,
        )
        row.matched += payment.amount
        payments.append(payment)
    for payer_id, amount in _kept_of(original).items():
        credit_change(
            by, host=row.host, payer_id=payer_id, currency=row.currency, kind=BankCredit.Kind.PAID_OUT,
            amount=-amount, transaction=row,
        )  # fmt: skip
        row.credited -= amount
    return payments


def _kept_of(row: BankTransaction) -> dict[UUID, Decimal]:
    """Return what of a transaction is kept as, or was paid out of, the credit of which payer."""
    sums: dict[UUID, Decimal] = {}
    for payer_id, amount in row.credits.order_by("position").values_list("payer_id", "amount"):
        sums[payer_id] = sums.get(payer_id, Decimal(0)) + amount
    return {payer_id: amount for payer_id, amount in sums.items() if amount}


def _reverse(by: By, match: BankMatch, paid: Paid) -> Payment:
    statement_id = match.payment.statement_id
    assert statement_id is not None
    payment = statement_pay(By(by.actor, by.now), statement_id=statement_id, paid=paid, is_taken_back=True)
    match.undone_by = payment
    match.save(update_fields=["undone_by"])
    return payment


@transaction.atomic
def match_undo(by: By, *, match_id: UUID) -> BankTransaction:
    """Undo a match by a payment that reverses its own, for the host's finance: the transaction waits again.
    A payment that the payer has reported is reported again. Undoing the match of a returned transfer
    makes those that it took back hold again. A payment that was
    entered before it was matched stays as it was, and the match is forgotten.

    Raises `WrongState` (`already-undone`) if it is undone, also because the transfer was returned.
    """
    row, match = lock_match(transactions_for(by.actor), match_id)
    require(by.actor, "account", place_of(row.host))
    by.require_version(row.version)
    if match.undone_by_id is not None:
        raise WrongState("already-undone")
    before = _recorded(row)
    amount = match.payment.amount
    if match.is_linked:
        payment = match.payment
        match.delete()
    else:
        payment = _reverse(by, match, Paid(-amount, row.booked_on, _reference_of(row)))
        payment_notice_reopen(By(by.actor, by.now), payment=match.payment)
        if match.reason == Reason.RETURN:
            BankMatch.objects.filter(undone_by=match.payment).update(undone_by=None)
    row.matched -= amount
    _store(row)
    after = _recorded(row) | {"payment": payment.pk}
    trail.record(by, "banktransaction.undo", row, before=before, after=after)
    return row


@transaction.atomic
def transaction_set_aside(by: By, *, transaction_id: UUID, reason: str) -> BankTransaction:
    """Set a transaction aside that pays no statement, such as an internal transfer, for the host's finance.
    Raises `Invalid` (`required`) without a reason, `WrongState` if something of it is matched."""
    row = _locked(by, transaction_id)
    if not reason.strip():
        raise invalid("reason", "required")
    if row.matched or row.credited:
        raise WrongState(state=row.state, wanted=State.SET_ASIDE)
    _set_aside(by, row, reason.strip())
    return row


@transaction.atomic
def transactions_set_aside(by: By, *, transactions: Sequence[UUID], reason: str) -> int:
    """Set transactions aside for one reason, all or none, for their hosts' finance; return how many. Raises
    `Invalid` (`nothing-to-set-aside`, `too-many-to-set-aside`, `required`), `WrongState` (`not-all-wait`) if
    something of one is matched, or one is set aside."""
    wanted = set(transactions)
    if not wanted:
        raise invalid("transactions", "nothing-to-set-aside")
    if len(wanted) > MOST_ASIDE:
        raise invalid("transactions", "too-many-to-set-aside", most=MOST_ASIDE)
    if not reason.strip():
        raise invalid("reason", "required")
    seen = transactions_for(by.actor).filter(pk__in=wanted)
    for host in sorted(set(seen.order_by().values_list("host_id", flat=True))):
        lock_host_books(host)
    rows = list(locked(seen.order_by("pk")))
    if len(rows) != len(wanted):
        raise NotFound
    for each in {row.host_id: row.host for row in rows}.values():
        require(by.actor, "account", place_of(each))
    if not_waiting := [row for row in rows if row.state != State.TO_MATCH]:
        raise WrongState("not-all-wait", number=len(not_waiting))
    for row in rows:
        _set_aside(by, row, reason.strip())
    return len(rows)


def _set_aside(by: By, row: BankTransaction, reason: str) -> None:
    before = _recorded(row)
    row.aside_reason, row.aside_by_id, row.aside_at = reason[:500], by.actor.person, by.now
    _store(row)
    trail.record(by, "banktransaction.set-aside", row, before=before, after=_recorded(row), reason=reason)


@transaction.atomic
def transaction_take_up(by: By, *, transaction_id: UUID) -> BankTransaction:
    """Let a transaction that was set aside wait again, for the host's finance."""
    row = lock_transaction(transactions_for(by.actor), transaction_id)
    require(by.actor, "account", place_of(row.host))
    by.require_version(row.version)
    if row.state != State.SET_ASIDE:
        raise WrongState(state=row.state, wanted=State.TO_MATCH)
    if row.file.taken_back_at is not None:
        raise WrongState("file-taken-back")
    before = _recorded(row)
    row.aside_reason, row.aside_by_id, row.aside_at = "", None, None
    _store(row)
    trail.record(by, "banktransaction.take-up", row, before=before, after=_recorded(row))
    return row


@transaction.atomic
def credit_take_back(by: By, *, transaction_id: UUID) -> BankTransaction:
    """Take what is kept of a transaction as credit back to it, or a payout of credit back to the payer's
    credit, for the host's finance. Raises `WrongState`: `no-credit`, `credit-used` if less is left, or
    `already-returned` if a later transaction took the transfer back, and the credit with it."""
    row = lock_transaction(transactions_for(by.actor), transaction_id)
    require(by.actor, "account", place_of(row.host))
    by.require_version(row.version)
    if not row.credited:
        raise WrongState("no-credit")
    if BankTransaction.objects.filter(returns=row).exists():
        raise WrongState("already-returned")
    before = _recorded(row)
    for payer_id, amount in sorted(_kept_of(row).items()):
        credit_change(
            by, host=row.host, payer_id=payer_id, currency=row.currency, kind=BankCredit.Kind.TAKEN_BACK,
            amount=-amount, transaction=row,
        )  # fmt: skip
    row.credited = Decimal(0)
    _store(row)
    trail.record(by, "banktransaction.credit-take-back", row, before=before, after=_recorded(row))
    return row


def _store(row: BankTransaction) -> None:
    """Store how much of a transaction is matched or credited, and the state that follows."""
    given = row.matched + row.credited
    if row.aside_at is not None:
        row.state = State.SET_ASIDE
    elif not row.matched and not row.credited:
        row.state = State.TO_MATCH
    elif given != row.amount:
        row.state = State.PART
    else:
        row.state = State.CREDIT if row.credited else State.MATCHED
    if not given:
        row.returns = None
    row.version += 1
    aside = ("aside_reason", "aside_by", "aside_at")
    row.save(update_fields=["state", "matched", "credited", "returns", *aside, "version"])


def _recorded(row: BankTransaction) -> dict[str, Any]:
    return {"state": row.state, "matched": row.matched, "credited": row.credited, "currency": row.currency}
