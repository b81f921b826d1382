"""Payments that were recorded on statements: the list, and the same as CSV."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.views.pages import by_of, reads
from bookings.record.domain.months import month_read
from bookings.record.views.lists import ListPage
from bookings.settlement.adapters.sheets import PAYMENT_HEADS, payment_cells
from bookings.settlement.selectors.payments import COLUMNS, payments_for

LIST = ListPage(
    "bookings/settlement/payment_list.html",
    payments_for,
    sheet=("payments", PAYMENT_HEADS, lambda row, by: payment_cells(row)),
    columns=COLUMNS,
    size=50,
    words=("statement__host__name", "statement__payer__name", "reference"),
    day="paid_on",
    sorts={0: "paid_on", 2: "statement__host__name", 3: "statement__payer__name", 6: "amount"},
)


@reads
def payments(request: HttpRequest) -> HttpResponseBase:
    """List payments, the latest entered first; by month of payment, host and payer."""
    by = by_of(request)
    filters = {
        name: request.GET.get(name, "").replace("\0", "") for name in ("month", "host", "payer")
    }
    rows = payments_for(
        by.actor, month=month_read(filters["month"]), host=filters["host"], payer=filters["payer"]
    )
    return LIST.answer(request, by, rows, filters=filters)
