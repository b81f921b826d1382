"""Pages on which people state what an instrument can do in numbers, ask about it and answer."""

from functools import partial
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import Refused
from accounts.permissions import actor_of, require_somewhere
from accounts.views.language import page_to_return_to
from accounts.views.pages import act, edits, reads, sent, writes
from instruments.capabilities.forms.capabilities import CapabilityForm
from instruments.capabilities.models import Capability, CapabilityQuestion
from instruments.capabilities.selectors import capabilities as capability_selectors
from instruments.capabilities.services import capabilities as capability_services
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_by_id, instrument_to_manage
from instruments.vocabulary.selectors.needs import load_parameters

PAGE = 50


@edits
def capabilities(request: HttpRequest, instrument_id: UUID, **shown: Any) -> HttpResponse:
    """Show all stated capabilities of an instrument; POST adds one."""
    instrument = instrument_to_manage(actor_of(request.user), instrument_id)
    usual = capability_selectors.asked_of(instrument)
    others = sorted(set(load_parameters()) - {row.code for row in usual})
    form = CapabilityForm(
        None if shown else sent(request),
        choices=[
            (gettext("Usual for its techniques"), usual),
            (gettext("Others"), [load_parameters()[code] for code in others]),
        ],
        initial={"parameter": request.GET.get("parameter", "")},
    )
    if shown:
        return _page(request, instrument, form=form, **shown)
    return act(
        request,
        partial(_page, request, instrument),
        lambda by, data: capability_services.capability_add(by, instrument_id=instrument_id, **data),
        to=reverse("instruments:capabilities", args=[instrument_id]),
        done=gettext("Added."),
        form=form,
    )


@edits
def change(request: HttpRequest, capability_id: UUID) -> HttpResponse:
    """Change one stated capability."""
    row, instrument = _managed(request, capability_id)
    form = CapabilityForm(sent(request), parameter=load_parameters()[row.parameter.code], row=row)
    return act(
        request,
        partial(_page, request, instrument, row=row),
        lambda by, data: capability_services.capability_change(by, capability_id=capability_id, changes=data),
        to=reverse("instruments:capabilities", args=[instrument.pk]),
        done=gettext("Saved."),
        form=form,
    )


@writes
def ask(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Ask the managers about a value that is not stated, and return to the page one came from."""
    here = reverse("bookings:instrument", args=[instrument_id]) + "#abilities-title"

    def page(*, refused: Refused, status: int) -> HttpResponse:
        instrument = instrument_by_id(actor_of(request.user), instrument_id)
        context = {"instrument": instrument, "refused": refused}
        return render(request, "instruments/asked.html", context, status=status)

    return act(
        request,
        page,
        lambda by, _: capability_services.question_ask(
            by, instrument_id=instrument_id, parameter=request.POST.get("parameter", "")
        ),
        to=page_to_return_to(request, request.POST.get("next", here)),
        done=gettext("Asked. You will be notified of the answer."),
    )


@reads
def questions(request: HttpRequest) -> HttpResponse:
    """List the open questions about the instruments that the reader manages."""
    actor = actor_of(request.user)
    require_somewhere(actor, "manage-instruments")
    page = Paginator(capability_selectors.questions_to_answer(actor), PAGE).get_page(request.GET.get("page"))
    people = capability_selectors.askers_of(list(page.object_list))
    rows = [(question, people[question.pk]) for question in page.object_list]
    return render(request, "instruments/questions.html", {"page": page, "rows": rows})


@edits
def answer(request: HttpRequest, question_id: UUID) -> HttpResponse:
    """Show a question and answer it."""
    question = capability_selectors.question_to_answer(actor_of(request.user), question_id)
    form = CapabilityForm(
        sent(request),
        parameter=load_parameters()[question.parameter.code],
        initial={"version": question.version},
    )
    return act(
        request,
        partial(_question_page, request, question),
        lambda by, data: capability_services.question_answer(by, question_id=question_id, **data),
        to="instruments:questions",
        done=gettext("Answered. Everybody who asked is notified."),
        form=form,
    )


def _managed(request: HttpRequest, capability_id: UUID) -> tuple[Capability, Instrument]:
    actor = actor_of(request.user)
    row = capability_selectors.capability_by_id(actor, capability_id)
    return row, instrument_to_manage(actor, row.instrument_id)


def _page(request: HttpRequest, instrument: Instrument, *, status: int = 200, **context: Any) -> HttpResponse:
    context |= {"instrument": instrument, "rows": capability_selectors.capabilities_of(instrument.pk)}
    return render(request, "instruments/capabilities.html", context, status=status)


def _question_page(
    request: HttpRequest, question: CapabilityQuestion, *, status: int = 200, **context: Any
) -> HttpResponse:
    context |= {"question": question, "people": capability_selectors.askers_of([question])[question.pk]}
    return render(request, "instruments/question.html", context, status=status)
