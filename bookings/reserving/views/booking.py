"""The booking form: showing the price, holding the slot, reserving."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
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
from bookings.catalogue.views.payers import Standing, no_organisation, payer_of, standing_of
from bookings.catalogue.views.refusals import may_be_excepted, refusal_text, seconds_left
from bookings.funding.domain.defaults import NO_DEFAULT, Default
from bookings.funding.models import FundingSource
from bookings.funding.selectors.defaults import load_default
from bookings.funding.selectors.funding_sources import chargeable
from bookings.pricing.selectors.fees import PriceRequest, Terms, first_mode, load_terms
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import Refusal, RulesRefuse
from bookings.record.forms.fields import local_moment
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import clashes_of
from bookings.reserving.forms.booking import BookingForm, key_of
from bookings.reserving.selectors.placing import load_questions, require_unblocked
from bookings.reserving.services.holds import hold_release, hold_take
from bookings.reserving.services.reservations import reservation_request
from bookings.samples.domain.samples import MOST_AT_ONCE
from bookings.samples.selectors.receiving import load_arrivals
from bookings.samples.selectors.samples import hazards_of, joinable
from instruments.house_rules.selectors.house_rules import load_house_rules, rules_to_accept
from instruments.policy.selectors.policies import load_policy
from instruments.rates.domain.ratecards import OFFERED, Option
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_to_book

LINKED = frozenset({"purpose", "purpose_text", "samples", "quantity", "sample_items", "need"})


def options_of(terms: Terms, mode: str) -> list[Option]:
    """Return the rate card's options that are asked for with a booking in a way of working; required ones are
    part of its price, and others are added at check-out."""
    return list(terms.card.values.options_for(mode, OFFERED)) if terms.card else []


@edits
def book(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Show the booking form with its quote; POST reserves, or takes another time that was offered and keeps
    what was typed."""
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
    }
    values |= {  # several values of one name become a list
        name: several if name in {"override", "sample_items"} else several[-1]
        for name, several in data.lists()
        if several and (request.method == "POST" or _may_be_linked(name))
    }
    values["organisation"] = payer.code
    form = BookingForm(
        values if is_sent else None,
        instrument=instrument,
        options=options_of(terms, values["service_mode"]),
        actor=actor,
        for_others=standing.for_others,
        only_for_others=not standing.may_book,
        may_override=standing.may_override,
        sources=(sources := sources_offered(instrument, payer, period, actor, standing.for_others)),
        default=default_offered(payer, actor, sources),
        sample_items=list(joinable(actor)[:MOST_AT_ONCE]),
        questionnaire=load_questions(instrument),
        initial=values,
    )

    def page(status: int = 200, refused: Refused | None = None, **_: Any) -> HttpResponse:
        late: tuple[Refusal, ...] = ()  # refusals that came up only when it was tried
        if isinstance(refused, RulesRefuse):
            late = refused.refusals
        elif refused is not None:
            form.add_error(None, refusal_text(refused))
        wish = _wish(form, instrument, terms)
        quotation = _quotation(actor, instrument, payer, wish, now, form, data)
        refusals = quotation.refusals or late
        context = _quote_context(instrument, payer, times, quotation, wish) | {
            "form": form,
            "house_rules": rules_to_accept(load_house_rules(instrument, actor.user_id))
            if standing.may_book
            else None,
            "payers": payers,
            "kept_hours": kept_of(instrument, payer, now),
            **_beside(actor, standing, period, refusals, data, now),
            "mode": wish.service_mode,
            "arrives": _arrives(instrument, wish, period, now),
            "quantity": wish.quantity,
            # The slot is held from the first change of a field on, for people who book for themselves.
            "keeps_slot": standing.may_book and not refusals and kept is None,
            "hold": kept,
            # A form that was refused keeps its hold, and releases it when the page is left.
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
        done=lambda created: _done(created, actor),
        form=form,
    )


def _done(created: Reservation, actor: Actor) -> str:
    """Return what is said after an answer of the form: who will hear of it, and from whom."""
    if created.state != Reservation.State.CONFIRMED:
        return gettext("Requested. The owner will answer you by mail.")
    if created.user_id != actor.person:
        return gettext("Booked for {person}, who gets the confirmation.").format(person=created.user.name)
    return gettext("Booked. A confirmation is on its way to you.")


def _sent(request: HttpRequest, instrument: Instrument) -> tuple[QueryDict, bool]:
    """Return a form's values, and whether it asks to reserve. Its start is the time typed, in the
    instrument's time zone, or the offered time that was taken; with it, a way of working and a payer may be
    taken, too."""
    data = request.POST if request.method == "POST" else request.GET
    offered = data.get("take", "").split()
    if len(offered) < 2:
        return with_start(data, instrument.facility.zone), request.method == "POST"
    taken = data.copy()
    for name, value in zip(("start", "minutes", "service_mode", "organisation"), offered, strict=False):
        if value != "-":  # the form's own
            taken[name] = value
    for name in ("take", "hold", "override", *(["at"] if offered[0] != "-" else [])):
        taken.pop(name, None)
    return with_start(taken, instrument.facility.zone), False


