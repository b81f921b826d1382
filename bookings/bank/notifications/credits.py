"""Messages to payers about their credit at a host: kept, used, given back, taken back and paid out."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, row_of, table
from accounts.models import OutboxMessage
from accounts.selectors.memberships import holders_of
from bookings.bank.models import BankCredit
from bookings.settlement.domain.statements import statement_number

CHANGED = "credit.changed"  # the kind of the outbox rows
_WHAT_FOR = _("It can pay later statements of this host. The host's finance uses it, or pays it out.")


def of_credit(credit: BankCredit, row: OutboxMessage, now: datetime) -> Content:
    statement = credit.payment.statement if credit.payment else None
    number = statement_number(credit.host.code, statement.year, statement.number) if statement else ""
    words = {"host": credit.host, "payer": credit.payer, "number": number}
    link = f"{reverse('bookings:money-ageing')}?side=owing"
    if statement:
        link = reverse("bookings:money-statements-one", kwargs={"statement_id": statement.pk})
    context = {
        "credit": credit,
        "amount": abs(credit.amount),
        "number": number,
        "statement": statement,
        "what_for": _WHAT_FOR if credit.balance else "",
    }
    return Content(credit.pk, link, words, context)


def _by_bank(credit: BankCredit) -> bool:
    """Return whether the bank took a transfer back, and the credit with it."""
    return credit.transaction is not None and credit.transaction.is_return


def _is(
    kind: str, further: Callable[[BankCredit], bool] = lambda credit: True
) -> Callable[[BankCredit, OutboxMessage, datetime], bool]:
    """Return a condition: the change is of a kind, and a further one holds."""
    return lambda credit, row, now: credit.kind == kind and further(credit)


_ROWS = BankCredit.objects.select_related("host", "payer", "transaction", "payment__statement")
_credit = partial(
    Kind,
    topic="statement",
    template="bookings/bank/mail/credit",
    load=row_of(_ROWS, "credit"),
    readers=lambda credit: holders_of("finance", credit.payer_id),
    content=of_credit,
    on=CHANGED,
)
KINDS = table(
    _credit(
        "credit.kept",
        _("{host} keeps credit for {payer}"),
        _("{host} has received more from {payer} than was due, and keeps the amount below as credit."),
        is_still_true=_is("kept"),
    ),
    _credit(
        "credit.used",
        _("Credit used for statement {number} of {host}"),
        _("{host} has paid this statement, in whole or in part, out of the credit of {payer}."),
        is_still_true=_is("used"),
    ),
    _credit(
        "credit.returned",
        _("Credit given back: statement {number} of {host}"),
        _("{host} has taken back a payment out of credit: {payer} has the credit again."),
        is_still_true=_is("returned"),
    ),
    _credit(
        "credit.taken-back",
        _("{host} has taken back credit of {payer}"),
        _(
            "{host} no longer keeps the amount below as credit: the transfer is to be matched otherwise."
            " Ask its finance if you do not know why."
        ),
        is_still_true=_is("taken_back", lambda credit: credit.amount < 0),
    ),
    _credit(
        "credit.restored",
        _("{payer} has credit at {host} again"),
        _("{host} has undone a payout of credit: {payer} has the amount below again."),
        is_still_true=_is("taken_back"),
    ),
    _credit(
        "credit.returned-by-bank",
        _("Credit at {host} ended: the transfer was returned"),
        _("The bank has taken a transfer of {payer} back, and with it the amount below of the credit."),
        is_still_true=_is(
            "paid_out", lambda credit: bool(credit.transaction and credit.transaction.is_return)
        ),
    ),
    _credit(
        "credit.paid-out",
        _("{host} has paid out credit of {payer}"),
        _("{host} has transferred the amount below of the credit to {payer}."),
        is_still_true=_is("paid_out"),
    ),
)
