"""The waiting list: asking to be told, what is offered, withdrawing."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.domain.errors import Invalid, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import sharing_regions
from bookings.catalogue.views.payers import payer_of
from bookings.catalogue.views.refusals import refusal_text
from bookings.plans.forms.waiting import WaitingForm
from bookings.plans.selectors.waiting import (
    load_currencies,
    load_entries,
    load_hindrances,
    own_wishes,
)
from bookings.plans.services.waiting import wish_make, wish_withdraw
from bookings.pricing.selectors.fees import load_terms
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.forms.fields import local_moment
from bookings.reserving.services.holds import hold_release
from instruments.domain.opening import day_span, local_date
from instruments.models import Instrument
from instruments.selectors.policies import load_policy
from instruments.selectors.registry import instrument_by_id

SHOWN = 100  # wishes, the newest first; ten at most wait
WEEK = 7


@login_required
@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    """What one waits for, with one's place in line and what is offered; what became of others."""
    return _list(request)


def _list(request: HttpRequest, status: int = 200) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    wishes = list(own_wishes(actor)[:SHOWN])
    entries = load_entries(wishes, now)
    present = [entry for entry in entries if entry.state == "waiting"]
    context = {
        "present": sorted(present, key=lambda e: (e.offer is None, e.wish.created_at)),
        "ended": [entry for entry in entries if entry.state != "waiting"],
        "currencies": load_currencies(wishes),
        "hindrances": load_hindrances([e.wish for e in present if e.offer is None], now),
    }
    return render(request, "bookings/plans/waiting.html", context, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Ask to be told when something comes free; POST puts it on the list."""
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_by_id(actor, instrument_id)
    data = request.POST if request.method == "POST" else request.GET
    payer, payers = payer_of(actor, data.get("organisation"))
    if payer is None or not actor.may("book", place_of(payer)):
        nobody = {"instrument": instrument, "payer": payer}
        return render(request, "bookings/reserving/no_organisation.html", nobody, status=403)
    may_book = [item for item in payers if actor.may("book", place_of(item))]
    regions = list(sharing_regions())
    form = _form(request, instrument, [region.code for region in regions], now)
    if form.is_bound and form.is_valid():
        try:
            wish = wish_make(By(actor, now), wanted=form.wanted(instrument, payer.code))
        except Invalid as refused:
            form.refuse(refused.problems)
        except RulesRefuse as refused:
            for refusal in refused.refusals:
                form.say(refusal.code, refusal.numbers)
        except (WrongState, NotPermitted) as refused:
            form.say(refused.code, refused.numbers)
        else:
            (entry,) = load_entries([wish], now)
            if entry.offer is not None:
                messages.success(request, gettext("A slot is free already: it is held for you."))
            else:
                messages.success(request, gettext("You are on the waiting list."))
            return redirect("bookings:waiting")
    card = load_terms(instrument, payer, now).card
    context: dict[str, Any] = {
        "instrument": instrument,
        "payer": payer,
        "payers": may_book,
        "regions": regions,
        "currency": card.values.currency if card else "",
        "form": form,
        "zone": instrument.facility.time_zone,
    }
    status = 400 if form.errors else 200
    return render(request, "bookings/plans/waiting_new.html", context, status=status)


def _form(
    request: HttpRequest,
    instrument: Instrument,
    regions: list[str],
    now: datetime,
) -> WaitingForm:
    zone = ZoneInfo(instrument.facility.time_zone)
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
    """Seven local days from the one that was looked at, not from the past."""
    day = local_date(zone, now)
    try:
        asked = datetime.fromisoformat(request.GET.get("from", ""))
        day = max(day, local_date(zone, asked) if asked.tzinfo else asked.date())
    except (ValueError, OverflowError):
        pass
    day = min(day, local_date(zone, now + timedelta(days=360)))
    first = day_span(zone, day)[0]
    soon = now + timedelta(minutes=30 - now.minute % 30)
    return max(first, soon), day_span(zone, day + timedelta(days=WEEK - 1))[1]


@login_required
@require_POST
def withdraw(request: HttpRequest, wish_id: UUID) -> HttpResponse:
    """Wait no longer."""
    now, actor = timezone.now(), actor_of(request.user)
    return _answered(
        request,
        lambda: wish_withdraw(By(actor, now), wish_id=wish_id),
        gettext("You have left the waiting list."),
    )


@login_required
@require_POST
def decline(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    """Leave what is offered to the next; the wish goes on waiting."""
    now, actor = timezone.now(), actor_of(request.user)
    return _answered(
        request,
        lambda: hold_release(By(actor, now), reservation_id=reservation_id),
        gettext("Declined: it goes to the next in line. You keep waiting for another time."),
    )


def _answered(request: HttpRequest, act: Any, done: str) -> HttpResponse:
    """Carry out an act and go back to the list; a refusal is said there."""
    try:
        act()
    except (WrongState, WrongVersion) as refused:
        messages.error(request, refusal_text(refused))
        return _list(request, status=409)
    messages.success(request, done)
    return redirect("bookings:waiting")
