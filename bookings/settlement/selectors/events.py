"""Load the webhook events about statements and their payments."""

from uuid import UUID

from accounts.domain.hooks import (
    DAY,
    ID,
    MONEY,
    TEXT,
    WHOLE,
    Datum,
    Happening,
    Payload,
    about,
    data_of,
    money,
    one_of,
    replaced,
    schema_of,
)
from accounts.models import OutboxMessage
from bookings.settlement.domain.statements import statement_number
from bookings.settlement.models import Payment, Statement

_PAID = about("What has been paid of it so far.", MONEY)
_REPLACES = about("Id of the voided statement that this one replaces.", ID)
STATEMENT: Payload = {
    "id": Datum(lambda one: str(one.pk), ID),
    "number": Datum(lambda one: statement_number(one.host.code, one.year, one.number), TEXT),
    "month": Datum(lambda one: f"{one.month:%Y-%m}", {"type": "string", "pattern": r"^\d{4}-\d{2}$"}),
    "state": Datum(lambda one: one.state, one_of(Statement.State.values)),
    "payable": Datum(lambda one: money(one.payable, one.currency), MONEY),
    "paid": Datum(lambda one: money(one.paid, one.currency), _PAID),
    "due": Datum(lambda one: one.due_date.isoformat(), DAY),
    "payer": Datum(lambda one: one.payer.code, replaced(TEXT, "payer_id", "payer_code")),
    "payer_id": Datum(lambda one: str(one.payer_id), ID),
    "payer_code": Datum(lambda one: one.payer.code, TEXT),
    "host": Datum(lambda one: one.host.code, TEXT),
    "replaces": Datum(lambda one: one.replaces_id and str(one.replaces_id), _REPLACES, may_lack=True),
    "version": Datum(lambda one: one.version, WHOLE),
}
_AMOUNT = about("Below zero: a payment was taken back.", MONEY)
_STATEMENT = about("The statement, as it is now.", schema_of(STATEMENT))
PAYMENT: Payload = {
    "id": Datum(lambda one: str(one.pk), ID),
    "amount": Datum(lambda one: money(one.amount, one.currency), _AMOUNT),
    "paid_on": Datum(lambda one: one.paid_on.isoformat(), DAY),
    "statement": Datum(lambda one: data_of(STATEMENT, one.statement), _STATEMENT),
}


def of_statement(event: str, row: OutboxMessage) -> list[Happening]:
    """Return the webhook event about a statement, with the statement's present data."""
    statements = Statement.objects.select_related("payer", "host")
    one = statements.get(pk=UUID(row.payload["statement"]))
    concerned = frozenset({one.payer_id, one.host_id})
    return [Happening(event, one.pk, str(row.pk), concerned, data_of(STATEMENT, one))]


def of_payment(event: str, row: OutboxMessage) -> list[Happening]:
    """Return the webhook event about a payment on a statement."""
    payments = Payment.objects.select_related("statement__payer", "statement__host")
    one = payments.get(pk=UUID(row.payload["payment"]))
    statement = one.statement
    assert statement is not None
    concerned = frozenset({statement.payer_id, statement.host_id})
    return [Happening(event, one.pk, str(row.pk), concerned, data_of(PAYMENT, one))]
