"""The booking form: what it costs, keeping the slot, reserving."""

from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import Invalid, NotFound, NotPermitted, Refused, WrongState
from accounts.domain.roles import Actor, By
from accounts.models import Organisation
from accounts.selectors.rows import as_uuid
from accounts.selectors.users import member_named
from accounts.views.pages import act, by_of, edits, reads, status_of, writes
from bookings.availability.selectors.kept_hours import kept_of
from bookings.catalogue.forms.periods import PeriodForm, with_start
from bookings.catalogue.selectors.busy import load_busy
from bookings.catalogue.selectors.holds import holds_of, kept_for
from bookings.catalogue.selectors.parties import Booking
from bookings.catalogue.selectors.quotes import Quotation, load_quotation
from bookings.catalogue.views.choosing import lengths_with, shown_quotation
from bookings.catalogue.views.payers import no_organisation, payer_of, standing_of
from bookings.catalogue.views.refusals import refusal_text, seconds_left
from bookings.funding.models import FundingSource
from bookings.funding.selectors.funding_sources import chargeable
from bookings.pricing.selectors.fees import Asked, Terms, first_mode, load_terms
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import OVERRIDABLE, Refusal, RulesRefuse
from bookings.record.forms.fields import local_moment
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import clashes_of
from bookings.reserving.forms.booking import BookingForm
from bookings.reserving.services.holds import hold_release, hold_take
from bookings.reserving.services.reservations import reservation_request
from bookings.samples.domain.samples import MOST_AT_ONCE
from bookings.samples.selectors.samples import hazards_of, joinable
from instruments.domain.opening import local_date
from instruments.models import Instrument
from instruments.selectors.house_rules import load_house_rules, rules_to_accept
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


