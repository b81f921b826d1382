"""What an instrument can do, in numbers: stating it, asking for it, and answering."""

from functools import partial
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotPermitted, Refused
from accounts.permissions import actor_of
from accounts.views.language import page_to_return_to
from accounts.views.pages import act, edits, reads, sent, writes
from instruments.forms.capabilities import CapabilityForm
from instruments.models import Capability, CapabilityQuestion, Instrument
from instruments.selectors.capabilities import (
    asked_of,
    askers_of,
    capabilities_of,
    capability_by_id,
    question_to_answer,
    questions_to_answer,
)
from instruments.selectors.managing import instrument_to_manage
from instruments.selectors.needs import load_parameters
from instruments.selectors.registry import instrument_by_id
from instruments.services.capabilities import (
    capability_add,
    capability_change,
    capability_remove,
    question_answer,
    question_ask,
)

PAGE = 50


@edits
def capabilities(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Show all that is stated of an instrument, and state more."""
    instrument = instrument_to_manage(actor_of(request.user), instrument_id)
    usual = asked_of(instrument)
    others = sorted(set(load_parameters()) - {row.code for row in usual})
    form = CapabilityForm(
        sent(request),
        choices=[
            (gettext("Usual for its techniques"), usual),
            (gettext("Others"), [load_parameters()[code] for code in others]),
        ],
        initial={"parameter": request.GET.get("parameter", "")},
    )
    return act(
        request,
        partial(_page, request, instrument),
        lambda by, data: capability_add(by, instrument_id=instrument_id, **_values(data)),
        to=reverse("instruments:capabilities", args=[instrument_id]),
        done=gettext("Added."),
        form=form,
    )


@edits
def change(request: HttpRequest, capability_id: UUID) -> HttpResponse:
    """Change one statement."""
    row, instrument = _managed(request, capability_id)
    form = CapabilityForm(sent(request), parameter=load_parameters()[row.parameter.code], row=row)
    return act(
        request,
        partial(_page, request, instrument, row=row),
        lambda by, data: capability_change(by, capability_id=capability_id, changes=_values(data)),
        to=reverse("instruments:capabilities", args=[instrument.pk]),
        done=gettext("Saved."),
        form=form,
    )


@writes
def remove(request: HttpRequest, capability_id: UUID) -> HttpResponse:
    """Take a statement back."""
    _, instrument = _managed(request, capability_id)
    return act(
        request,
        partial(_page, request, instrument),
        lambda by, _: capability_remove(by, capability_id=capability_id),
        to=reverse("instruments:capabilities", args=[instrument.pk]),
        done=gettext("Removed."),
    )


@writes
def ask(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Ask the managers for what is not stated, by one click, and return to where one came from."""
    instrument = instrument_by_id(actor_of(request.user), instrument_id)
    here = reverse("bookings:instrument", args=[instrument_id]) + "#abilities-title"

    def page(*, refused: Refused, status: int) -> HttpResponse:
        context = {"instrument": instrument, "refused": refused}
        return render(request, "instruments/asked.html", context, status=status)

    return act(
        request,
        page,
        lambda by, _: question_ask(
            by, instrument_id=instrument_id, parameter=request.POST.get("parameter", "")
        ),
        to=page_to_return_to(request, request.POST.get("next", here)),
        done=gettext("Asked. You will be told the answer."),
    )


@reads
def questions(request: HttpRequest) -> HttpResponse:
    """List the questions that wait for the managers of the organisations one manages."""
    actor = actor_of(request.user)
    if not actor.organisations_where("manage-instruments"):
        raise NotPermitted(capability="manage-instruments")
    page = Paginator(questions_to_answer(actor), PAGE).get_page(request.GET.get("page"))
    people = askers_of(list(page.object_list))
    rows = [(question, people[question.pk]) for question in page.object_list]
    return render(request, "instruments/questions.html", {"page": page, "rows": rows})


@edits
def answer(request: HttpRequest, question_id: UUID) -> HttpResponse:
    """Show a question and answer it."""
    question = question_to_answer(actor_of(request.user), question_id)
    form = CapabilityForm(
        sent(request),
        parameter=load_parameters()[question.parameter.code],
        initial={"version": question.version},
    )
    return act(
        request,
        partial(_question_page, request, question),
        lambda by, data: question_answer(by, question_id=question_id, **_values(data)),
        to="instruments:questions",
        done=gettext("Answered. Everybody who asked is told."),
        form=form,
    )


def _values(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != "version"}


def _managed(request: HttpRequest, capability_id: UUID) -> tuple[Capability, Instrument]:
    actor = actor_of(request.user)
    row = capability_by_id(actor, capability_id)
    return row, instrument_to_manage(actor, row.instrument_id)


def _page(
    request: HttpRequest, instrument: Instrument, *, status: int = 200, **context: Any
) -> HttpResponse:
    context |= {"instrument": instrument, "rows": capabilities_of(instrument.pk)}
    return render(request, "instruments/capabilities.html", context, status=status)


def _question_page(
    request: HttpRequest, question: CapabilityQuestion, *, status: int = 200, **context: Any
) -> HttpResponse:
    context |= {"question": question, "people": askers_of([question])[question.pk]}
    return render(request, "instruments/question.html", context, status=status)
