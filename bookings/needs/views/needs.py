"""Needs: describing one, correcting what it was taken for, the instruments that answer it."""

from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotFound
from accounts.domain.roles import By
from accounts.selectors.memberships import organisations_of, place_of
from accounts.selectors.organisations import sharing_regions
from accounts.views.pages import act, by_of, edits, reads, shown, writes
from bookings.browsing.selectors.lists import load_starred
from bookings.browsing.views.comparing import chosen_of
from bookings.catalogue.views.payers import no_organisation, payer_of
from bookings.needs.domain.matching import WEIGHTS, loses
from bookings.needs.forms.needs import NeedForm, kept_requirements
from bookings.needs.messages import GATES, LABELS, PARTS, reasons_of
from bookings.needs.models import Need
from bookings.needs.selectors.batches import load_offers_to
from bookings.needs.selectors.matches import Answer, load_answer, load_matches, wanted_of
from bookings.needs.selectors.needs import (
    load_chosen,
    load_requirements,
    need_by_id,
    needs_for,
    own_need,
)
from bookings.needs.services.needs import (
    MOST_TERMS,
    NeedValues,
    need_change,
    need_make,
    need_share,
    need_unshare,
    need_withdraw,
)
from bookings.record.adapters.figures import Cell
from bookings.record.views.lists import ListPage
from instruments.domain.search import Criteria
from instruments.messages import required_text
from instruments.models import Instrument
from instruments.selectors.capabilities import load_asked
from instruments.selectors.needs import load_need_terms, load_parameters
from instruments.selectors.registry import instrument_by_id
from instruments.selectors.search import search

SHOWN, CAME_NEAR = 20, 5


HEADS = (
    "need", "text", "terms", "person", "payer", "earliest", "latest", "minutes", "budget",
    "currency", "state", "made",
)  # fmt: skip


def _shown(need: Need, by: By) -> Need:
    need.chosen = load_chosen(need.terms)  # type: ignore[attr-defined]
    return need


def _cells(need: Need, by: By) -> tuple[Cell, ...]:
    return (
        str(need.pk),
        need.text,
        ", ".join(need.terms),
        str(need.user),
        need.organisation.code,
        need.earliest.isoformat(),
        need.latest.isoformat(),
        need.minutes,
        need.budget,
        need.currency,
        need.state,
        need.created_at.isoformat(),
    )


LIST = ListPage(
    "bookings/needs/needs.html",
    needs_for,
    shown=_shown,
    sheet=("needs", HEADS, _cells),
    words=("text", "user__name", "organisation__name", "organisation__name_zh"),
    day="created_at",
    sorts={1: "earliest", 2: "user__name"},
)


@reads
def needs(request: HttpRequest) -> HttpResponseBase:
    """One's own needs, and for managers those of their organisation."""
    by = by_of(request)
    may_book = any(by.actor.may("book", place_of(one)) for one in organisations_of(by.actor))
    return LIST.answer(request, by, LIST.rows(by.actor), may_book=may_book)


@edits
def new(request: HttpRequest) -> HttpResponse:
    """Describe what one wants to find out; POST keeps it and shows what answers it. A term of the
    address that was chosen for the text stays chosen while the text stays the same."""
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
        partial(
            shown,
            request,
            "bookings/needs/edit.html",
            payers=payers,
            currency=payer.region.currency,
        ),
        lambda by, _: need_make(by, values=values()),
        to=lambda need: reverse("bookings:need", args=[need.pk]),
        form=form,
    )


@edits
def change(request: HttpRequest, need_id: UUID) -> HttpResponse:
    """Describe it otherwise."""
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
def need(request: HttpRequest, need_id: UUID) -> HttpResponse:
    """What it was taken for, and the instruments that answer it, with reasons; `why` asks about
    one in particular."""
    return need_page(request, need_id)


