"""Where money begins: what waits for the reader, and what to keep an eye on."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.permissions import actor_of
from bookings.overview.selectors.money import TO_WATCH, load_waiting
from bookings.pricing.selectors.agreements import own_regions
from bookings.settlement.selectors.papers import load_invoicing


@login_required
@require_safe
def money(request: HttpRequest) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    found = load_waiting(actor, now)
    context = {
        "invoicing": load_invoicing(actor),
        "waiting": [each for each in found if each.what not in TO_WATCH],
        "watched": [each for each in found if each.what in TO_WATCH],
        "today": timezone.localdate(now),
        "accounts": bool(actor.organisations_where("account")),
        "coordinates": bool(own_regions(actor)),
        "audits": actor.has("auditor"),
        "manages": actor.has("manager"),
    }
    return render(request, "bookings/overview/money.html", context)
