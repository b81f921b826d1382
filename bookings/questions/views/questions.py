"""The questionnaire's editor, what was answered, and what is still owed."""

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
from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.views.pages import act, by_of, edits, reads, sent
from bookings.questions.domain.questions import BEFORE, MOMENTS, load_fields
from bookings.questions.forms.questions import QuestionnaireForm, answer_words, label_of
from bookings.questions.models import AnswerFile, AnswerSheet
from bookings.questions.selectors.meters import meters_of
from bookings.questions.selectors.questions import (
    answer_file_by_id,
    answered,
    questionnaire_versions,
    sheets_of,
    sheets_owed,
)
from bookings.questions.services.questions import questionnaire_set
from bookings.record.views.lists import ListPage
from instruments.selectors.managing import instrument_to_manage
from instruments.views.attachments import file_answer

MOST_VERSIONS = 20


@edits
def questionnaires(request: HttpRequest, instrument_id: UUID, moment: str = BEFORE) -> HttpResponse:
    """Show and set what is asked before or after use; `more` only shows more rows."""
    if moment not in MOMENTS:
        raise NotFound
    instrument = instrument_to_manage(actor_of(request.user), instrument_id)
    versions = list(questionnaire_versions(instrument, moment)[:MOST_VERSIONS])
    last = versions[0] if versions else None
    data, is_more = sent(request), "more" in request.POST
    form = QuestionnaireForm(
        data,
        questions=load_fields(last.fields) if last else (),
        meters=meters_of(instrument),
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


def _words(sheet: AnswerSheet) -> list[tuple[str, str | AnswerFile]]:
    """The questions that were answered, with their answers, in the reader's language."""
    return [
        (label_of(field), answer_words(field, answer))
        for field, answer in answered(sheet)
        if answer is not None
    ]


def _lines(sheet: AnswerSheet, by: By) -> list[Any]:
    row = sheet.reservation
    return [
        row.start_at,
        row.end_at,
        row.instrument.facility.time_zone,
        str(row.user),
        row.organisation.code,
        sheet.moment,
        sheet.questionnaire.version,
        sheet.state,
        "; ".join(f"{label}: {answer}" for label, answer in _words(sheet)),
        sheet.reason,
        sheet.answered_at,
        str(sheet.answered_by or ""),
    ]


LIST = ListPage(
    "bookings/questions/answers.html",
    lambda actor: AnswerSheet.objects.none(),
    shown=lambda sheet, by: (sheet, _words(sheet)),
    sheet=(
        "answers",
        (
            "start", "end", "time_zone", "user", "payer", "moment", "version", "state", "answers",
            "reason", "answered_at", "answered_by",
        ),
        _lines,
    ),
    words=("reservation__user__name", "reservation__organisation__name"),
    day="reservation__start_at",
    states=AnswerSheet.State.choices,
)  # fmt: skip


@reads
def answers(request: HttpRequest, instrument_id: UUID) -> HttpResponseBase:
    """What was answered at an instrument, for its managers, and as a file."""
    by = by_of(request)
    instrument = instrument_to_manage(by.actor, instrument_id)
    return LIST.answer(request, by, sheets_of(instrument_id), instrument=instrument)


@reads
@csp_override({"default-src": [CSP.NONE], "sandbox": [""]})
def file(request: HttpRequest, file_id: UUID, size: str) -> HttpResponseBase:
    """Give a file of an answer, for whoever sees its booking."""
    row = answer_file_by_id(actor_of(request.user), file_id)
    answer = file_answer(request, row, size, row.title.rpartition(".")[0] or row.title)
    patch_cache_control(answer, private=True, no_cache=True)
    return answer


OWED = ListPage("bookings/questions/owed.html", sheets_owed)


@reads
def owed(request: HttpRequest) -> HttpResponseBase:
    """The questions that were left open: of one's own bookings, and at instruments one manages."""
    by = by_of(request)
    return OWED.answer(request, by, OWED.rows(by.actor))
