"""Payments that were recorded, as lists."""

from datetime import date

from django.db.models import QuerySet

from accounts.domain.roles import Actor
from bookings.record.domain.months import month_after
from bookings.settlement.models import Payment
from bookings.settlement.selectors.statements import statements_for

# What a file of payments says (adapters/sheets.py).
COLUMNS = (
    "amount", "currency", "paid_on", "reference", "entered_at", "entered_by__name",
    "entered_by__email", "statement__year", "statement__number", "statement__host__code",
    "statement__host__name", "statement__payer__code", "statement__payer__name",
)  # fmt: skip


def payments_for(
    actor: Actor, *, month: date | None = None, host: str = "", payer: str = ""
) -> QuerySet[Payment]:
    """Return payments on statements the actor may see, the latest entered first; paid in a month,
    on statements of a host or of a payer, by their codes."""
    rows = Payment.objects.filter(statement__in=statements_for(actor).order_by().values("pk"))
    if month is not None:
        rows = rows.filter(paid_on__gte=month, paid_on__lt=month_after(month))
    if host:
        rows = rows.filter(statement__host__code=host)
    if payer:
        rows = rows.filter(statement__payer__code=payer)
    return rows.select_related("statement__host", "statement__payer", "entered_by").order_by(
        "-entered_at", "-id"
    )
