"""Where money begins: what waits for the reader, and what to keep an eye on."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.permissions import actor_of
from accounts.views.pages import reads
from bookings.overview.selectors.money import TO_WATCH, load_waiting
from bookings.pricing.selectors.agreements import own_regions
from bookings.settlement.selectors.papers import load_invoicing


@reads
def money(request: HttpRequest) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    waiting = load_waiting(actor, now)
    context = {
        "invoicing": load_invoicing(actor),
        "waiting": [each for each in waiting if each.what not in TO_WATCH],
        "watched": [each for each in waiting if each.what in TO_WATCH],
        "today": timezone.localdate(now),
        "accounts": bool(actor.organisations_where("account")),
        "coordinates": bool(own_regions(actor)),
        "audits": actor.has("auditor"),
        "manages": actor.has("manager"),
    }
    return render(request, "bookings/overview/money.html", context)
