"""Booking, my bookings, one booking."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.domain.errors import Invalid, WrongState, WrongVersion
from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from bookings.domain.availability import RulesRefuse
from bookings.domain.quotes import quote_to_json
from bookings.domain.reservations import CHECK_IN_BEFORE, effective_state
from bookings.forms import BookingForm, CheckOutForm, PeriodForm, ReasonForm
from bookings.messages import sentence
from bookings.models import Reservation
from bookings.selectors.charges import cancellation_now
from bookings.selectors.fees import Asked, Quotation, Terms, load_quotation, load_terms
from bookings.selectors.reservations import own_reservations, reservation_by_id
from bookings.selectors.trail import story_of
from bookings.services.reservations import reservation_cancel, reservation_request
from bookings.views.catalogue import payer_of
from instruments.models import Instrument
from instruments.selectors.registry import instrument_by_id

# The names the rules give to fields that are called otherwise here.
_FIELDS = {"samples": "quantity"}


def _options(terms: Any) -> list[dict[str, Any]]:
    if terms.card is None:
        return []
    return [
        {"code": option.code, "unit": option.unit, "price": option.price}
        for option in terms.card.values.options
    ]


@login_required
def book(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """The booking form, with its quote; POST reserves."""
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_by_id(actor, instrument_id)
    data = request.POST if request.method == "POST" else request.GET
    asked = PeriodForm(data)
    if not asked.is_valid():
        return redirect("bookings:instrument", instrument_id=instrument.pk)
    payer, payers = payer_of(actor, data.get("organisation"))
    if payer is None or not actor.may("book", place_of(payer)):
        context = {"instrument": instrument, "payer": payer}
        return render(request, "bookings/no_organisation.html", context, status=403)
    terms = load_terms(instrument, payer, asked.period().start)
    initial = {
        "start": data["start"],
        "minutes": data["minutes"],
        "organisation": payer.code,
        "service_mode": _first_mode(instrument, terms),
        "purpose": "research",
        "quantity": data.get("quantity", ""),
    }
    sent = {**initial, **data.dict(), "organisation": payer.code}
    form = BookingForm(
        sent if request.method == "POST" else None,
        instrument=instrument,
        options=_options(terms),
        initial=initial,
    )
    refusals: Any = ()
    if request.method == "POST" and form.is_valid():
        try:
            made = reservation_request(actor=actor, booking=form.booking(instrument), now=now)
        except RulesRefuse as refused:
            refusals = refused.refusals
        except Invalid as refused:
            for problem in refused.problems:
                name = _FIELDS.get(problem.field) or problem.field.replace("options.", "option_")
                text = sentence(problem.code, problem.numbers)
                form.add_error(name if name in form.fields else None, text)
        else:
            if made.state == "confirmed":
                messages.success(request, gettext("Booked. A confirmation is on its way to you."))
            else:
                messages.success(request, gettext("Requested. The owner will answer you by mail."))
            return redirect("bookings:reservation", reservation_id=made.pk)
    wish = _asked(form, asked, instrument, terms)
    quotation = load_quotation(instrument, payer, wish, now, is_draft=True)
    context = _quote_context(instrument, payer, asked, quotation) | {
        "form": form,
        "payers": payers,
        "refusals": refusals or quotation.refusals,
    }
    status = 409 if refusals else 400 if form.errors else 200
    return render(request, "bookings/book.html", context, status=status)


def _first_mode(instrument: Instrument, terms: Terms) -> str:
    """The way of service a form begins with: the only one that a price by the sample knows,
    else the first that is offered."""
    modes = instrument.service_modes
    by_sample = terms.card is not None and terms.card.values.rate_unit == "sample"
    if by_sample and "entrusted" in modes:
        return "entrusted"
    return modes[0] if modes else ""


def _asked(form: BookingForm, period: PeriodForm, instrument: Instrument, terms: Terms) -> Asked:
    """What the form asks a price for; what can be read of it, while it is not filled in."""
    if form.is_bound and form.is_valid():
        return form.asked()
    plain = BookingForm(
        {
            "start": period.data["start"],
            "minutes": period.data["minutes"],
            "service_mode": _first_mode(instrument, terms),
            "purpose": "research",
            "quantity": period.data.get("quantity", ""),
        },
        instrument=instrument,
        options=[],
    )
    plain.is_valid()
    return plain.asked()


def _quote_context(
    instrument: Instrument, payer: Any, asked: PeriodForm, quotation: Quotation
) -> dict[str, Any]:
    return {
        "instrument": instrument,
        "payer": payer,
        "period": asked.period(),
        "minutes": asked.cleaned_data["minutes"],
        "zone": instrument.facility.time_zone,
        "quotation": quotation,
        "quote": quote_to_json(quotation.quote, explained=True) if quotation.quote else None,
        "refusals": quotation.refusals,
        "unclear": quotation.problems[0] if quotation.problems else None,
        "cancellation": quotation.terms.card.values.cancellation if quotation.terms.card else (),
    }


@login_required
def quote(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """The quote alone, for `hx-get` as the form changes."""
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_by_id(actor, instrument_id)
    asked = PeriodForm(request.GET)
    if not asked.is_valid():
        return HttpResponse(status=400)
    payer, _ = payer_of(actor, request.GET.get("organisation"))
    terms = load_terms(instrument, payer, asked.period().start)
    form = BookingForm(request.GET, instrument=instrument, options=_options(terms))
    wish = _asked(form, asked, instrument, terms)
    quotation = load_quotation(instrument, payer, wish, now, is_draft=True)
    context = _quote_context(instrument, payer, asked, quotation)
    return render(request, "bookings/book.html#quote", context)


@login_required
def mine(request: HttpRequest) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    own = own_reservations(actor)
    upcoming = own.filter(end_at__gt=now, state__in=["held", "requested", "confirmed", "in_use"])
    page = Paginator(own.exclude(pk__in=upcoming.values("pk")), 20).get_page(
        request.GET.get("page")
    )
    context = {
        "upcoming": [shown(r, now) for r in upcoming.order_by("start_at", "id")[:200]],
        "past": [shown(r, now) for r in page.object_list],
        "page": page,
    }
    return render(request, "bookings/mine.html", context)


def shown(reservation: Reservation, now: Any) -> Reservation:
    """The reservation with the state it has at this moment."""
    state = effective_state(reservation.state, reservation.deadline_at, now)
    reservation.shown_state = state  # type: ignore[attr-defined]
    reservation.shown_label = Reservation.State(state).label  # type: ignore[attr-defined]
    return reservation


@login_required
def reservation(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    return reservation_page(request, reservation_id)


def reservation_page(
    request: HttpRequest, reservation_id: UUID, status: int = 200, **forms: Any
) -> HttpResponse:
    """The page of one booking; `forms` are those that came back with something wrong."""
    now, actor = timezone.now(), actor_of(request.user)
    found = shown(reservation_by_id(actor, reservation_id), now)
    state = found.shown_state  # type: ignore[attr-defined]
    is_own = actor.user_id in {found.user_id, found.made_by_id}
    is_host = actor.may("manage-instruments", place_of(found.host))
    may_act = is_own or is_host
    quoted = found.quotes.filter(is_current=True).first()
    may_cancel = (may_act or actor.may("book-for-members", place_of(found.organisation))) and (
        state == "requested" or (state == "confirmed" and found.end_at > now)
    )
    context = {
        "reservation": found,
        "zone": found.instrument.facility.time_zone,
        "quote": quoted.result if quoted else None,
        "session": getattr(found, "session", None),
        "charge": getattr(found, "charge", None),
        "is_own": is_own,
        "is_host": is_host,
        "may_cancel": may_cancel,
        "cancellation": cancellation_now(found, now) if may_cancel and not is_host else None,
        "may_check_in": may_act
        and state == "confirmed"
        and found.start_at - CHECK_IN_BEFORE <= now < found.end_at,
        "check_in_opens": found.start_at - CHECK_IN_BEFORE,
        "may_check_out": may_act and state == "in_use",
        "may_decide": is_host and not is_own and state == "requested",
        "reason_form": ReasonForm(initial={"version": found.version}),
        "check_out_form": CheckOutForm(),
        "story": story_of(actor, found.pk),
        **forms,
    }
    return render(request, "bookings/reservation.html", context, status=status)


def answered(request: HttpRequest, reservation_id: UUID, act: Any, done: str) -> HttpResponse:
    """Carry out an act on a booking and go back to its page; a refusal is shown there."""
    try:
        act()
    except (WrongState, WrongVersion, RulesRefuse, Invalid) as refused:
        messages.error(request, refusal_text(refused))
        return reservation_page(request, reservation_id, status=409)
    messages.success(request, done)
    return redirect("bookings:reservation", reservation_id=reservation_id)


def refusal_text(refused: WrongState | WrongVersion | RulesRefuse | Invalid) -> str:
    if isinstance(refused, RulesRefuse):
        return " ".join(sentence(r.code, r.numbers) for r in refused.refusals)
    if isinstance(refused, Invalid):
        return " ".join(sentence(p.code, p.numbers) for p in refused.problems)
    return sentence(refused.code, refused.numbers)


@login_required
@require_POST
def cancel(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return reservation_page(request, reservation_id, status=400, reason_form=form)
    data = form.cleaned_data
    return answered(
        request,
        reservation_id,
        lambda: reservation_cancel(
            actor=actor,
            reservation_id=reservation_id,
            reason=data["reason"],
            expected_version=data["version"],
            now=now,
        ),
        gettext("Cancelled."),
    )