@edits
def book(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """The booking form, with its quote; POST reserves, or takes another time that was offered
    and keeps what was typed."""
    by = by_of(request)
    now, actor = by.now, by.actor
    instrument = instrument_to_book(actor, instrument_id)
    data, is_sent = _sent(request, instrument)
    times = PeriodForm(data)
    if not times.is_valid():
        return redirect("bookings:instrument", instrument_id=instrument.pk)
    period = times.period()
    payer, payers = payer_of(actor, data.get("organisation"))
    standing = standing_of(actor, payer, instrument)
    if payer is None or not (standing.may_book or standing.for_others):
        return no_organisation(request, payer, instrument)
    terms = load_terms(instrument, payer, period.start)
    kept = kept_for(actor.person, instrument.pk, payer.pk, period, now)
    values: dict[str, Any] = {
        "start": data["start"],
        "minutes": data["minutes"],
        "service_mode": _mode(data, kept, instrument, terms),
        "purpose": "research",
        "quantity": data.get("quantity", ""),
    }
    if request.method == "POST":  # several values of a name are a list
        values |= {
            name: several if name in {"override", "sample_items"} else several[-1]
            for name, several in data.lists()
            if several
        }
    values["organisation"] = payer.code
    form = BookingForm(
        values if is_sent else None,
        instrument=instrument,
        options=options_of(terms),
        for_others=standing.for_others,
        only_for_others=not standing.may_book,
        may_override=standing.may_override,
        sources=sources_offered(instrument, payer, period, actor, standing.for_others),
        sample_items=list(joinable(actor)[:MOST_AT_ONCE]),
        initial=values,
    )

    def page(status: int = 200, refused: Refused | None = None, **_: Any) -> HttpResponse:
        late: tuple[Refusal, ...] = ()  # what refused it only when it was tried
        if isinstance(refused, RulesRefuse):
            late = refused.refusals
        elif refused is not None:
            form.add_error(None, refusal_text(refused))
        wish = _wish(form, times, instrument, terms)
        quotation = _quotation(actor, instrument, payer, wish, now, form, data)
        refusals = quotation.refusals or late
        context = _quote_context(instrument, payer, times, quotation) | {
            "form": form,
            "house_rules": rules_to_accept(load_house_rules(instrument, actor.user_id))
            if standing.may_book
            else None,
            "payers": payers,
            "kept_hours": kept_of(instrument, payer, now),
            "refusals": refusals,
            "may_override": standing.may_override
            and bool(refusals)
            and {refusal.code for refusal in refusals} <= set(OVERRIDABLE),
            "clashes": clashes_of(actor, period, now) if standing.may_book else (),
            "busy": load_busy(actor.user_id, period) if standing.may_book else (),
            # The slot is kept from the first field touched, by whoever books for themselves.
            "books_own": standing.may_book,
            "keeps_slot": standing.may_book and not refusals and kept is None,
            "hold": kept,
            # A form that was refused keeps what it took, and gives it back when it is left.
            "gives_back": kept is not None and data.get("hold") == str(kept.pk),
            "seconds": seconds_left(kept, now) if kept else 0,
        }
        return render(request, "bookings/reserving/book.html", context, status=status)

    if not is_sent:
        return page()
    return act(
        request,
        page,
        lambda by, _: _reserve(by, form.booking(instrument)),
        to=lambda created: reverse("bookings:reservation", args=[created.pk]),
        done=lambda created: (
            gettext("Booked. A confirmation is on its way to you.")
            if created.state == "confirmed"
            else gettext("Requested. The owner will answer you by mail.")
        ),
        form=form,
    )


def _sent(request: HttpRequest, instrument: Instrument) -> tuple[QueryDict, bool]:
    """Return a form's values, and whether it asks to reserve. The time typed by the instrument's
    clock, or the offered one that was taken, is its start."""
    data = request.POST if request.method == "POST" else request.GET
    start, _, minutes = data.get("take", "").partition(" ")
    if not minutes:
        return with_start(data, instrument.facility.zone), request.method == "POST"
    taken = data.copy()
    taken["start"], taken["minutes"] = start, minutes
    for name in ("take", "at", "hold", "override"):
        taken.pop(name, None)
    return taken, False


def _mode(data: QueryDict, kept: Reservation | None, instrument: Instrument, terms: Terms) -> str:
    """Return the mode that the form names, else that of the hold, else the first."""
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
    day = local_date(instrument.facility.zone, period.start)
    return chargeable(payer, [actor.user_id], day, all_of_it=for_others)


def _reserve(by: By, booking: Booking) -> Reservation:
    """Reserve; who may not set rules aside is told so in the form."""
    try:
        return reservation_request(by, booking=booking)
    except NotPermitted as refused:
        raise WrongState(refused.code, **refused.numbers) from refused


def _quotation(
    actor: Actor,
    instrument: Instrument,
    payer: Organisation | None,
    wish: Asked,
    now: datetime,
    form: BookingForm | None = None,
    data: QueryDict | None = None,
) -> Quotation:
    """Load the quotation. One's own holds here are in nobody's way: the form gives them back for
    its own."""
    own = holds_of(actor.person, now).filter(instrument=instrument)
    shares, member = form.shares_so_far() if form else (), None
    if form and shares and payer is not None and form.named:
        member = member_named(form.named, payer.pk)
    ids = [as_uuid(text) for text in data.getlist("sample_items")] if data else []
    chosen = [pk for pk in ids if pk is not None]
    return load_quotation(
        instrument,
        payer,
        wish,
        now,
        hazards=hazards_of(joinable(actor).filter(pk__in=chosen)) if chosen else (),
        user_id=actor.user_id,
        is_draft=True,
        without=list(own.values_list("pk", flat=True)),
        shares=shares,
        made_for=member.pk if member else None,
    )


@writes
def hold(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Keep the slot of the form for ten minutes: a fragment that counts down."""
    by = by_of(request)
    instrument = instrument_to_book(by.actor, instrument_id)
    times = PeriodForm(with_start(request.POST, instrument.facility.zone))
    if not times.is_valid():
        return HttpResponse(status=400)
    mode = request.POST.get("service_mode", "")
    booking = Booking(
        instrument_id=instrument.pk,
        period=times.period(),
        organisation=times.cleaned_data["organisation"] or None,
        service_mode=mode,
    )
    context: dict[str, Any] = {"instrument": instrument, "zone": instrument.facility.time_zone}
    status = 200
    try:
        kept = hold_take(by, booking=booking, replaces=True)
        context |= {"hold": kept, "gives_back": True, "seconds": seconds_left(kept, by.now)}
    except RulesRefuse as refused:
        # Somebody was faster, or the time was changed to one that cannot be booked. What refuses
        # it, and what passes instead, goes where the quote says it.
        payer, _ = payer_of(by.actor, times.cleaned_data["organisation"])
        mode = mode or first_mode(instrument, load_terms(instrument, payer, booking.period.start))
        wish = Asked(booking.period, mode)
        quotation = _quotation(by.actor, instrument, payer, wish, by.now)
        context = _quote_context(instrument, payer, times, quotation)
        context |= {"is_beside": True, "books_own": True}
        fragment = "bookings/reserving/book.html#refusals"
        return render(request, fragment, context, status=status_of(refused))
    except (Invalid, WrongState) as refused:
        context["hold_problem"] = refusal_text(refused)
        status = status_of(refused)
    return render(request, "bookings/reserving/book.html#hold", context, status=status)


@writes
def release(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Give back a slot that the form kept: the fragment without it, or the instrument's page. The
    page sends it too when it is left, and reads no answer. What became a booking meanwhile, or
    was offered by the waiting list, stays."""
    by = by_of(request)
    instrument = instrument_to_book(by.actor, instrument_id)
    try:
        kept = UUID(request.POST.get("hold", ""))
    except ValueError:
        return HttpResponse(status=400)
    own = holds_of(by.actor.person, by.now)
    if own.filter(pk=kept, instrument=instrument, waiting_offer=None).exists():
        with suppress(NotFound, WrongState):  # somebody else's word came first
            hold_release(by, reservation_id=kept)
    if "leaving" in request.POST:
        return HttpResponse(status=204)
    if request.htmx:  # type: ignore[attr-defined]
        context = {"instrument": instrument, "is_released": True}
        return render(request, "bookings/reserving/book.html#hold", context)
    return redirect("bookings:instrument", instrument_id=instrument.pk)


def _wish(form: BookingForm, times: PeriodForm, instrument: Instrument, terms: Terms) -> Asked:
    """Return what the form asks a price for; what can be read of it, while it is not filled in."""
    if not (form.is_bound and form.is_valid()):
        values = {
            "start": times.data["start"],
            "minutes": times.data["minutes"],
            "service_mode": first_mode(instrument, terms),
            "purpose": "research",
            "quantity": times.data.get("quantity", ""),
        }
        form = BookingForm(values, instrument=instrument, options=[])
        form.is_valid()
    return form.enquiry()


def _quote_context(
    instrument: Instrument, payer: Any, times: PeriodForm, quotation: Quotation
) -> dict[str, Any]:
    period, minutes = times.period(), times.cleaned_data["minutes"]
    policy = load_policy(instrument.policy) if hasattr(instrument, "policy") else None
    return shown_quotation(quotation) | {
        "instrument": instrument,
        "payer": payer,
        "period": period,
        "minutes": minutes,
        "zone": instrument.facility.time_zone,
        "at": local_moment(period.start, instrument.facility.zone),
        "lengths": lengths_with(policy.lengths if policy else (), minutes),
        "refusals": quotation.refusals,
        "parts": quotation.parts,
        "cancellation": quotation.terms.card.values.cancellation if quotation.terms.card else (),
    }


@reads
def quote(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """The quote alone, for `hx-get` as the form changes."""
    by = by_of(request)
    instrument = instrument_to_book(by.actor, instrument_id)
    times = PeriodForm(with_start(request.GET, instrument.facility.zone))
    if not times.is_valid():
        return HttpResponse(status=400)
    payer, _ = payer_of(by.actor, request.GET.get("organisation"))
    terms = load_terms(instrument, payer, times.period().start)
    standing = standing_of(by.actor, payer, instrument)
    form = BookingForm(
        times.data,
        instrument=instrument,
        options=options_of(terms),
        for_others=standing.for_others,
        sources=sources_offered(instrument, payer, times.period(), by.actor, standing.for_others),
    )
    wish = _wish(form, times, instrument, terms)
    quotation = _quotation(by.actor, instrument, payer, wish, by.now, form, request.GET)
    context = _quote_context(instrument, payer, times, quotation)
    context |= {"is_beside": True, "books_own": standing.may_book}
    return render(request, "bookings/reserving/book.html#quote", context)
