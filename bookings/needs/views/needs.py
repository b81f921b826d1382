"""Pages for describing a need, correcting how it was understood, and reading which instruments meet it."""

from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from accounts.domain.errors import NotFound
from accounts.domain.roles import By
from accounts.selectors.memberships import organisations_of, place_of
from accounts.selectors.organisations import sharing_regions
from accounts.views.pages import act, bare, by_of, chooses, edits, reads, shown, writes
from bookings.browsing.selectors.lists import load_starred
from bookings.browsing.views.comparing import chosen_of, wishes_of
from bookings.catalogue.views.payers import no_organisation, payer_of
from bookings.needs.domain.matching import WEIGHTS, loses
from bookings.needs.domain.needs import is_searching, may_ask, need_state
from bookings.needs.forms.needs import NeedForm, ReaderForm, kept_requirements
from bookings.needs.messages import GATES, LABELS, PARTS, reasons_of
from bookings.needs.models import Need
from bookings.needs.selectors.batches import load_offers_to
from bookings.needs.selectors.matches import JudgedInstrument, load_answer, load_matches, wanted_of
from bookings.needs.selectors.needs import (
    NEEDS,
    keeps,
    load_requirements,
    need_by_id,
    outcome_of,
    own_need,
    shown_need,
)
from bookings.needs.services.needs import MOST_TERMS, NeedValues, need_change, need_make
from bookings.record.views.lists import ListPage
from instruments.capabilities.selectors.capabilities import load_asked
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_by_id
from instruments.search.domain.search import Criteria
from instruments.search.selectors.search import search
from instruments.vocabulary.domain.needs import NeedTerm
from instruments.vocabulary.messages import required_text
from instruments.vocabulary.selectors.needs import load_need_terms, load_parameters, load_understood

SHOWN, CAME_NEAR = 20, 5


LIST = ListPage("bookings/needs/needs.html", NEEDS, shown=lambda row, by: shown_need(row, by.now))


@reads
def needs(request: HttpRequest) -> HttpResponseBase:
    """List the reader's needs, and for managers those of their organisation."""
    by = by_of(request)
    may_book = any(by.actor.may("book", place_of(one)) for one in organisations_of(by.actor))
    return LIST.answer(request, by, may_book=may_book)


@edits
def new(request: HttpRequest) -> HttpResponse:
    """Describe what one wants to find out; POST stores it and shows the instruments that meet it. A term
    chosen for the text, which is in the address, stays chosen while the text is unchanged."""
    by = by_of(request)
    payer, payers = payer_of(by.actor, request.POST.get("organisation"))
    payers = [one for one in payers if by.actor.may("book", place_of(one))]
    if payer is None or not payers:
        return no_organisation(request, payer)
    form = NeedForm(
        request.POST if request.method == "POST" else None,
        zone=ZoneInfo(by.actor.time_zone),
        regions=sharing_regions(),
        now=by.now,
        initial={"text": request.GET.get("text", "")[:2000]},
    )

    def values() -> NeedValues:
        term, text = request.GET.get("term"), request.GET.get("text", "").strip()
        given = form.values()
        return replace(given, terms=[term]) if term and given.text.strip() == text else given

    fields: Any = form.fields
    fields["organisation"].choices = [(one.code, str(one)) for one in payers]
    return act(
        request,
        partial(shown, request, "bookings/needs/edit.html", payers=payers, currency=payer.region.currency),
        lambda by, _: need_make(by, values=values()),
        to=lambda need: reverse("bookings:need", args=[need.pk]),
        form=form,
    )


@edits
def change(request: HttpRequest, need_id: UUID) -> HttpResponse:
    """Change the description of a need."""
    by = by_of(request)
    need = own_need(by.actor, need_id)
    form = NeedForm(
        request.POST if request.method == "POST" else None,
        zone=ZoneInfo(by.actor.time_zone),
        regions=sharing_regions(),
        need=need,
        now=by.now,
    )
    return act(
        request,
        partial(shown, request, "bookings/needs/edit.html", need=need, currency=need.currency),
        lambda by, _: need_change(by, need_id=need.pk, values=form.values(need)),
        to=reverse("bookings:need", args=[need.pk]),
        form=form,
    )


