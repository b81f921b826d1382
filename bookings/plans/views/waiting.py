"""Pages of the waiting list: joining it, the offers made, leaving it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import Refused
from accounts.domain.roles import By
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import sharing_regions
from accounts.views.pages import act, by_of, edits, reads, writes
from bookings.catalogue.selectors.askers import load_block
from bookings.catalogue.views.payers import no_organisation, payer_of
from bookings.catalogue.views.refusals import refusal_text
from bookings.plans.forms.waiting import WaitingForm
from bookings.plans.models import WaitingWish
from bookings.plans.selectors.waiting import load_currencies, load_entries, load_hindrances, own_wishes
from bookings.plans.services.waiting import wish_make, wish_withdraw
from bookings.pricing.selectors.fees import load_terms
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.forms.fields import local_moment
from bookings.reserving.services.holds import hold_release
from instruments.policy.selectors.policies import load_policy
from instruments.reading.domain.clock import day_span, local_date
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_by_id

SHOWN = 100  # entries, the newest first; at most ten are waiting
WEEK = 7


@reads
def waiting(request: HttpRequest) -> HttpResponse:
    """Show the reader's waiting-list entries, with their place in line and offers, and the ended ones."""
    return _list(request)


def _list(request: HttpRequest, status: int = 200) -> HttpResponse:
    by = by_of(request)
    wishes = list(own_wishes(by.actor)[:SHOWN])
    entries = load_entries(wishes, by.now)
    present = [entry for entry in entries if entry.state == "waiting"]
    context = {
        "present": sorted(present, key=lambda e: (e.offer is None, e.wish.created_at)),
        "ended": [entry for entry in entries if entry.state != "waiting"],
        "currencies": load_currencies(wishes),
        "hindrances": load_hindrances([e.wish for e in present if e.offer is None], by.now),
    }
    return render(request, "bookings/plans/waiting.html", context, status=status)


@edits
def new(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Join the waiting list for an instrument."""
    by = by_of(request)
    instrument = instrument_by_id(by.actor, instrument_id)
    data = request.POST if request.method == "POST" else request.GET
    payer, payers = payer_of(by.actor, data.get("organisation"))
    if payer is None or not by.actor.may("book", place_of(payer)):
        return no_organisation(request, payer, instrument)
    regions = list(sharing_regions())
    form = _form(request, instrument, [region.code for region in regions], by.now)

    def page(status: int = 200, refused: Refused | None = None, **_: Any) -> HttpResponse:
        if isinstance(refused, RulesRefuse):
            for refusal in refused.refusals:
                form.say(refusal.code, refusal.numbers)
        elif refused is not None:
            form.say(refused.code, refused.numbers)
        card = load_terms(instrument, payer, by.now).card
        context = {
            "instrument": instrument,
            "payer": payer,
            "blocking": load_block(by.actor, instrument, by.actor.person, payer.pk, by.now),
            "payers": [one for one in payers if by.actor.may("book", place_of(one))],
            "regions": regions,
            "currency": card.values.currency if card else "",
            "form": form,
            "zone": instrument.facility.time_zone,
        }
        return render(request, "bookings/plans/waiting_new.html", context, status=status)

    def done(wish: WaitingWish) -> str:
        (entry,) = load_entries([wish], by.now)
        if entry.offer is not None:
            return gettext("A slot is free already: it is held for you.")
        return gettext("You are on the waiting list.")

    return act(
        request,
        page,
        lambda by, _: wish_make(by, values=form.values(instrument, payer.code)),
        to=reverse("bookings:waiting"),
        done=done,
        form=form,
    )


def _form(request: HttpRequest, instrument: Instrument, regions: list[str], now: datetime) -> WaitingForm:
    zone = instrument.facility.zone
    earliest, latest = _window(request, zone, now)
    minutes = request.GET.get("minutes", "")
    return WaitingForm(
        request.POST if request.method == "POST" else None,
        instrument=instrument,
        policy=load_policy(instrument.policy) if hasattr(instrument, "policy") else None,
        regions=regions,
        initial={
            "earliest": local_moment(earliest, zone),
            "latest": local_moment(latest, zone),
            "minutes": minutes if minutes.isdecimal() and len(minutes) < 6 else None,
            "service_mode": request.GET.get("service_mode", ""),
        },
    )


def _window(request: HttpRequest, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """Return the window of seven local days from the chosen day on, beginning today at the earliest."""
    day = local_date(zone, now)
    try:
        start = datetime.fromisoformat(request.GET.get("from", ""))
        day = max(day, local_date(zone, start) if start.tzinfo else start.date())
    except (ValueError, OverflowError):
        pass
    day = min(day, local_date(zone, now + timedelta(days=360)))
    first = day_span(zone, day)[0]
    soon = now + timedelta(minutes=30 - now.minute % 30)
    return max(first, soon), day_span(zone, day + timedelta(days=WEEK - 1))[1]


@writes
def withdraw(request: HttpRequest, wish_id: UUID) -> HttpResponse:
    """Leave the waiting list."""
    return _acted(
        request, lambda by, _: wish_withdraw(by, wish_id=wish_id), gettext("You have left the waiting list.")
    )


@writes
def decline(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    """Decline an offered slot, which goes to the next; the waiting-list entry remains."""
    return _acted(
        request,
        lambda by, _: hold_release(by, reservation_id=reservation_id),
        gettext("Declined: the slot goes to the next in line. You keep waiting for another time."),
    )


def _acted(request: HttpRequest, work: Callable[[By, Any], Any], done: str) -> HttpResponse:
    """Carry out an act on the waiting list and go back to the list, where a refusal is shown."""
    return act(
        request,
        partial(_list, request),
        work,
        to=reverse("bookings:waiting"),
        done=done,
        shows=lambda refused: messages.error(request, refusal_text(refused)),
    )
