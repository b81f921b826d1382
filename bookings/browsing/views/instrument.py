"""An instrument's page, and the week of its free starts."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.domain.errors import NotFound
from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from accounts.views.pages import opens
from bookings.browsing.selectors.lists import load_starred
from bookings.browsing.selectors.ratings import load_rating
from bookings.browsing.views.comparing import chosen_of
from bookings.catalogue.views.choosing import choice_of, next_free, rate_of
from bookings.catalogue.views.payers import payer_of, standing_of
from bookings.catalogue.views.weeks import week_of
from bookings.pricing.selectors.agreements import load_recognised, recognised_regions
from bookings.pricing.selectors.fees import Terms, first_mode, load_backing, load_terms
from bookings.samples.selectors.receiving import receiving_of
from instruments.attachments.selectors.attachments import attachments_of, load_pictures
from instruments.capabilities.selectors.capabilities import capabilities_of, load_unstated
from instruments.exchange.views.linked_data import linked_data, page_address
from instruments.managing.selectors.duplicates import successor_of
from instruments.managing.selectors.quality import load_qualities
from instruments.opening.domain.opening import parse_hours
from instruments.rates.domain.ratecards import PRICE_GROUPS
from instruments.rates.messages import PRICE_GROUP_LABELS
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.register.selectors.registry import PUBLIC, instrument_by_id, instrument_to_book
from instruments.training.selectors.qualifications import load_qualifying
from instruments.training.selectors.training import courses_giving


@opens
def instrument(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    try:
        row = instrument_by_id(actor, instrument_id)
    except NotFound:
        if successor := successor_of(instrument_id):
            return redirect("bookings:instrument", instrument_id=successor, permanent=True)
        raise
    if row.merged_into_id:
        return redirect("bookings:instrument", instrument_id=row.merged_into_id)
    payer, payers = payer_of(actor, request.GET.get("organisation"))
    backing = load_backing(payer, instruments=[row])
    terms = load_terms(row, payer, now, backing=backing)
    qualifying = load_qualifying(actor.user_id, row, now, load_recognised)
    today = local_date(row.facility.zone, now)
    attached = attachments_of(row)
    shown = week_of(actor, row, payer, request, now, backing=backing)
    choice = choice_of(actor, row, payer, request, now, terms)
    # The price is of this way of working, so the form that asks for one begins with it.
    mode = choice["mode"] = choice["mode"] or first_mode(row, terms)
    abilities = list(capabilities_of(row.pk))
    # Courses are for those whom the host does not block.
    lacks = qualifying is not None and not qualifying.is_held and choice["blocking"] is None
    context = {
        "linked_data": linked_data(row, attached) if row.publication in PUBLIC else None,
        "page_address": page_address(row),
        "instrument": row,
        "payer": payer,
        "payers": payers,
        "terms": terms,
        "ways": _ways(row, terms),
        "qualifying": qualifying,
        "offers": courses_giving(row, now) if lacks else (),
        "recognised": recognised_regions(row.region_id, today) if qualifying and qualifying.technique else [],
        "attachments": attached,
        "by_post": receiving_of(row.facility_id)
        if "entrusted" in row.service_modes and actor.user_id
        else None,
        **chosen_of(request),
        "starred": load_starred(actor, [row]),
        "picture": None if row.photo_count else load_pictures([row])[row.pk],
        "abilities": abilities,
        "unstated": load_unstated(row, abilities, actor.user_id) if row.publication in PUBLIC else [],
        "mark": load_qualities([row], now)[row.pk].mark,
        "rating": load_rating(row.pk),
        "opening": parse_hours(row.schedule.hours) if row.schedule else None,
        "is_managed": actor.may("manage-instruments", place_of(row.organisation, row)),
        "is_operated": actor.may("operate-instruments", place_of(row.organisation, row)),
        "my_rate": rate_of(terms, mode),
        **shown,
        **choice,
        **({} if "choice" in choice else next_free(actor, row, payer, shown, now, terms)),
    }
    return render(request, "bookings/browsing/instrument.html", context)


def week(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Show only the week of free starts, for `hx-get`."""
    now, actor = timezone.now(), actor_of(request.user)
    row = instrument_to_book(actor, instrument_id)
    payer, _ = payer_of(actor, request.GET.get("organisation"))
    standing = standing_of(actor, payer, row)
    context = {
        "instrument": row,
        "payer": payer,
        "may_book": standing.may_book or standing.for_others,
        "books_own": standing.may_book,
        **week_of(actor, row, payer, request, now),
    }
    return render(request, "bookings/catalogue/week.html", context)


def _ways(instrument: Instrument, terms: Terms) -> list[dict[str, Any]]:
    """Return what the card in force says of each way of working that has prices of its own; of all of them at
    once, if it has one rate."""
    if terms.card is None:
        return []
    whole, offered = terms.card.values, instrument.service_modes
    rows = [[mode for mode in row.modes if mode in offered] for row in whole.usage] or [offered]
    return [
        {
            "modes": modes if whole.usage else [],
            "card": (card := whole.for_mode(modes[0])),
            "rates": [
                {
                    "name": PRICE_GROUP_LABELS[group],
                    "rate": card.rates.get(group),
                    "is_mine": group == terms.price_group,
                }
                for group in PRICE_GROUPS
            ],
            "options": [
                (option, [] if set(modes) <= set(option.modes or modes) else option.modes)
                for option in card.options
                if any(option.is_for(mode) for mode in modes)
            ],
        }
        for modes in rows
        if modes
    ]
