"""Courses as those see them who give them: sessions, participants, results."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.domain.errors import (
    FieldProblem,
    Invalid,
    NotFound,
    NotPermitted,
    Refused,
    WrongState,
    WrongVersion,
)
from accounts.domain.roles import Actor, By
from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from instruments.forms import CourseForm, EnrolForm, SessionCancelForm, SessionForm
from instruments.models import Course, CourseSession
from instruments.selectors.registry import facilities
from instruments.selectors.training import (
    course_to_manage,
    hosts_managed,
    managed_courses,
    participants,
    person_to_enrol,
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


@login_required
@require_safe
def courses(request: HttpRequest) -> HttpResponse:
    """The courses of the organisations one manages."""
    actor = actor_of(request.user)
    page = Paginator(managed_courses(actor), PAGE).get_page(request.GET.get("page"))
    return render(request, "instruments/courses.html", {"page": page})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def course_new(request: HttpRequest) -> HttpResponse:
    """Offer a course; `?organisation=` where one manages several."""
    now, actor = timezone.now(), actor_of(request.user)
    hosts = hosts_managed(actor)
    if not hosts:
        raise NotPermitted(capability="manage-instruments")
    host = next((h for h in hosts if h.code == request.GET.get("organisation")), hosts[0])
    others = list(managed_courses(actor).filter(organisation=host, retired_at=None))
    form = CourseForm(_sent(request), others=others, things=things_of(host))
    if form.is_bound and form.is_valid():
        try:
            made = course_create(
                By(actor, now), host=host, terms=form.terms(), **form.chosen_thing()
            )
        except Invalid as refused:
            form.refuse(refused.problems)
        else:
            messages.success(request, gettext("The course is offered. Now a session of it."))
            return redirect("instruments:course-manage", course_id=made.pk)
    context = {"form": form, "host": host, "hosts": hosts}
    return render(request, "instruments/course_new.html", context, status=_status(form))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def course_manage(request: HttpRequest, course_id: UUID) -> HttpResponse:
    """A course's sessions; POST changes the course."""
    now, actor = timezone.now(), actor_of(request.user)
    course = course_to_manage(actor, course_id)
    form, refused = _course_form(actor, course, _sent(request)), None
    if form.is_bound and form.is_valid():
        try:
            course_change(
                By(actor, now, form.cleaned_data["version"]),
                course_id=course.pk,
                terms=form.terms(),
            )
        except Invalid as problem:
            form.refuse(problem.problems)
        except (WrongState, WrongVersion) as problem:
            refused = problem
        else:
            messages.success(request, gettext("Saved."))
            return redirect("instruments:course-manage", course_id=course.pk)
    context = {
        "course": course,
        "form": form,
        "refused": refused,
        "sessions": list(sessions().filter(course=course).order_by("-start_at", "-id")[:PAGE]),
        "now": now,
    }
    status = _status(form, refused)
    return render(request, "instruments/course_manage.html", context, status=status)


