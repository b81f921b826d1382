"""The page of a person's own costs: this year by instrument, by month and source, and the vouchers that are
left."""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.permissions import actor_of
from accounts.views.pages import reads
from bookings.funding.selectors.programmes import left_in, open_grants, own_grants
from bookings.funding.selectors.spending import SpentOn, load_spending, load_spending_on
from bookings.funding.views.programmes import grants_shown

EARLIEST = 2000
INSTRUMENTS = 50  # on a page
GRANTS = 12  # shown here; all are on the page of vouchers


@reads
def spending(request: HttpRequest) -> HttpResponse:
    """Show what the reader's bookings of a year cost, in their own time zone."""
    now, actor = timezone.now(), actor_of(request.user)
    zone = ZoneInfo(actor.time_zone)
    this_year = now.astimezone(zone).year
    given = request.GET.get("year", "")
    year = int(given) if given.isascii() and given.isdecimal() and len(given) == 4 else this_year
    year = min(max(year, EARLIEST), this_year + 1)
    on = load_spending_on(actor.person, year, zone, now)
    usable = open_grants(actor, now)
    context = {
        "year": year,
        "before": year - 1,
        "after": year + 1 if year <= this_year else None,
        "page": Paginator(on, INSTRUMENTS).get_page(request.GET.get("page")),
        "sums": _sums(on),
        "months": load_spending(actor.person, zone, now),
        "grants": grants_shown(usable[:GRANTS], now),
        "has_grants": bool(usable) or own_grants(actor).exists(),
        "left": left_in(usable),
        "has_default": bool(actor.own_organisations),
    }
    return render(request, "bookings/funding/spending.html", context)


def _sums(on: tuple[SpentOn, ...]) -> list[dict[str, Any]]:
    """Return the sums, by currency, of what bookings of several instruments have cost and will cost, and what
    vouchers covered."""
    sums: dict[str, list[Decimal]] = {}
    for each in on:
        one = sums.setdefault(each.currency, [Decimal(0)] * 3)
        one[0] += each.has_cost
        one[1] += each.will_cost
        one[2] += each.covered
    return [
        {"currency": currency, "has_cost": a, "will_cost": b, "covered": c}
        for currency, (a, b, c) in sums.items()
    ]
