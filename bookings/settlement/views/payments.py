"""Pages of payments recorded on statements."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.views.pages import by_of, reads
from bookings.record.views.lists import ListPage
from bookings.settlement.selectors.payments import PAYMENTS, payment_totals

LIST = ListPage("bookings/settlement/payment_list.html", PAYMENTS, size=50, totals=payment_totals)


@reads
def payments(request: HttpRequest) -> HttpResponseBase:
    """List payments, the latest entered first; filtered by month of payment, host and payer."""
    return LIST.answer(request, by_of(request))