@login_required
@require_POST
def retire(request: HttpRequest, course_id: UUID) -> HttpResponse:
    """Offer a course no more."""
    course_retire(By(actor_of(request.user), timezone.now()), course_id=course_id)
    messages.success(request, gettext("The course is not offered any more."))
    return redirect("instruments:courses")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def session_new(request: HttpRequest, course_id: UUID) -> HttpResponse:
    """Enter a session of a course."""
    now, actor = timezone.now(), actor_of(request.user)
    course = course_to_manage(actor, course_id)
    form, refused = _session_form(course, _sent(request)), None
    if form.is_bound and form.is_valid():
        try:
            made = session_create(
                By(actor, now),
                course_id=course.pk,
                facility=form.chosen_facility(),
                terms=form.terms(_trainers(course, form)),
            )
        except Invalid as problem:
            form.refuse(problem.problems)
        except WrongState as problem:
            refused = problem
        else:
            messages.success(request, gettext("Entered: it is open for enrolment."))
            return redirect("instruments:session-manage", session_id=made.pk)
    context = {"course": course, "form": form, "refused": refused}
    return render(
        request, "instruments/course_session_new.html", context, status=_status(form, refused)
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def session_manage(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Who takes part in a session, for its trainers too; POST, for managers, changes it."""
    now, actor = timezone.now(), actor_of(request.user)
    find = session_to_manage if request.method == "POST" else session_to_lead
    session = find(actor, session_id)
    form, refused = _session_form(session.course, _sent(request), session), None
    if form.is_bound and form.is_valid():
        try:
            session_change(
                By(actor, now, form.cleaned_data["version"]),
                session_id=session.pk,
                facility=form.chosen_facility(),
                terms=form.terms(_trainers(session.course, form)),
            )
        except Invalid as problem:
            form.refuse(problem.problems)
        except (WrongState, WrongVersion) as problem:
            refused = problem
        else:
            messages.success(request, gettext("Saved."))
            return redirect("instruments:session-manage", session_id=session.pk)
    return _session_page(
        request, session, now, form=form, refused=refused, status=_status(form, refused)
    )


@login_required
@require_POST
def cancel(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Call a session off."""
    now, actor = timezone.now(), actor_of(request.user)
    session = session_to_manage(actor, session_id)
    form = SessionCancelForm(request.POST)
    if form.is_valid():
        session_cancel(
            By(actor, now, form.cleaned_data["version"]),
            session_id=session.pk,
            reason=form.cleaned_data["reason"],
        )
        messages.success(request, gettext("Cancelled. Everybody enrolled is notified by mail."))
        return redirect("instruments:session-manage", session_id=session.pk)
    return _session_page(request, session, now, cancel_form=form, status=400)


@login_required
@require_POST
def enrol(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Enrol somebody; at the end of the line where no place is free."""
    now, actor = timezone.now(), actor_of(request.user)
    session = session_to_manage(actor, session_id)
    form, status = EnrolForm(request.POST), 400
    if form.is_valid():
        try:
            person = person_to_enrol(actor, session, form.cleaned_data["user"])
            row = enrolment_make(By(actor, now), user=person, session_id=session.pk, waits=True)
        except NotFound:
            form.refuse([FieldProblem("user", "unknown-person")])
        except WrongState as refused:
            form.refuse([FieldProblem("user", refused.code, refused.numbers)])
            status = 409
        else:
            said = gettext("{person} has a place and is notified by mail.")
            if row.state == "waiting":
                said = gettext("{person} is on the waiting list and is notified by mail.")
            messages.success(request, said.format(person=person))
            return redirect("instruments:session-manage", session_id=session.pk)
    return _session_page(request, session, now, enrol_form=form, status=status)


@login_required
@require_POST
def result(request: HttpRequest, enrolment_id: UUID) -> HttpResponse:
    """Say how it went for somebody."""
    row = enrolment_result(
        By(actor_of(request.user), timezone.now()),
        enrolment_id=enrolment_id,
        result=request.POST.get("result", ""),
    )
    said = gettext("Saved: {person}.")
    if row.state == "passed":
        said = gettext("{person} has passed and is certified.")
    messages.success(request, said.format(person=row.user))
    return redirect("instruments:session-manage", session_id=row.session_id)


def _sent(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _status(form: Any, refused: Refused | None = None) -> int:
    if refused is not None:
        return 412 if isinstance(refused, WrongVersion) else 409
    return 400 if form.errors else 200


def _course_form(actor: Actor, course: Course, data: Any) -> CourseForm:
    others = managed_courses(actor).filter(organisation=course.organisation, retired_at=None)
    return CourseForm(data, course=course, others=list(others.exclude(pk=course.pk)))


def _session_form(course: Course, data: Any, session: CourseSession | None = None) -> SessionForm:
    sites = facilities().filter(organisation=course.organisation)
    return SessionForm(data, course=course, facilities=list(sites), session=session)


def _trainers(course: Course, form: SessionForm) -> list[UUID]:
    names = form.names()
    found = trainers_named(course.organisation, names)
    if set(names) - set(found):
        raise Invalid([FieldProblem("trainers", "not-of-the-host")])
    return list(dict.fromkeys(found.values()))


def _session_page(
    request: HttpRequest,
    session: CourseSession,
    now: datetime,
    *,
    status: int,
    form: SessionForm | None = None,
    refused: Refused | None = None,
    cancel_form: SessionCancelForm | None = None,
    enrol_form: EnrolForm | None = None,
) -> HttpResponse:
    rows = participants(session)
    host = session.course.organisation
    context = {
        "is_manager": actor_of(request.user).may("manage-instruments", place_of(host)),
        "session": session,
        "course": session.course,
        "form": form or _session_form(session.course, None, session),
        "refused": refused,
        "cancel_form": cancel_form or SessionCancelForm(initial={"version": session.version}),
        "enrol_form": enrol_form or EnrolForm(),
        "participants": rows,
        "line": places_in_line(rows),
        "has_begun": session.start_at <= now,
        "is_over": session.end_at <= now,
    }
    return render(request, "instruments/course_session.html", context, status=status)