def _beside(
    actor: Actor,
    standing: Standing,
    period: Period,
    refusals: Sequence[Refusal],
    data: QueryDict,
    now: datetime,
) -> dict[str, Any]:
    """Return context with what stands beside the fields and changes with them: what refuses the booking and
    who could allow it, and what else the person has at that time."""
    excepted = may_be_excepted(refusals)
    return {
        "refusals": refusals,
        "books_own": standing.may_book,
        "may_override": standing.may_override and excepted,
        "asks_exception": excepted and not standing.may_override,
        "ticked": data.getlist("override"),
        "reason": data.get("reason", ""),
        "clashes": clashes_of(actor, period, now) if standing.may_book else (),
        "busy": load_busy(actor.user_id, period) if standing.may_book else (),
    }


def _may_be_linked(name: str) -> bool:
    """Say whether an address may fill in a field: any that describes the booking, but none by which somebody
    accepts rules, overrides rules or books for another."""
    return name in LINKED or name.startswith("option_")


def _mode(data: QueryDict, kept: Reservation | None, instrument: Instrument, terms: Terms) -> str:
    """Return the service mode that the booking form names, otherwise that of the hold, otherwise the
    default."""
    if (mode := data.get("service_mode", "")) in instrument.service_modes:
        return mode
    return kept.service_mode if kept else first_mode(instrument, terms)


def sources_offered(
    instrument: Instrument, payer: Organisation | None, period: Period, actor: Actor, for_others: bool = False
) -> list[FundingSource]:
    """Return the payer's funding sources that a booking form offers: those that the reader may charge on the
    day, or all for somebody who books for others."""
    if payer is None or payer.pk not in actor.organisations:
        return []
    day = local_date(instrument.facility.zone, period.start)
    return chargeable(payer, [actor.user_id], day, all_of_it=for_others)


def default_offered(payer: Organisation | None, actor: Actor, sources: Sequence[FundingSource]) -> Default:
    """Return what is preselected of the sources that a form offers. One statement, none without sources."""
    return load_default(payer.pk, actor.person, sources) if payer and sources else NO_DEFAULT


def _reserve(by: By, booking: Booking) -> Reservation:
    """Reserve for the booking form, in which a missing permission is shown instead of as a page of its
    own."""
    try:
        return reservation_request(by, booking=booking)
    except NotPermitted as refused:
        raise WrongState(refused.code, **refused.numbers) from refused


def _quotation(
    actor: Actor,
    instrument: Instrument,
    payer: Organisation | None,
    wish: PriceRequest,
    now: datetime,
    form: BookingForm | None = None,
    data: QueryDict | None = None,
) -> Quotation:
    """Load the quotation. The reader's own holds on the instrument do not block it: the form completes the
    one for its time, and releases the others. The page requests its slot and the price at the same moment, so
    if a hold made just then takes the slot, it is loaded again."""
    shares, member = form.shares_so_far() if form else (), None
    if form and shares != () and payer is not None and form.named:
        member = member_named(form.named, payer.pk)
    ids = [as_uuid(text) for text in data.getlist("sample_items")] if data else []
    chosen = [pk for pk in ids if pk is not None]
    hazards = hazards_of(joinable(actor).filter(pk__in=chosen)) if chosen else ()
    holds = holds_of(actor.person, now).filter(instrument=instrument).select_related("rate_card")

    def load(own: Sequence[Reservation]) -> Quotation:
        held = {(hold.organisation_id, hold.start_at, hold.end_at): hold for hold in own}
        kept = None
        if payer is not None and not (form and form.named):
            kept = held.get((payer.pk, wish.period.start, wish.period.end))
        return load_quotation(
            instrument,
            payer,
            wish,
            now,
            hazards=hazards,
            user_id=actor.user_id,
            is_draft=True,
            without=[hold.pk for hold in own],
            shares=shares,
            made_for=member.pk if member else None,
            hold=kept,
        )

    own = list(holds)
    quotation = load(own)
    if any(refusal.code == "slot-taken" for refusal in quotation.refusals):
        own_by_now = list(holds.all())
        quotation = load(own_by_now) if own_by_now != own else quotation
    if payer is not None:
        try:
            person = member or (member_named(form.named, payer.pk) if form and form.named else None)
            require_unblocked(actor, instrument, person.pk if person else actor.person, payer.pk, now)
        except RulesRefuse as blocked:
            quotation = replace(quotation, refusals=(*blocked.refusals, *quotation.refusals))
    return quotation


