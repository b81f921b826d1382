"""The booking form: what it costs, keeping the slot, reserving."""

from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import Actor, By
from accounts.models import Organisation
from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from accounts.selectors.users import member_named
from bookings.catalogue.forms.periods import PeriodForm, with_start
from bookings.catalogue.selectors.busy import load_busy
from bookings.catalogue.selectors.holds import holds_of, kept_for
from bookings.catalogue.selectors.parties import Booking
from bookings.catalogue.selectors.quotes import Quotation, load_quotation
from bookings.catalogue.views.choosing import lengths_with
from bookings.catalogue.views.payers import payer_of, standing_of
from bookings.catalogue.views.refusals import refusal_text, seconds_left
from bookings.funding.models import FundingSource
from bookings.funding.selectors.funding_sources import chargeable
from bookings.pricing.domain.quotes import quote_to_json
from bookings.pricing.selectors.fees import Asked, Terms, first_mode, load_terms
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import OVERRIDABLE, RulesRefuse
from bookings.record.forms.fields import local_moment
from bookings.record.messages import sentence
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import clashes_of
from bookings.reserving.forms.booking import BookingForm
from bookings.reserving.services.holds import hold_release, hold_take
from bookings.reserving.services.reservations import reservation_request
from instruments.domain.opening import local_date
from instruments.models import Instrument
from instruments.selectors.policies import load_policy
from instruments.selectors.registry import instrument_to_book


def options_of(terms: Terms) -> list[dict[str, Any]]:
    """The rate card's options, as the forms show them."""
    if terms.card is None:
        return []
    return [
        {"code": option.code, "unit": option.unit, "price": option.price}
        for option in terms.card.values.options
    ]


