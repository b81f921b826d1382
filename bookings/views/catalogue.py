"""The catalogue and an instrument's page."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext

from accounts.domain.errors import Invalid
from accounts.domain.roles import Actor
from accounts.models import Organisation
from accounts.permissions import actor_of
from accounts.selectors.memberships import organisations_of
from accounts.selectors.organisations import payer_for
from bookings.domain.periods import Period
from bookings.forms import CatalogueForm
from bookings.selectors.availability import load_calendar
from bookings.selectors.catalogue import at_most, free_between, load_offers
from bookings.selectors.fees import group_of, load_terms
from bookings.services.demand import demand_searched
from instruments.domain.opening import day_span, local_date
from instruments.domain.ratecards import PRICE_GROUPS
from instruments.models import Instrument
from instruments.selectors.registry import instrument_by_id
from instruments.selectors.search import facets, search

PAGE = 18
MOST = 2000  # that a price is compared for


def payer_of(actor: Actor, named: str | None) -> tuple[Organisation | None, list[Organisation]]:
    """The organisation a page is for and those to choose from. The first of several, until
    the reader chooses: a page, unlike a program, can show which it took."""
    choices = list(organisations_of(actor)) if actor.user_id else []
    try:
        return payer_for(actor, named), choices
    except Invalid:
        return (choices[0] if choices else None), choices


def catalogue(request: HttpRequest) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    form = CatalogueForm(request.GET)
    zone = ZoneInfo(actor.time_zone) if actor.user_id else ZoneInfo("UTC")
    with timezone.override(zone):
        form.is_valid()
    criteria = form.criteria()
    payer, payers = payer_of(actor, request.GET.get("organisation"))
    context: dict[str, Any] = {
        "form": form,
        "criteria": criteria,
        "facets": facets(actor),
        "payer": payer,
        "payers": payers,
        "zone": zone.key,
    }
    if form.errors:
        # What was asked could not be read: showing everything would look like an answer.
        context |= {"results": [], "total": 0}
    elif criteria.wants_time:
        found = free_between(actor, criteria, payer, now, after=None, size=60)
        if not found and payer is not None:
            demand_searched(actor=actor, organisation=payer, criteria=criteria, now=now)
        context |= {"results": found, "total": len(found)}
    else:
        asked = criteria.minutes if request.GET.get("minutes") else None
        instruments: Any = search(actor, criteria)
        if criteria.max_price is not None:
            instruments = at_most(list(instruments[:MOST]), payer, criteria, now)
        page = Paginator(instruments, PAGE).get_page(request.GET.get("page"))
        shown = list(page.object_list)
        offers = load_offers(shown, payer, now, minutes=asked)
        results = [(instrument, offers[instrument.pk]) for instrument in shown]
        context |= {"results": results, "page": page, "total": page.paginator.count}
    return render(request, "bookings/catalogue.html", context)


def instrument(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    found = instrument_by_id(actor, instrument_id)
    payer, payers = payer_of(actor, request.GET.get("organisation"))
    terms = load_terms(found, payer, now)
    context = {
        "instrument": found,
        "payer": payer,
        "payers": payers,
        "terms": terms,
        "rates": _rates(terms, group_of(found, payer)),
        "is_managed": found.organisation_id in actor.organisations_where("manage-instruments"),
        **week_of(found, payer, request, now),
    }
    return render(request, "bookings/instrument.html", context)


def week(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """The week of free starts alone, for `hx-get`."""
    now, actor = timezone.now(), actor_of(request.user)
    found = instrument_by_id(actor, instrument_id)
    payer, _ = payer_of(actor, request.GET.get("organisation"))
    context = {"instrument": found, "payer": payer, **week_of(found, payer, request, now)}
    return render(request, "bookings/instrument.html#week", context)


def _rates(terms: Any, mine: str) -> list[dict[str, Any]]:
    if terms.card is None:
        return []
    names = {
        "internal": gettext("the owner's own people"),
        "regional": gettext("organisations of the same region"),
        "partner": gettext("organisations of partner regions"),
        "external": gettext("organisations of other regions"),
        "industry": gettext("enterprises"),
    }
    return [
        {
            "group": group,
            "name": names[group],
            "rate": terms.card.values.rates.get(group),
            "is_mine": group == mine,
        }
        for group in PRICE_GROUPS
    ]


def week_of(
    instrument: Instrument, payer: Organisation | None, request: HttpRequest, now: datetime
) -> dict[str, Any]:
    """Seven local days with the starts a booking of some length may take, and what is taken."""
    zone = ZoneInfo(instrument.facility.time_zone)
    today = local_date(zone, now)
    first = _date(request.GET.get("week"), today)
    span = Period(day_span(zone, first)[0], day_span(zone, first + timedelta(days=6))[1])
    calendar = load_calendar(instrument, span, now)
    if calendar is None:
        return {"days": [], "zone": zone.key}
    policy = calendar.policy
    lengths = _lengths(policy.min_minutes, policy.max_minutes, policy.slot_minutes)
    minutes = _number(request.GET.get("minutes"), lengths, policy.usual_minutes)
    group = group_of(instrument, payer)
    starts = calendar.starts(
        minutes=minutes,
        price_group=group,
        within=span.padded(0, minutes),
        now=now,
    )
    by_day: dict[date, list[datetime]] = {}
    for start in starts:
        by_day.setdefault(local_date(zone, start), []).append(start)
    days = []
    for offset in range(7):
        day = first + timedelta(days=offset)
        within = Period(*day_span(zone, day))
        days.append(
            {
                "date": day,
                "is_today": day == today,
                "starts": by_day.get(day, []),
                "is_open": bool(calendar.opened(within)),
                "is_closed": any(kind == "closure" for _, kind in calendar.busy(within)),
            }
        )
    return {
        "days": days,
        "zone": zone.key,
        "minutes": minutes,
        "lengths": lengths,
        "week": first,
        "next_week": first + timedelta(days=7),
        "last_week": first - timedelta(days=7) if first > today else None,
        "policy": policy,
        "horizon": policy.horizon_for(group),
    }


def _lengths(shortest: int, longest: int, slot: int) -> list[int]:
    """The lengths to choose from: every slot at first, then wider steps, the longest last."""
    lengths = [
        m
        for m in range(shortest, longest + 1, slot)
        if m <= 4 * 60 or m % 120 == 0 or m == shortest
    ]
    return [*lengths[:24], *([longest] if longest not in lengths[:24] else [])]


def _date(given: str | None, today: date) -> date:
    try:
        asked = date.fromisoformat(given or "")
    except ValueError:
        return today
    return min(max(asked, today), today + timedelta(days=760))


def _number(given: str | None, choices: list[int], usual: int) -> int:
    asked = int(given) if given and given.isdecimal() and len(given) < 7 else 0
    return asked if asked in choices else usual
