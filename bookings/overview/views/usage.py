"""Checking in and out, and what is asked then."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotFound, NotPermitted
from accounts.domain.roles import By
from accounts.views.pages import act, by_of, edits, sent, writes
from bookings.catalogue.selectors.units import units_of
from bookings.catalogue.views.refusals import refusal_text
from bookings.overview.views.reservations import answered, came_from, reservation_page
from bookings.questions.domain.questions import AFTER, BEFORE, MOMENTS
from bookings.questions.models import AnswerFile
from bookings.record.domain.ratings import MARKS
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.domain.reservations import CHECK_IN_BEFORE
from bookings.record.models import Reservation, UsageSession
from bookings.record.selectors.reservations import reservation_by_id
from bookings.usage.forms.usage import BeginForm, CheckOutForm, RatingAnswerForm, RatingForm
from bookings.usage.services.ratings import rating_answer, session_rate
from bookings.usage.services.usage import (
    require_user,
    reservation_answer,
    reservation_answer_file,
    reservation_check_in,
    reservation_check_out,
)
from bookings.usage.views.asked import load_asked
from instruments.services.house_rules import house_rules_accept

# What is asked on a page of its own before somebody begins.
ASKED = frozenset({"questions-open", "house-rules-not-accepted"})


@writes
def check_in(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    """Check in; where something has to be answered or accepted first, go to where it is asked."""
    try:
        return answered(
            request,
            reservation_id,
            lambda by, _: reservation_check_in(by, reservation_id=reservation_id),
            _checked_in,
            raises=(NotPermitted, NotFound, RulesRefuse),
        )
    except RulesRefuse as refused:
        messages.error(request, refusal_text(refused))
        if {refusal.code for refusal in refused.refusals} & ASKED:
            at = {"at": at} if (at := request.POST.get("at")) else None
            return redirect(reverse("bookings:questions", args=[reservation_id, BEFORE], query=at))
        return reservation_page(request, reservation_id, status=422)


def _checked_in(session: UsageSession) -> str:
    """Where: who comes early may be on another unit than was booked."""
    if units_of(session.instrument) == 1:
        return gettext("You are checked in.")
    return gettext("You are checked in, on unit {n}.").format(n=session.unit)


@writes
def check_out(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    by = by_of(request)
    row = reservation_by_id(by.actor, reservation_id)
    form = load_asked(row, by.actor).form(CheckOutForm, AFTER, request.POST, request.FILES)
    return answered(
        request,
        reservation_id,
        lambda by, data: reservation_check_out(
            by,
            reservation_id=reservation_id,
            samples=data["samples"],
            rating=data["rating"],
            remarks=data["remarks"],
            answers=form.answers(partial(_upload, by, reservation_id, AFTER)),
            skip_reason=form.skip_reason(),
        ),
        gettext("You are checked out. What is left of the time is free again."),
        form,
        "check_out_form",
    )


def _upload(
    by: By, reservation_id: UUID, moment: str, key: str, name: str, content: bytes
) -> AnswerFile:
    return reservation_answer_file(
        by, reservation_id=reservation_id, moment=moment, key=key, name=name, content=content
    )


@writes
def rate(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    return answered(
        request,
        reservation_id,
        lambda by, data: session_rate(
            by,
            reservation_id=reservation_id,
            **{name: data[name] for name in ("rating", "remarks", *MARKS)},
        ),
        gettext("Thank you for your rating."),
        RatingForm(request.POST),
        "rating_form",
    )


@writes
def answer_rating(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    return answered(
        request,
        reservation_id,
        lambda by, data: rating_answer(by, reservation_id=reservation_id, answer=data["answer"]),
        gettext("Answered. The person is told."),
        RatingAnswerForm(request.POST),
        "rating_answer_form",
    )


@edits
def questions(request: HttpRequest, reservation_id: UUID, moment: str) -> HttpResponse:
    """What is asked before use, with the house rules, from the confirmation on: once it is time,
    sending it checks in, and goes back to the label (`at`) where somebody came from there. What is
    owed after use."""
    by = by_of(request)
    row = reservation_by_id(by.actor, reservation_id)
    require_user(by.actor, row)
    if moment not in MOMENTS:
        raise NotFound
    asked = load_asked(row, by.actor)
    is_time = (
        moment == BEFORE
        and row.state == "confirmed"
        and row.start_at - CHECK_IN_BEFORE <= by.now < row.end_at
    )
    back = came_from(request.GET.get("at", ""), row.pk)
    if not (asked.questions[moment] or asked.house_rules):
        return redirect(back)
    form = asked.form(BeginForm, moment, sent(request), request.FILES)

    def page(status: int = 200, **context: Any) -> HttpResponse:
        context |= {
            "reservation": row,
            "moment": moment,
            "zone": row.instrument.facility.time_zone,
            "house_rules": asked.house_rules if moment == BEFORE else None,
            "is_time": is_time,
            "back": back,
        }
        return render(request, "bookings/questions/answer.html", context, status=status)

    def work(by: By, data: dict[str, Any]) -> UsageSession | Reservation:
        answers = form.answers(partial(_upload, by, row.pk, moment))
        if is_time:
            return reservation_check_in(
                by,
                reservation_id=row.pk,
                house_rules=data["house_rules"],
                answers=answers,
            )
        if data["house_rules"]:
            house_rules_accept(by, instrument_id=row.instrument_id, version=data["house_rules"])
        if answers is None:
            return row
        return reservation_answer(
            by,
            reservation_id=row.pk,
            moment=moment,
            answers=answers,
            skip_reason=form.skip_reason(),
        )

    return act(
        request,
        page,
        work,
        to=back,
        done=lambda result: (
            _checked_in(result) if isinstance(result, UsageSession) else gettext("Saved.")
        ),
        form=form,
        shows=lambda refused: messages.error(request, refusal_text(refused)),
    )