@login_required
def book(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """The booking form, with its quote; POST reserves, or takes another time that was offered
    and keeps what was typed."""
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_to_book(actor, instrument_id)
    data, is_sent = _sent_by(request, instrument)
    times = PeriodForm(data)
    if not times.is_valid():
        return redirect("bookings:instrument", instrument_id=instrument.pk)
    payer, payers = payer_of(actor, data.get("organisation"))
    standing = standing_of(actor, payer, instrument)
    if payer is None or not (standing.may_book or standing.for_others):
        context = {"instrument": instrument, "payer": payer}
        return render(request, "bookings/reserving/no_organisation.html", context, status=403)
    terms = load_terms(instrument, payer, times.period().start)
    kept = kept_for(actor.person, instrument.pk, payer.pk, times.period(), now)
    sources = sources_offered(instrument, payer, times.period(), actor, standing.for_others)
    initial = {
        "start": data["start"],
        "minutes": data["minutes"],
        "organisation": payer.code,
        "service_mode": _mode(data, kept, instrument, terms),
        "purpose": "research",
        "quantity": data.get("quantity", ""),
    }
    sent = {**initial, **(_values(data) if request.method == "POST" else {})}
    sent["organisation"] = payer.code
    form = BookingForm(
        sent if is_sent else None,
        instrument=instrument,
        options=options_of(terms),
        for_others=standing.for_others,
        only_for_others=not standing.may_book,
        may_override=standing.may_override,
        sources=sources,
        initial=sent,
    )
    refusals: Any = ()
    if is_sent and form.is_valid():
        try:
            reservation = reservation_request(By(actor, now), booking=form.booking(instrument))
        except RulesRefuse as refused:
            refusals = refused.refusals
        except Invalid as refused:
            form.refuse(refused.problems)
        except (WrongState, NotPermitted) as refused:
            form.add_error(None, sentence(refused.code, refused.numbers))
        else:
            if reservation.state == "confirmed":
                messages.success(request, gettext("Booked. A confirmation is on its way to you."))
            else:
                messages.success(request, gettext("Requested. The owner will answer you by mail."))
            return redirect("bookings:reservation", reservation_id=reservation.pk)
    wish = _wish(form, times, instrument, terms)
    quotation = _quotation(actor, instrument, payer, wish, now, form)
    shown = quotation.refusals or refusals
    context = _quote_context(instrument, payer, times, quotation) | {
        "form": form,
        "payers": payers,
        "refusals": shown,
        "may_override": standing.may_override
        and bool(shown)
        and {refusal.code for refusal in shown} <= set(OVERRIDABLE),
        "clashes": clashes_of(actor, times.period(), now) if standing.may_book else (),
        "busy": load_busy(actor.user_id, times.period()) if standing.may_book else (),
        # The slot is kept from the first field touched, by whoever books for themselves.
        "books_own": standing.may_book,
        "keeps_slot": standing.may_book and not shown and kept is None,
        "hold": kept,
        # A form that was refused keeps what it took, and gives it back when it is left.
        "gives_back": kept is not None and data.get("hold") == str(kept.pk),
        "seconds": seconds_left(kept, now) if kept else 0,
    }
    status = 409 if refusals else 400 if form.errors else 200
    return render(request, "bookings/reserving/book.html", context, status=status)


def _sent_by(request: HttpRequest, instrument: Instrument) -> tuple[QueryDict, bool]:
    """What a form sent, and whether it asks to reserve. The time typed by the instrument's clock,
    or the offered one that was taken, is its start."""
    data = request.POST if request.method == "POST" else request.GET
    start, _, minutes = data.get("take", "").partition(" ")
    if not minutes:
        zone = ZoneInfo(instrument.facility.time_zone)
        return with_start(data, zone), request.method == "POST"
    taken = data.copy()
    taken["start"], taken["minutes"] = start, minutes
    for name in ("take", "at", "hold", "override"):
        taken.pop(name, None)
    return taken, False


def _mode(data: QueryDict, kept: Reservation | None, instrument: Instrument, terms: Terms) -> str:
    """The way of service that the form names, else that of the hold, else the first priced."""
    if (mode := data.get("service_mode", "")) in instrument.service_modes:
        return mode
    return kept.service_mode if kept else first_mode(instrument, terms)


def sources_offered(
    instrument: Instrument,
    payer: Organisation | None,
    period: Period,
    actor: Actor,
    for_others: bool = False,
) -> list[FundingSource]:
    """The payer's funding sources that a booking form offers: those the reader may charge on the
    day; whoever books for others sees all."""
    if payer is None or payer.pk not in actor.organisations:
        return []
    day = local_date(ZoneInfo(instrument.facility.time_zone), period.start)
    return chargeable(payer, [actor.user_id], day, all_of_it=for_others)


def _values(post: QueryDict) -> dict[str, Any]:
    """The values that a form sent; several values of a name as a list."""
    return {
        name: values if name == "override" else values[-1]
        for name, values in post.lists()
        if values
    }


def _quotation(
    actor: Actor,
    instrument: Instrument,
    payer: Organisation | None,
    wish: Asked,
    now: datetime,
    form: BookingForm | None = None,
) -> Quotation:
    """Price and refusals of what the form asks for. The reader's own holds of the instrument do not
    block it: the form gives them back for its own."""
    here = holds_of(actor.person, now).filter(instrument=instrument)
    own = list(here.values_list("pk", flat=True))
    shares, made_for = form.shares_so_far() if form else (), None
    if form and shares and payer is not None and form.named:
        member = member_named(form.named, payer.pk)
        made_for = member.pk if member else None
    return load_quotation(
        instrument,
        payer,
        wish,
        now,
        user_id=actor.user_id,
        is_draft=True,
        without=own,
        shares=shares,
        made_for=made_for,
    )


@login_required
@require_POST
def hold(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Keep the slot of the form for ten minutes: a fragment that counts down."""
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_to_book(actor, instrument_id)
    times = PeriodForm(with_start(request.POST, ZoneInfo(instrument.facility.time_zone)))
    if not times.is_valid():
        return HttpResponse(status=400)
    booking = Booking(
        instrument_id=instrument.pk,
        period=times.period(),
        organisation=times.cleaned_data["organisation"] or None,
        service_mode=request.POST.get("service_mode", ""),
    )
    context: dict[str, Any] = {"instrument": instrument, "zone": instrument.facility.time_zone}
    try:
        kept = hold_take(By(actor, now), booking=booking, replaces=True)
    except RulesRefuse:
        # Somebody was faster, or the time was changed to one that cannot be booked. What refuses
        # it, and what passes instead, goes where the quote says it.
        return _refused(request, actor, instrument, times, now)
    except (Invalid, WrongState) as refused:
        context["hold_problem"] = refusal_text(refused)
        status = 409 if isinstance(refused, WrongState) else 400
    else:
        status = 200
        context |= {"hold": kept, "gives_back": True}
        context["seconds"] = seconds_left(kept, now)
    return render(request, "bookings/reserving/book.html#hold", context, status=status)


@login_required
@require_POST
def release(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Give back a slot that the form kept: the fragment without it, or the instrument's page. The
    page sends it too when it is left, and reads no answer. What became a booking meanwhile, or
    was offered by the waiting list, stays."""
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_to_book(actor, instrument_id)
    try:
        kept = UUID(request.POST.get("hold", ""))
    except ValueError:
        return HttpResponse(status=400)
    own = holds_of(actor.person, now).filter(pk=kept, instrument=instrument, waiting_offer=None)
    if own.exists():
        with suppress(NotFound, WrongState):  # somebody else's word came first
            hold_release(By(actor, now), reservation_id=kept)
    if "leaving" in request.POST:
        return HttpResponse(status=204)
    if request.htmx:  # type: ignore[attr-defined]
        context = {"instrument": instrument, "is_released": True}
        return render(request, "bookings/reserving/book.html#hold", context)
    return redirect("bookings:instrument", instrument_id=instrument.pk)


def _refused(
    request: HttpRequest, actor: Actor, instrument: Instrument, times: PeriodForm, now: datetime
) -> HttpResponse:
    """No hold: the fragment empty, and beside it why."""
    payer, _ = payer_of(actor, times.cleaned_data["organisation"])
    mode = request.POST.get("service_mode") or first_mode(
        instrument, load_terms(instrument, payer, times.period().start)
    )
    quotation = _quotation(actor, instrument, payer, Asked(times.period(), mode), now)
    context = _quote_context(instrument, payer, times, quotation) | {
        "is_beside": True,
        "books_own": True,
    }
    return render(request, "bookings/reserving/book.html#refusals", context, status=409)


def _wish(form: BookingForm, period: PeriodForm, instrument: Instrument, terms: Terms) -> Asked:
    """What the form asks a price for; what can be read of it, while it is not filled in."""
    if form.is_bound and form.is_valid():
        return form.asked()
    plain = BookingForm(
        {
            "start": period.data["start"],
            "minutes": period.data["minutes"],
            "service_mode": first_mode(instrument, terms),
            "purpose": "research",
            "quantity": period.data.get("quantity", ""),
        },
        instrument=instrument,
        options=[],
    )
    plain.is_valid()
    return plain.asked()


def _quote_context(
    instrument: Instrument, payer: Any, times: PeriodForm, quotation: Quotation
) -> dict[str, Any]:
    return {
        "instrument": instrument,
        "payer": payer,
        "period": times.period(),
        "minutes": times.cleaned_data["minutes"],
        "zone": instrument.facility.time_zone,
        "at": local_moment(times.period().start, ZoneInfo(instrument.facility.time_zone)),
        "lengths": lengths_with(
            load_policy(instrument.policy).lengths if hasattr(instrument, "policy") else (),
            times.cleaned_data["minutes"],
        ),
        "quotation": quotation,
        "quote": quote_to_json(quotation.quote, explained=True) if quotation.quote else None,
        "refusals": quotation.refusals,
        "unclear": quotation.problems[0] if quotation.problems else None,
        "parts": quotation.parts,
        "cancellation": quotation.terms.card.values.cancellation if quotation.terms.card else (),
    }


@login_required
def quote(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """The quote alone, for `hx-get` as the form changes."""
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_to_book(actor, instrument_id)
    times = PeriodForm(with_start(request.GET, ZoneInfo(instrument.facility.time_zone)))
    if not times.is_valid():
        return HttpResponse(status=400)
    payer, _ = payer_of(actor, request.GET.get("organisation"))
    terms = load_terms(instrument, payer, times.period().start)
    for_others = payer is not None and actor.may("book-for-members", place_of(payer))
    form = BookingForm(
        times.data,
        instrument=instrument,
        options=options_of(terms),
        for_others=for_others,
        sources=sources_offered(instrument, payer, times.period(), actor, for_others),
    )
    wish = _wish(form, times, instrument, terms)
    quotation = _quotation(actor, instrument, payer, wish, now, form)
    context = _quote_context(instrument, payer, times, quotation) | {
        "is_beside": True,
        "books_own": standing_of(actor, payer, instrument).may_book,
    }
    return render(request, "bookings/reserving/book.html#quote", context)