@writes
def correct(request: HttpRequest, need_id: UUID) -> HttpResponse:
    """Take a term or a requirement away, or add a term."""
    by = by_of(request)
    row = own_need(by.actor, need_id)
    values = values_of(row)
    code = request.POST.get("code", "")
    match request.POST.get("act"):
        case "add":
            values = replace(values, terms=[*row.terms, code][-MOST_TERMS:])
        case "requirement":
            kept = [each for each in kept_requirements(row) if each["parameter"] != code]
            values = replace(values, requirements=kept)
        case _:
            values = replace(values, terms=[each for each in row.terms if each != code])
    return act(
        request,
        partial(need_page, request, need_id),
        lambda by, _: need_change(by, need_id=need_id, values=values),
        to=reverse("bookings:need", args=[need_id]),
    )


@writes
def share(request: HttpRequest, need_id: UUID) -> HttpResponse:
    """Let somebody read it, or no longer (`act=end`)."""
    work = need_unshare if request.POST.get("act") == "end" else need_share
    person = request.POST.get("person", "").strip()[:254]
    return act(
        request,
        partial(need_page, request, need_id),
        lambda by, _: work(by, need_id=need_id, person=person),
        to=reverse("bookings:need", args=[need_id]),
        done=gettext("Saved."),
    )


@writes
def withdraw(request: HttpRequest, need_id: UUID) -> HttpResponse:
    """Look no further."""
    return act(
        request,
        partial(need_page, request, need_id),
        lambda by, _: need_withdraw(by, need_id=need_id),
        to=reverse("bookings:needs"),
        done=gettext("The need is withdrawn."),
    )


def values_of(need: Need) -> NeedValues:
    """A need as it is, for the service that changes it."""
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


def need_page(
    request: HttpRequest, need_id: UUID, status: int = 200, refused: Any = None, **_: Any
) -> HttpResponse:
    """The page of a need, also where something that was asked of it is refused."""
    by = by_of(request)
    row = need_by_id(by.actor, need_id)
    question = wanted_of(row)
    parameters = load_parameters()
    is_open = row.state == Need.State.OPEN and row.latest > by.now
    answers = load_matches(question, by.now) if is_open else []
    awaited = load_asked([answer.instrument.pk for answer in answers], by.actor.user_id)
    context = {
        "need": row,
        "refused": refused,
        "offers": [one for one in load_offers_to(by.actor, by.now) if one.need_id == row.pk],
        "is_own": row.user_id == by.actor.user_id,
        "may_share": row.user_id == by.actor.user_id
        or by.actor.may("book-for-members", place_of(row.organisation)),
        "is_open": is_open,
        "terms": load_chosen(row.terms),
        "others": [t for t in load_need_terms(row.text) if t.code not in set(row.terms)],
        "requirements": [
            (each.parameter, parameters.get(each.parameter), required_text(each, parameters))
            for each in load_requirements(row)
        ],
        "matches": [
            (
                answer,
                reasons_of(answer, question, parameters, awaited),
                [LABELS[x] for x in answer.match.labels],
            )
            for answer in answers[:SHOWN]
            if answer.match is not None
        ],
        "number": sum(answer.match is not None for answer in answers),
        "near": [
            (answer, GATES[answer.gate])
            for answer in answers
            if answer.match is None and answer.gate != "technique"
        ][:CAME_NEAR],
        "modes": [label for mode, label in Instrument.ServiceMode.choices if mode in row.modes],
        "starred": load_starred(by.actor, [answer.instrument for answer in answers]),
        **chosen_of(request),
        "why": _why(request, by, row, answers) if is_open else None,
    }
    return render(request, "bookings/needs/need.html", context, status=status)


def _why(request: HttpRequest, by: By, need: Need, answers: list[Answer]) -> dict[str, Any] | None:
    """What became of an instrument that somebody asks about, by its name or id."""
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


def _meant(by: By, text: str) -> Instrument | None:
    try:
        return instrument_by_id(by.actor, UUID(text))
    except (ValueError, NotFound):
        return search(Criteria(text=text)).first()
