"""The choice of a time on an instrument's page: what it costs and what refuses it, beside the calendar and
before the form."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.domain.roles import Actor
from accounts.models import Organisation
from accounts.permissions import actor_of
from bookings.availability.selectors.kept_hours import kept_of
from bookings.catalogue.forms.periods import PeriodForm, quantity_of, with_start
from bookings.catalogue.selectors.askers import load_block
from bookings.catalogue.selectors.catalogue import load_offers
from bookings.catalogue.selectors.holds import holds_of
from bookings.catalogue.selectors.quotes import Quotation, load_quotation
from bookings.catalogue.views.events import instant
from bookings.catalogue.views.payers import payer_of, standing_of
from bookings.catalogue.views.refusals import may_be_excepted
from bookings.catalogue.views.weeks import asked_mode, week_of
from bookings.pricing.domain.quotes import quote_to_json
from bookings.pricing.selectors import fees
from bookings.pricing.selectors.agreements import load_recognised
from bookings.record.forms.fields import local_moment
from bookings.samples.selectors.receiving import load_arrivals
from instruments.policy.selectors.policies import load_policy
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_to_book
from instruments.training.selectors.qualifications import load_qualifying

NEXT = 4  # free starts named first
# Nothing is known about visitors, so refusals about the person are left out.
OF_PERSONS = frozenset(
    {
        "audience-not-served",
        "not-permitted",
        "qualification-missing",
        "qualification-expires",
        "hours-for-certified",
        "hours-for-organisation",
        "hours-for-region",
    }
)


def choose(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Show the part of the instrument's page beside its calendar, for `hx-get`."""
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_to_book(actor, instrument_id)
    payer, payers = payer_of(actor, request.GET.get("organisation"))
    context = {
        "instrument": instrument,
        "payer": payer,
        "payers": payers,
        **choice_of(actor, instrument, payer, request, now),
    }
    if "choice" not in context:
        backing = fees.load_backing(payer, instruments=[instrument])
        terms = fees.load_terms(instrument, payer, now, backing=backing)
        mode = context["mode"] or fees.first_mode(instrument, terms)
        context |= {
            "terms": terms,
            "mode": mode,
            "my_rate": rate_of(terms, mode),
            "qualifying": load_qualifying(actor.user_id, instrument, now, load_recognised),
        }
        shown = week_of(actor, instrument, payer, request, now, backing=backing)
        context |= shown | next_free(actor, instrument, payer, shown, now, terms)
    return render(request, "bookings/catalogue/choice.html", context)


def rate_of(terms: fees.Terms, mode: str) -> Decimal | None:
    """Return the payer's rate per hour or sample in a way of working; None if there is none."""
    card = terms.card_for(mode)
    return card.rates.get(terms.price_group) if card else None


def next_free(
    actor: Actor,
    instrument: Instrument,
    payer: Organisation | None,
    shown: dict[str, Any],
    now: datetime,
    terms: fees.Terms,
) -> dict[str, Any]:
    """Return context with the first free starts, of the week shown or else of the next three weeks, and the
    price of the first. `terms`: the payer's terms of today."""
    usual = fees.first_mode(instrument, terms)
    mode = shown.get("service_mode") or usual
    arrives = load_arrivals([instrument], mode, now).get(instrument.pk, now)
    every = [start for day in shown["days"] for start in day["starts"]]
    starts = [start for start in every if start >= arrives][:NEXT]
    quote = shown.get("next_quote") if starts == every[: len(starts)] else None
    if not starts and shown["days"]:
        # Whoever may not operate it alone yet still sees when it is free.
        offers = load_offers(
            [instrument],
            payer,
            now,
            user_id=actor.user_id,
            minutes=shown["minutes"],
            mode=mode if mode == "entrusted" else None,
        )
        starts, quote = list(offers[instrument.pk].starts), None
        if mode == usual:  # of which the price is
            quote = offers[instrument.pk].quote
    zone = instrument.facility.zone
    return {
        "next_quote": quote,
        "next_voucher": next((g for g in terms.grants if quote and g.code == quote.voucher), None),
        "card": terms.card_for(mode),
        "least": fees.least_minutes(terms, mode),
        "way": fees.way_priced(instrument, terms, mode),
        "on_top": fees.added_on_top(instrument, terms, mode),
        "next_starts": starts,
        "at": local_moment(starts[0], zone) if starts else "",
    }


def choice_of(
    actor: Actor,
    instrument: Instrument,
    payer: Organisation | None,
    request: HttpRequest,
    now: datetime,
    terms: fees.Terms | None = None,
) -> dict[str, Any]:
    """Return the context for the choice of a time: the time in the address with its quote, or none. `terms`:
    the payer's terms of today, if known."""
    zone = instrument.facility.zone
    policy = load_policy(instrument.policy) if hasattr(instrument, "policy") else None
    standing = standing_of(actor, payer, instrument)
    payer_id = payer.pk if payer else None
    context: dict[str, Any] = {
        "zone": zone.key,
        "blocking": load_block(actor, instrument, actor.user_id, payer_id, now) if actor.user_id else None,
        "policy": policy,
        "may_book": standing.may_book or standing.for_others,
        "books_own": standing.may_book,
        "kept_hours": kept_of(instrument, payer if actor.user_id else None, now),
        "modes": [
            (mode, label)
            for mode, label in Instrument.ServiceMode.choices
            if mode in instrument.service_modes
        ],
        "mode": asked_mode(request.GET, instrument),
    }
    form = PeriodForm(with_start(request.GET, zone))
    if policy is None or not form.is_valid():
        context["misread"] = policy is not None and "at" in request.GET
        return context
    period, minutes = form.period(), form.cleaned_data["minutes"]
    terms = terms or fees.load_terms(instrument, payer, period.start)
    mode = context["mode"] or fees.first_mode(instrument, terms)
    quantity = quantity_of(request.GET)
    own = holds_of(actor.person, now).filter(instrument=instrument) if actor.user_id else None
    quotation = load_quotation(
        instrument,
        payer,
        fees.PriceRequest(period, mode, quantity=quantity),
        now,
        user_id=actor.user_id,
        is_draft=True,
        without=list(own.values_list("pk", flat=True)) if own is not None else (),
    )
    refusals = [r for r in quotation.refusals if actor.user_id or r.code not in OF_PERSONS]
    return context | {
        "choice": {"start": instant(period.start), "end": instant(period.end)},
        "period": period,
        "minutes": minutes,
        "at": local_moment(period.start, zone),
        "lengths": lengths_with(policy.lengths, minutes),
        "mode": mode,
        "quantity": quantity,
        "is_internal": payer is not None and payer.pk == instrument.organisation_id,
        "refusals": refusals,
        "asks_exception": standing.may_book and not standing.may_override and may_be_excepted(refusals),
        **shown_quotation(quotation),
    }


def shown_quotation(quotation: Quotation) -> dict[str, Any]:
    """Return the context that shows a quotation, without its refusals."""
    return {
        "quotation": quotation,
        "quote": quote_to_json(quotation.quote, explained=True) if quotation.quote else None,
        "minimum": quotation.minimum,
        "is_reversed": quotation.terms.is_reversed,
        "by_hour": quotation.terms.card.values.by_hour if quotation.terms.card else (),
        "unclear": quotation.problems[0] if quotation.problems else None,
    }


def lengths_with(lengths: Sequence[int], minutes: int) -> list[int]:
    """Return the lengths to choose from, including the one requested."""
    return sorted({*lengths, minutes})
