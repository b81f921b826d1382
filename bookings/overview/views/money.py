"""The first page of money: what needs the reader's attention, and what to keep an eye on."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.permissions import actor_of
from accounts.selectors.waits import kinds, load_waiting
from accounts.views.pages import reads
from bookings.overview.selectors.standing import load_accounted
from bookings.pricing.selectors.agreements import own_regions
from bookings.settlement.selectors.papers import (
    load_invoicing,
    load_payers_unnamed,
    load_unpayable_from_abroad,
)


@reads
def money(request: HttpRequest) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    waiting = load_waiting(
        actor, now, [kind for kind in kinds().values() if kind.entry.startswith("bookings:money")]
    )
    context: dict[str, Any] = {
        "invoicing": load_invoicing(actor),
        "unnamed": load_payers_unnamed(actor),
        "unpayable": load_unpayable_from_abroad(actor),
        "waiting": [each for each in waiting if not kinds()[each.what].watched],
        "watched": [each for each in waiting if kinds()[each.what].watched],
        "today": timezone.localdate(now),
        "accounts": bool(actor.organisations_where("account")),
        "coordinates": bool(own_regions(actor)),
        "audits": actor.has("auditor"),
        "manages": actor.has("manager"),
    }
    if context["accounts"]:
        context["accounted"] = load_accounted(actor, now, context["today"])
    return render(request, "bookings/overview/money.html", context)
