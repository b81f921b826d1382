"""Pages for editing the questionnaire, for the answers, and for those still owed."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.utils.csp import CSP
from django.utils.translation import gettext
from django.views.decorators.csp import csp_override

from accounts.domain.errors import NotFound
from accounts.permissions import actor_of
from accounts.views.pages import act, by_of, edits, reads, sent
from bookings.questions.domain.questions import BEFORE, BOOKING, MOMENTS, kinds_at, load_fields
from bookings.questions.forms.questions import QuestionnaireForm
from bookings.questions.selectors import questions
from bookings.questions.selectors.meters import meters_of
from bookings.questions.services.questions import questionnaire_set
from bookings.record.views.lists import ListPage
from instruments.attachments.views.attachments import file_answer
from instruments.register.selectors.registry import instrument_to_manage

MOST_VERSIONS = 20


@edits
def questionnaires(request: HttpRequest, instrument_id: UUID, moment: str = BEFORE) -> HttpResponse:
    """Show and set the questions at booking, before or after use; `more` only shows more rows."""
    if moment not in MOMENTS:
        raise NotFound
    instrument = instrument_to_manage(actor_of(request.user), instrument_id)
    versions = list(questions.questionnaire_versions(instrument, moment)[:MOST_VERSIONS])
    last = versions[0] if versions else None
    data, is_more = sent(request), "more" in request.POST
    form = QuestionnaireForm(
        data,
        questions=load_fields(last.fields) if last else (),
        meters=meters_of(instrument) if moment != BOOKING else (),
        kinds=kinds_at(moment),
        more=is_more,
        initial={"version": last.version if last else 0},
    )

    def page(status: int = 200, **context: Any) -> HttpResponse:
        context = (
            {"form": form}
            | context
            | {
                "instrument": instrument,
                "moment": moment,
                "versions": versions,
                "is_in_force": bool(last and last.fields),
            }
        )
        return render(request, "bookings/questions/edit.html", context, status=status)

    if is_more:
        return page()
    return act(
        request,
        page,
        lambda by, _: questionnaire_set(
            by, instrument_id=instrument_id, moment=moment, fields=form.fields_as_json()
        ),
        to=request.path,
        done=lambda row: gettext("Saved.") if row else gettext("Nothing has changed."),
        form=form,
    )


LIST = ListPage(
    "bookings/questions/answers.html",
    questions.ANSWERS,
    shown=lambda sheet, by: (sheet, questions.answers_said(sheet)),
)


@reads
def answers(request: HttpRequest, instrument_id: UUID) -> HttpResponseBase:
    """Show the answers at an instrument to its managers, also as a file."""
    by = by_of(request)
    instrument = instrument_to_manage(by.actor, instrument_id)
    return LIST.answer(request, by, questions.sheets_of(instrument_id), instrument=instrument)


@reads
@csp_override({"default-src": [CSP.NONE], "sandbox": [""]})
def file(request: HttpRequest, file_id: UUID, size: str) -> HttpResponseBase:
    """Return a file of an answer, for everybody who may see its booking."""
    row = questions.answer_file_by_id(actor_of(request.user), file_id)
    answer = file_answer(request, row, size, row.title.rpartition(".")[0] or row.title)
    patch_cache_control(answer, private=True, no_cache=True)
    return answer


OWED = ListPage(
    "bookings/questions/owed.html", replace(questions.ANSWERS, name="owed", rows=questions.sheets_owed)
)


@reads
def owed(request: HttpRequest) -> HttpResponseBase:
    """Show the questions that were left open, for the reader's own bookings and, after use, at instruments
    that they manage."""
    return OWED.answer(request, by_of(request))
