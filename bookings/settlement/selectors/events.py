"""Load the webhook events about statements."""

from uuid import UUID

from accounts.domain.hooks import Happening
from accounts.models import OutboxMessage
from bookings.settlement.domain.statements import statement_number
from bookings.settlement.models import Statement


def of_statement(event: str, row: OutboxMessage) -> list[Happening]:
    """Return the webhook event about a statement, with the statement's present data."""
    statements = Statement.objects.select_related("payer", "host")
    one = statements.get(pk=UUID(row.payload["statement"]))
    data = {
        "id": str(one.pk),
        "number": statement_number(one.host.code, one.year, one.number),
        "month": f"{one.month:%Y-%m}",
        "state": one.state,
        "payable": {"amount": str(one.payable), "currency": one.currency},
        "due": one.due_date.isoformat(),
        "payer": one.payer.code,
        "host": one.host.code,
    }
    concerned = frozenset({one.payer_id, one.host_id})
    return [Happening(event, one.pk, str(row.pk), concerned, data)]
