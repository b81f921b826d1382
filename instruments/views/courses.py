"""Courses as those see them who give them: sessions, participants, results."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import FieldProblem, NotPermitted, Refused
from accounts.domain.roles import Actor, By
from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from accounts.views.pages import act, by_of, edits, reads, sent, writes
from instruments.forms.fields import StyledForm
from instruments.forms.training import CourseForm, EnrolForm, SessionCancelForm, SessionForm
from instruments.models import Course, CourseSession, Enrolment
from instruments.selectors.qualifications import person_to_certify
from instruments.selectors.registry import facilities
from instruments.selectors.training import (
    course_to_manage,
    hosts_managed,
    managed_courses,
    participants,
    places_in_line,
    session_to_lead,
    session_to_manage,
    sessions,
    things_of,
    trainers_named,
)
from instruments.services.enrolments import enrolment_make, enrolment_result
from instruments.services.training import (
    course_change,
    course_create,
    course_retire,
    session_cancel,
    session_change,
    session_create,
)

PAGE = 50


@reads
def courses(request: HttpRequest) -> HttpResponse:
    """List the courses of the organisations one manages."""
    actor = actor_of(request.user)
    page = Paginator(managed_courses(actor), PAGE).get_page(request.GET.get("page"))
    return render(request, "instruments/courses.html", {"page": page})


@edits
def course_new(request: HttpRequest) -> HttpResponse:
    """Offer a course; `?organisation=` where one manages several."""
    actor = actor_of(request.user)
    hosts = hosts_managed(actor)
    if not hosts:
        raise NotPermitted(capability="manage-instruments")
    host = next((h for h in hosts if h.code == request.GET.get("organisation")), hosts[0])
    others = list(managed_courses(actor).filter(organisation=host, retired_at=None))
    form = CourseForm(sent(request), others=others, things=things_of(host))

    def page(status: int = 200, **context: Any) -> HttpResponse:
        context |= {"host": host, "hosts": hosts}
        return render(request, "instruments/course_new.html", context, status=status)

    return act(
        request,
        page,
        lambda by, _: course_create(by, host=host, terms=form.terms(), **form.chosen_thing()),
        to=lambda row: reverse("instruments:course-manage", args=[row.pk]),
        done=gettext("The course is offered. Now a session of it."),
        form=form,
    )


@edits
def course_manage(request: HttpRequest, course_id: UUID) -> HttpResponse:
    """Show a course's sessions; POST changes the course."""
    actor = actor_of(request.user)
    course = course_to_manage(actor, course_id)
    form = _course_form(actor, course, sent(request))
    return act(
        request,
        partial(_course_page, request, course),
        lambda by, _: course_change(by, course_id=course_id, terms=form.terms()),
        to=reverse("instruments:course-manage", args=[course_id]),
        done=gettext("Saved."),
        form=form,
    )


@writes
def retire(request: HttpRequest, course_id: UUID) -> HttpResponse:
    """Offer a course no more."""
    return act(
        request,
        lambda **shown: _course_page(
            request, course_to_manage(actor_of(request.user), course_id), **shown
        ),
        lambda by, _: course_retire(by, course_id=course_id),
        to="instruments:courses",
        done=gettext("The course is not offered any more."),
    )


@edits
def session_new(request: HttpRequest, course_id: UUID) -> HttpResponse:
    """Enter a session of a course."""
    course = course_to_manage(actor_of(request.user), course_id)
    form = _session_form(course, sent(request))

    def page(status: int = 200, **context: Any) -> HttpResponse:
        context["course"] = course
        return render(request, "instruments/course_session_new.html", context, status=status)

    return act(
        request,
        page,
        lambda by, _: session_create(
            by,
            course_id=course.pk,
            facility=form.chosen_facility(),
            terms=form.terms(trainers_named(course.organisation, form.names())),
        ),
        to=lambda row: reverse("instruments:session-manage", args=[row.pk]),
        done=gettext("Entered: it is open for enrolment."),
        form=form,
    )


