"""Payments that were recorded on statements: the list, and the same as CSV."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.permissions import actor_of
from bookings.record.domain.months import month_read
from bookings.record.views.lists import csv_answer, wants_csv
from bookings.settlement.adapters.sheets import PAYMENT_HEADS, payment_cells
from bookings.settlement.selectors.payments import payments_for

PAGE = 50


@login_required
@require_safe
def payments(request: HttpRequest) -> HttpResponseBase:
    """The latest entered first; by month of payment, host and payer."""
    asked = {
        name: request.GET.get(name, "").replace("\0", "") for name in ("month", "host", "payer")
    }
    rows = payments_for(
        actor_of(request.user),
        month=month_read(asked["month"]),
        host=asked["host"],
        payer=asked["payer"],
    )
    if wants_csv(request):
        cells = (payment_cells(row) for row in rows.iterator(2000))
        return csv_answer(request, "payments", PAYMENT_HEADS, cells)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    return render(request, "bookings/settlement/payment_list.html", {"page": page, "asked": asked})