@reads
def need(
    request: HttpRequest, need_id: UUID, status: int = 200, refused: Any = None, **forms: Any
) -> HttpResponse:
    """Show how a need was understood, and the instruments that meet it, with reasons; `why` asks about one in
    particular."""
    by = by_of(request)
    row = shown_need(need_by_id(by.actor, need_id), by.now)
    outcome = outcome_of(row)
    question = wanted_of(row)
    parameters = load_parameters()
    is_open = is_searching(need_state(outcome, by.now))
    answers = load_matches(question, by.now) if is_open else []
    awaited = load_asked([answer.instrument.pk for answer in answers], by.actor.user_id)
    fitting = [
        (answer, reasons_of(answer, question, parameters, awaited), [LABELS[x] for x in answer.match.labels])
        for answer in answers[:SHOWN]
        if answer.match is not None
    ]
    context = {
        "need": row,
        "refused": refused,
        "offers": [one for one in load_offers_to(by.actor, by.now) if one.need_id == row.pk],
        "is_own": row.user_id == by.actor.user_id,
        "notes_shown": keeps(by.actor, row),
        "may_share": row.user_id == by.actor.user_id
        or by.actor.may("book-for-members", place_of(row.organisation)),
        "is_open": is_open,
        "is_asked": outcome.asked_until is not None and outcome.asked_until > by.now,
        "may_ask": row.user_id == by.actor.user_id and may_ask(outcome, by.now),
        "terms": row.chosen,  # type: ignore[attr-defined]
        "others": _others(row),
        "requirements": [
            (each.parameter, parameters.get(each.parameter), required_text(each, parameters))
            for each in load_requirements(row)
        ],
        "matches": [each for each in fitting if not each[0].is_near],
        "neighbours": [each for each in fitting if each[0].is_near],
        "number": sum(answer.match is not None and not answer.is_near for answer in answers),
        "near": [
            (answer, GATES[answer.gate])
            for answer in answers
            if answer.match is None and answer.gate != "technique"
        ][:CAME_NEAR],
        "modes": [label for mode, label in Instrument.ServiceMode.choices if mode in row.modes],
        "starred": load_starred(by.actor, [answer.instrument for answer in answers]),
        **chosen_of(
            request,
            question.requirements,
            organisation=row.organisation.code,
            **wishes_of(row.earliest, row.latest, row.minutes, row.modes),
        ),
        "why": _why(request, by, row, answers) if is_open else None,
        "reader_form": ReaderForm(),
        **forms,
    }
    return render(request, "bookings/needs/need.html", context, status=status)


@writes
@chooses("add", "remove", "requirement")
def correct(request: HttpRequest, need_id: UUID, choice: str) -> HttpResponse:
    """Remove a term or a requirement, or add a term."""
    by = by_of(request)
    row = own_need(by.actor, need_id)
    values = values_of(row)
    code = request.POST.get("code", "")
    match choice:
        case "add":
            values = replace(values, terms=[*row.terms, code][-MOST_TERMS:])
        case "requirement":
            kept = [each for each in kept_requirements(row) if each["parameter"] != code]
            values = replace(values, requirements=kept)
        case _:
            values = replace(values, terms=[each for each in row.terms if each != code])
    return act(
        request,
        partial(bare(need), request, need_id),
        lambda by, _: need_change(by, need_id=need_id, values=values),
        to=reverse("bookings:need", args=[need_id]),
    )


def values_of(need: Need) -> NeedValues:
    """Return a need as values, for the service that changes it."""
    return NeedValues(
        text=need.text,
        earliest=need.earliest,
        latest=need.latest,
        minutes=need.minutes,
        terms=need.terms,
        requirements=kept_requirements(need),
        sample=need.sample,
        quantity=need.quantity,
        modes=need.modes,
        regions=[region.code for region in need.regions.all()],
        budget=need.budget,
        weights=need.weights,
        is_flexible=need.is_flexible,
    )


def _why(request: HttpRequest, by: By, need: Need, answers: list[JudgedInstrument]) -> dict[str, Any] | None:
    """Say why an instrument that somebody asks about, by its name or id, is where it is in the list, or
    missing."""
    text = request.GET.get("why", "").strip()[:200]
    if not text:
        return None
    instrument = _meant(by, text)
    if instrument is None:
        return {"asked": text}
    question = wanted_of(need)
    places = {a.instrument.pk: n for n, a in enumerate(answers, 1) if a.match is not None}
    answer = next((a for a in answers if a.instrument.pk == instrument.pk), None)
    answer = answer or load_answer(question, instrument, by.now)
    first = next((a for a in answers if a.match is not None), None)
    loses_by = None
    if answer.match and first and first.match and first.instrument.pk != instrument.pk:
        loses_by = PARTS[loses(answer.match, first.match, question.weights or WEIGHTS)]
    return {
        "asked": text,
        "instrument": instrument,
        "place": places.get(instrument.pk),
        "code": answer.gate,
        "gate": GATES.get(answer.gate),
        "reasons": reasons_of(answer, question, load_parameters()),
        "loses_by": loses_by,
        "first": first.instrument if first else None,
    }


def _others(need: Need) -> list[NeedTerm]:
    """Return further possible meanings of a need; none of a text that the catalogue does not understand."""
    if not load_understood(need.text).terms:
        return []
    return [term for term in load_need_terms(need.text) if term.code not in set(need.terms)]


def _meant(by: By, text: str) -> Instrument | None:
    try:
        return instrument_by_id(by.actor, UUID(text))
    except (ValueError, NotFound):
        return search(Criteria(text=text)).first()