@edits
def session_manage(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Show who takes part in a session, to its trainers too; POST, for managers, changes it."""
    find = session_to_manage if request.method == "POST" else session_to_lead
    session = find(actor_of(request.user), session_id)
    form = _session_form(session.course, sent(request), session)
    return _session_act(
        request,
        session,
        lambda by, _: session_change(
            by,
            session_id=session.pk,
            facility=form.chosen_facility(),
            terms=form.terms(trainers_named(session.course.organisation, form.names())),
        ),
        gettext("Saved."),
        form,
        "form",
    )


@writes
def cancel(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Call a session off."""
    session = session_to_manage(actor_of(request.user), session_id)
    return _session_act(
        request,
        session,
        lambda by, data: session_cancel(by, session_id=session.pk, reason=data["reason"]),
        gettext("Cancelled. Everybody enrolled is notified by mail."),
        SessionCancelForm(request.POST),
        "cancel_form",
    )


@writes
def enrol(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Enrol somebody; at the end of the line where no place is free."""
    session = session_to_manage(actor_of(request.user), session_id)
    form = EnrolForm(request.POST)

    def work(by: By, data: dict[str, Any]) -> Enrolment:
        person = person_to_certify(by.actor, session.course.organisation, data["user"])
        return enrolment_make(by, user=person, session_id=session.pk, waits=True)

    def done(row: Enrolment) -> str:
        message = gettext("{person} has a place and is notified by mail.")
        if row.state == "waiting":
            message = gettext("{person} is on the waiting list and is notified by mail.")
        return message.format(person=row.user)

    def shows(refused: Refused) -> None:
        form.refuse([FieldProblem("user", refused.code, refused.numbers)])

    return _session_act(request, session, work, done, form, "enrol_form", shows)


@writes
def result(request: HttpRequest, enrolment_id: UUID) -> HttpResponse:
    """Say how it went for somebody."""
    result = request.POST.get("result", "")
    row = enrolment_result(by_of(request), enrolment_id=enrolment_id, result=result)
    message = gettext("Saved: {person}.")
    if row.state == "passed":
        message = gettext("{person} has passed and is certified.")
    messages.success(request, message.format(person=row.user))
    return redirect("instruments:session-manage", session_id=row.session_id)


def _course_form(actor: Actor, course: Course, data: Any = None) -> CourseForm:
    others = managed_courses(actor).filter(organisation=course.organisation, retired_at=None)
    return CourseForm(data, course=course, others=list(others.exclude(pk=course.pk)))


def _session_form(course: Course, data: Any, session: CourseSession | None = None) -> SessionForm:
    sites = facilities().filter(organisation=course.organisation)
    return SessionForm(data, course=course, facilities=list(sites), session=session)


def _course_page(
    request: HttpRequest,
    course: Course,
    *,
    form: CourseForm | None = None,
    refused: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    by = by_of(request)
    context = {
        "course": course,
        "form": form or _course_form(by.actor, course),
        "refused": refused,
        "sessions": list(sessions().filter(course=course).order_by("-start_at", "-id")[:PAGE]),
        "now": by.now,
    }
    return render(request, "instruments/course_manage.html", context, status=status)


def _session_act(
    request: HttpRequest,
    session: CourseSession,
    work: Callable[[By, dict[str, Any]], Any],
    done: str | Callable[[Any], str],
    form: StyledForm,
    name: str,
    shows: Callable[[Refused], None] | None = None,
) -> HttpResponse:
    """Carry out an act on a session and go back to its page; a refusal is shown there."""
    page = partial(_session_page, request, session)
    to = reverse("instruments:session-manage", args=[session.pk])
    return act(request, page, work, to=to, done=done, form=form, name=name, shows=shows)


def _session_page(
    request: HttpRequest, session: CourseSession, status: int = 200, **forms: Any
) -> HttpResponse:
    by = by_of(request)
    rows = participants(session)
    context = {
        "is_manager": by.actor.may("manage-instruments", place_of(session.course.organisation)),
        "session": session,
        "course": session.course,
        "form": forms.get("form") or _session_form(session.course, None, session),
        "cancel_form": SessionCancelForm(initial={"version": session.version}),
        "enrol_form": EnrolForm(),
        "participants": rows,
        "line": places_in_line(rows),
        "has_begun": session.start_at <= by.now,
        "is_over": session.end_at <= by.now,
        **forms,
    }
    return render(request, "instruments/course_session.html", context, status=status)