@writes
def hold(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Hold the slot of the form for ten minutes, and return a fragment that counts down."""
    by = by_of(request)
    instrument = instrument_to_book(by.actor, instrument_id)
    times = PeriodForm(with_start(request.POST, instrument.facility.zone))
    if not times.is_valid():
        return HttpResponse(status=400)
    booking = Booking(
        instrument_id=instrument.pk,
        period=times.period(),
        organisation=times.cleaned_data["organisation"] or None,
        service_mode=request.POST.get("service_mode", ""),
    )
    context: dict[str, Any] = {"instrument": instrument, "zone": instrument.facility.time_zone}
    status = 200
    try:
        kept = hold_take(by, booking=booking, replaces=True)
        context |= {"hold": kept, "gives_back": True, "seconds": seconds_left(kept, by.now)}
    except RulesRefuse as refused:
        # Somebody was faster, or the time was changed to one that cannot be booked. The form then asks for
        # its quote again, so that what is refused is always what it has now.
        return HttpResponse(status=status_of(refused), headers={"HX-Trigger": "refused"})
    except (Invalid, WrongState) as refused:
        context["hold_problem"] = refusal_text(refused)
        status = status_of(refused)
    return render(request, "bookings/reserving/book.html#hold", context, status=status)


@writes
def release(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Release a slot that the form held, and return the fragment without it, or the instrument's page.
    Leaving the page also sends this request, without reading the answer. A slot that has become a booking
    meanwhile, or that the waiting list offered, stays."""
    by = by_of(request)
    instrument = instrument_to_book(by.actor, instrument_id)
    try:
        kept = UUID(request.POST.get("hold", ""))
    except ValueError:
        return HttpResponse(status=400)
    own = holds_of(by.actor.person, by.now)
    if own.filter(pk=kept, instrument=instrument, waiting_offer=None).exists():
        with suppress(NotFound, WrongState):  # it was completed or released meanwhile
            hold_release(by, reservation_id=kept)
    if "leaving" in request.POST:
        return HttpResponse(status=204)
    if request.htmx:  # type: ignore[attr-defined]
        context = {"instrument": instrument, "is_released": True}
        return render(request, "bookings/reserving/book.html#hold", context)
    return redirect("bookings:instrument", instrument_id=instrument.pk)


def _wish(form: BookingForm, instrument: Instrument, terms: Terms) -> PriceRequest:
    """Return the price request of the booking form, or as much of it as can be read while it is
    incomplete."""
    if form.is_bound and form.is_valid():
        return form.enquiry()
    given: Any = form.data if form.is_bound else form.initial
    names = ("start", "minutes", "service_mode", "quantity", *form.option_names)
    values = {name: given.get(name, "") for name in names} | {"purpose": "research"}
    if values["service_mode"] not in instrument.service_modes:
        values["service_mode"] = first_mode(instrument, terms)
    read = BookingForm(values, instrument=instrument, options=options_of(terms, values["service_mode"]))
    read.is_valid()
    return read.enquiry()


def _arrives(instrument: Instrument, wish: PriceRequest, period: Period, now: datetime) -> datetime | None:
    """Return from when samples posted now can be worked on, if that is after a booking would start."""
    arrives = load_arrivals([instrument], wish.service_mode, now).get(instrument.pk, now)
    return arrives if arrives > period.start else None


def _quote_context(
    instrument: Instrument, payer: Any, times: PeriodForm, quotation: Quotation, wish: PriceRequest
) -> dict[str, Any]:
    period, minutes = times.period(), times.cleaned_data["minutes"]
    policy = load_policy(instrument.policy) if hasattr(instrument, "policy") else None
    return shown_quotation(quotation) | {
        "instrument": instrument,
        "payer": payer,
        "is_internal": payer is not None and payer.pk == instrument.organisation_id,
        "price_for": key_of(wish),
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
    """Return the quote alone, for `hx-get` as the form changes."""
    by = by_of(request)
    instrument = instrument_to_book(by.actor, instrument_id)
    times = PeriodForm(with_start(request.GET, instrument.facility.zone))
    if not times.is_valid():
        return HttpResponse(status=400)
    payer, _ = payer_of(by.actor, request.GET.get("organisation"))
    terms = load_terms(instrument, payer, times.period().start)
    standing = standing_of(by.actor, payer, instrument)
    mode = _mode(request.GET, None, instrument, terms)
    options = options_of(terms, mode)
    # After another way of working was chosen, the form shows its options instead of those it has.
    offered = {f"option_{option.code}" for option in options}
    sent: Any = times.data
    data = sent.copy()
    gone = {name for name in data if name.startswith("option_")} - offered
    for name in gone:
        del data[name]
    form = BookingForm(
        data,
        instrument=instrument,
        options=options,
        actor=by.actor,
        for_others=standing.for_others,
        sources=(
            sources := sources_offered(instrument, payer, times.period(), by.actor, standing.for_others)
        ),
        default=default_offered(payer, by.actor, sources),
    )
    wish = _wish(form, instrument, terms)
    quotation = _quotation(by.actor, instrument, payer, wish, by.now, form, request.GET)
    context = _quote_context(instrument, payer, times, quotation, wish)
    refusals = quotation.refusals
    context |= _beside(by.actor, standing, times.period(), refusals, request.GET, by.now)
    context |= {"is_beside": True, "mode": wish.service_mode, "quantity": wish.quantity}
    context |= {
        "form": form,
        "arrives": _arrives(instrument, wish, times.period(), by.now),
        "changes_options": offered != {n for n in request.GET if n.startswith("option_")},
    }
    return render(request, "bookings/reserving/book.html#quote", context)
