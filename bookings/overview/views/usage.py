"""Checking in and out, and the questions asked then."""

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
from bookings.questions.domain.questions import AFTER, BEFORE, BOOKING, MOMENTS
from bookings.questions.models import AnswerFile
from bookings.record.domain.ratings import MARKS
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.domain.reservations import CHECK_IN_BEFORE
from bookings.record.models import Reservation, UsageSession
from bookings.record.selectors.reservations import reservation_at_work
from bookings.usage.forms.usage import BeginForm, RatingAnswerForm, RatingForm
from bookings.usage.services import usage
from bookings.usage.services.ratings import rating_answer, session_rate
from bookings.usage.views.asked import load_asked
from instruments.house_rules.services.house_rules import house_rules_accept
from instruments.register.models import Instrument

# The questions that a page of its own asks before somebody begins.
ASKED = frozenset({"questions-open", "house-rules-not-accepted"})


@writes
def check_in(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    """Check in; if questions must be answered or rules accepted first, go to the page that asks."""
    try:
        return answered(
            request,
            reservation_id,
            lambda by, _: usage.reservation_check_in(by, reservation_id=reservation_id),
            partial(_checked_in, request.user.pk),
            raises=(NotPermitted, NotFound, RulesRefuse),
        )
    except RulesRefuse as refused:
        messages.error(request, refusal_text(refused))
        if {refusal.code for refusal in refused.refusals} & ASKED:
            at = {"at": at} if (at := request.POST.get("at")) else None
            owed = any(refusal.numbers.get("moment") == BOOKING for refusal in refused.refusals)
            asks = BOOKING if owed else BEFORE
            return redirect(reverse("bookings:questions", args=[reservation_id, asks], query=at))
        return reservation_page(request, reservation_id, status=422)


def _checked_in(reader: UUID | None, session: UsageSession) -> str:
    """Return a message that says who is checked in, if it is somebody else, and on which unit: someone who
    comes early may get another unit than was booked."""
    has_units = units_of(session.instrument) > 1
    if session.reservation.user_id == reader:
        said = gettext("You are checked in, on unit {n}.") if has_units else gettext("You are checked in.")
    elif session.reservation.service_mode == Instrument.ServiceMode.ENTRUSTED:
        said = gettext("The work on the samples of {person} has begun.")
    elif has_units:
        said = gettext("{person} is checked in, on unit {n}.")
    else:
        said = gettext("{person} is checked in.")
    return said.format(person=session.reservation.user, n=session.unit)


@writes
def check_out(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    by = by_of(request)
    row, _ = reservation_at_work(by.actor, reservation_id)
    asked = load_asked(row, by.actor)
    form = asked.check_out_form(request.POST, request.FILES)
    return answered(
        request,
        reservation_id,
        lambda by, data: usage.reservation_check_out(
            by,
            reservation_id=reservation_id,
            samples=data["samples"],
            rating=data.get("rating"),
            remarks=data["remarks"],
            answers=form.answers(partial(_upload, by, reservation_id, AFTER)),
            skip_reason=form.skip_reason(),
            options=form.added(),
        ),
        partial(_checked_out, asked.is_person),
        form,
        "check_out_form",
    )


def _checked_out(is_person: bool, session: UsageSession) -> str:
    """Return a message that says who is checked out, and that time is free again if some was left."""
    row = session.reservation
    is_left = session.checked_out_at is not None and session.checked_out_at < row.end_at
    if row.service_mode == Instrument.ServiceMode.ENTRUSTED and not is_person:
        said = gettext("The work on the samples of {person} has ended.")
    elif is_left and is_person:
        said = gettext("You are checked out. The remaining time is free again.")
    elif is_left:
        said = gettext("{person} is checked out. The remaining time is free again.")
    else:
        said = gettext("You are checked out.") if is_person else gettext("{person} is checked out.")
    return said.format(person=row.user)


def _upload(by: By, reservation_id: UUID, moment: str, key: str, name: str, content: bytes) -> AnswerFile:
    return usage.reservation_answer_file(
        by, reservation_id=reservation_id, moment=moment, key=key, name=name, content=content
    )


@writes
def rate(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    return answered(
        request,
        reservation_id,
        lambda by, data: session_rate(
            by, reservation_id=reservation_id, **{name: data[name] for name in ("rating", "remarks", *MARKS)}
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
        gettext("Answered. The author of the rating is notified."),
        RatingAnswerForm(request.POST),
        "rating_answer_form",
    )


@edits
def questions(request: HttpRequest, reservation_id: UUID, moment: str) -> HttpResponse:
    """Ask the questions before use, together with the house rules, once the booking is confirmed. When it is
    time, sending them also checks in, and leads back to the label's page (`at`) if the person came from
    there. After use, and for those at booking, ask the questions that are still unanswered."""
    by = by_of(request)
    row, _ = reservation_at_work(by.actor, reservation_id)
    usage.require_user(by.actor, row)
    if moment not in MOMENTS:
        raise NotFound
    asked = load_asked(row, by.actor)
    is_time = (
        moment == BEFORE
        and row.state == "confirmed"
        and row.start_at - CHECK_IN_BEFORE <= by.now < row.end_at
    )
    back = came_from(request.GET.get("at", ""), row.pk)
    records = asked.rules_to_record if moment == BEFORE else None
    if not (asked.questions[moment] or asked.house_rules or records):
        return redirect(back)
    if moment == BOOKING and request.method != "POST" and not asked.at_booking:  # answered, or too late
        return redirect(back)
    if moment == BEFORE and row.state == "in_use":  # too late for questions
        form = BeginForm(sent(request), records=records is not None)
    else:
        # Files alone would make a page that only shows the form one that was sent.
        files = request.FILES if request.method == "POST" else None
        form = asked.form(BeginForm, moment, sent(request), files, records=records is not None)

    def page(status: int = 200, **context: Any) -> HttpResponse:
        context |= {
            "reservation": row,
            "moment": moment,
            "zone": row.instrument.facility.time_zone,
            "house_rules": asked.house_rules if moment == BEFORE else None,
            "records": records,
            "is_time": is_time,
            "back": back,
        }
        return render(request, "bookings/questions/answer.html", context, status=status)

    def work(by: By, data: dict[str, Any]) -> UsageSession | Reservation:
        answers = form.answers(partial(_upload, by, row.pk, moment))
        if is_time:
            return usage.reservation_check_in(
                by,
                reservation_id=row.pk,
                house_rules=data["house_rules"],
                house_rules_means=data.get("means", ""),
                answers=answers,
            )
        if means := data.get("means"):
            usage.house_rules_record(by, reservation_id=row.pk, version=data["house_rules"] or 0, means=means)
        elif data["house_rules"] and not records:
            house_rules_accept(by, instrument_id=row.instrument_id, version=data["house_rules"])
        if answers is None:
            return row
        return usage.reservation_answer(
            by, reservation_id=row.pk, moment=moment, answers=answers, skip_reason=form.skip_reason()
        )

    return act(
        request,
        page,
        work,
        to=back,
        done=lambda result: (
            _checked_in(by.actor.user_id, result) if isinstance(result, UsageSession) else gettext("Saved.")
        ),
        form=form,
        shows=lambda refused: messages.error(request, refusal_text(refused)),
    )
