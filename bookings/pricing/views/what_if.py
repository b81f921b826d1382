"""The page that prices the last year of an instrument by another version of its rate card."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from accounts.views.pages import reads
from bookings.pricing.selectors.what_if import MOST, what_if
from instruments.rates.selectors.ratecards import load_card, rate_cards_of
from instruments.register.selectors.registry import instrument_to_manage


@reads
def compare(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Show the comparison with the chosen version; without a choice, with the newest draft, or the newest
    version."""
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_to_manage(actor, instrument_id, "read-money")
    rows = [row for row in rate_cards_of(instrument) if row.replaced_at is None]
    version = request.GET.get("version", "")
    drafts = [row for row in rows if row.published_at is None]
    row = next((row for row in rows if str(row.version) == version), next(iter([*drafts, *rows]), None))
    compared = what_if(actor, instrument_id, load_card(row).values, now) if row else None
    context = {
        "instrument": instrument,
        "versions": rows,
        "row": row,
        "compared": compared,
        "most": MOST,
        "may_manage": actor.may("manage-instruments", place_of(instrument.organisation, instrument)),
    }
    return render(request, "bookings/pricing/what_if.html", context)
