"""Pages for people who give courses: sessions, participants, results."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import FieldProblem, NotPermitted, Refused
from accounts.domain.roles import Actor, By
from accounts.models import Organisation
from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from accounts.views.pages import act, by_of, edits, reads, sent, writes
from instruments.reading.domain.clock import local_date
from instruments.reading.forms.fields import StyledForm
from instruments.register.selectors.registry import facilities
from instruments.training.forms.training import CourseForm, EnrolForm, SessionCancelForm, SessionForm
from instruments.training.models import Course, CourseSession, Enrolment
from instruments.training.selectors import training
from instruments.training.selectors.fees import PlacePrice, payers_to_name, places_priced, sources_to_choose
from instruments.training.selectors.qualifications import people_to_certify
from instruments.training.services import training as training_services
from instruments.training.services.enrolments import EnrolmentsRefused, enrolments_make

PAGE = 50


@reads
def courses(request: HttpRequest) -> HttpResponse:
    """List the courses that the reader manages."""
    actor = actor_of(request.user)
    page = Paginator(training.managed_courses(actor), PAGE).get_page(request.GET.get("page"))
    return render(request, "instruments/courses.html", {"page": page})


@edits
def course_new(request: HttpRequest) -> HttpResponse:
    """Offer a course; `?organisation=` chooses one if the reader manages several."""
    actor = actor_of(request.user)
    hosts = training.hosts_managed(actor)
    if not hosts:
        raise NotPermitted(capability="manage-instruments")
    host = next((h for h in hosts if h.code == request.GET.get("organisation")), hosts[0])
    others = list(training.courses().filter(organisation=host, retired_at=None))
    form = CourseForm(sent(request), others=others, things=training.things_of(actor, host))

    def page(status: int = 200, **context: Any) -> HttpResponse:
        context |= {"host": host, "hosts": hosts}
        return render(request, "instruments/course_new.html", context, status=status)

    return act(
        request,
        page,
        lambda by, _: training_services.course_create(
            by, host=host, terms=form.terms(), **form.chosen_thing()
        ),
        to=lambda row: reverse("instruments:course-manage", args=[row.pk]),
        done=gettext("The course is offered. Now add a session."),
        form=form,
    )


@edits
def course_manage(request: HttpRequest, course_id: UUID, **shown: Any) -> HttpResponse:
    """Show a course's sessions; POST changes the course."""
    actor = actor_of(request.user)
    course = training.course_to_manage(actor, course_id)
    page = partial(_course_page, request, course)
    if shown:
        return page(**shown)
    form = _course_form(course, sent(request))
    return act(
        request,
        page,
        lambda by, _: training_services.course_change(by, course_id=course_id, terms=form.terms()),
        to=reverse("instruments:course-manage", args=[course_id]),
        done=gettext("Saved."),
        form=form,
    )


@edits
def session_new(request: HttpRequest, course_id: UUID) -> HttpResponse:
    """Enter a session of a course."""
    course = training.course_to_manage(actor_of(request.user), course_id)
    form = _session_form(actor_of(request.user), course, sent(request))

    def page(status: int = 200, **context: Any) -> HttpResponse:
        context["course"] = course
        return render(request, "instruments/course_session_new.html", context, status=status)

    return act(
        request,
        page,
        lambda by, _: training_services.session_create(
            by,
            course_id=course.pk,
            facility=form.chosen_facility(),
            terms=form.terms(training.trainers_named(course.organisation, form.names())),
            displace=form.cleaned_data["displace"],
        ),
        to=lambda row: reverse("instruments:session-manage", args=[row.pk]),
        done=gettext("Entered: it is open for enrolment."),
        form=form,
    )


@edits
def session_manage(request: HttpRequest, session_id: UUID, **shown: Any) -> HttpResponse:
    """Show the participants of a session, to its trainers too; POST, for managers, changes it."""
    is_sent = request.method == "POST" and not shown
    find = training.session_to_manage if is_sent else training.session_to_lead
    session = find(actor_of(request.user), session_id)
    if shown:
        return _session_page(request, session, **shown)
    form = _session_form(actor_of(request.user), session.course, sent(request), session)
    return _session_act(
        request,
        session_id,
        lambda by, _: training_services.session_change(
            by,
            session_id=session_id,
            facility=form.chosen_facility(),
            terms=form.terms(training.trainers_named(session.course.organisation, form.names())),
            displace=form.cleaned_data["displace"],
        ),
        gettext("Saved."),
        form,
        "form",
        session=session,
    )


@writes
def enrol(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Enrol people; those for whom no place is free, at the end of the line."""
    actor = actor_of(request.user)
    session = training.session_to_manage(actor, session_id)
    host = session.course.organisation
    form = _enrol_form(actor, session, request.POST)

    def work(by: By, data: dict[str, Any]) -> list[Enrolment]:
        people = people_to_certify(by.actor, host, data["user"], session.course.instrument)
        payer = data.get("organisation")
        return enrolments_make(
            by, users=people, session_id=session_id, organisation=payer, funding=form.shares()
        )

    def done(rows: list[Enrolment]) -> str:
        row = rows[0]
        if len(rows) > 1:
            waiting = sum(each.state == "waiting" for each in rows)
            message = gettext("{n} people are enrolled, {waiting} of them on the waiting list; all are told.")
            return message.format(n=len(rows), waiting=waiting)
        message = gettext("{person} has a place and is notified by mail.")
        if row.state == "waiting":
            message = gettext("{person} is on the waiting list and is notified by mail.")
        return message.format(person=row.user)

    def shows(refused: Refused) -> None:
        all_of_them = [refused]
        if isinstance(refused, EnrolmentsRefused):  # who, and then each reason once
            all_of_them += {why.code: why for _, why in refused.refused}.values()
        form.refuse([FieldProblem("user", why.code, why.numbers) for why in all_of_them])

    return _session_act(request, session_id, work, done, form, "enrol_form", shows)


def _course_form(course: Course, data: Any = None) -> CourseForm:
    others = training.courses().filter(organisation=course.organisation, retired_at=None)
    return CourseForm(data, course=course, others=list(others.exclude(pk=course.pk)))


def _session_form(
    actor: Actor, course: Course, data: Any, session: CourseSession | None = None
) -> SessionForm:
    sites = facilities().filter(organisation=course.organisation)
    mine, _ = training.things_of(actor, course.organisation)
    return SessionForm(
        data, actor=actor, course=course, facilities=list(sites), instruments=mine, session=session
    )


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
        "form": form or _course_form(course),
        "refused": refused,
        "sessions": list(training.sessions().filter(course=course).order_by("-start_at", "-id")[:PAGE]),
        "now": by.now,
    }
    return render(request, "instruments/course_manage.html", context, status=status)


def _session_act(
    request: HttpRequest,
    session_id: UUID,
    work: Callable[[By, dict[str, Any]], Any],
    done: str | Callable[[Any], str],
    form: StyledForm,
    name: str,
    shows: Callable[[Refused], None] | None = None,
    session: CourseSession | None = None,
) -> HttpResponse:
    """Carry out an act on a session and go back to its page, which also shows a refusal. `session`: the row,
    if it is loaded already."""

    def page(**shown: Any) -> HttpResponse:
        row = session or training.session_to_manage(actor_of(request.user), session_id)
        return _session_page(request, row, **shown)

    to = reverse("instruments:session-manage", args=[session_id])
    return act(request, page, work, to=to, done=done, form=form, name=name, shows=shows)


def _price_of_host(session: CourseSession) -> PlacePrice | None:
    prices = places_priced([session], [session.course.organisation])
    return next(iter(prices.get(session.pk, ())), None)


def _payers(actor: Actor, session: CourseSession) -> Sequence[Organisation]:
    """Return the organisations that the actor may name as payers; none for a place that has no price."""
    return payers_to_name(actor, session.course.organisation) if _price_of_host(session) else ()


def _enrol_form(actor: Actor, session: CourseSession, data: Any = None) -> EnrolForm:
    payers = _payers(actor, session)
    day = local_date(training.session_zone(session), session.start_at)
    sources = sources_to_choose(actor.person, payers, day) if payers else {}
    return EnrolForm(data, actor=actor, payers=payers, sources=sources)


def _spends(actor: Actor, session: CourseSession) -> bool:
    return actor.may("manage-instruments", place_of(session.course.organisation))


def _session_page(
    request: HttpRequest, session: CourseSession, status: int = 200, **forms: Any
) -> HttpResponse:
    by = by_of(request)
    rows = training.participants(session)
    is_manager = by.actor.may("manage-instruments", training.place_of_course(session.course))
    # What a place costs the host, who pays for those whom it enrols.
    price = _price_of_host(session)
    context = {
        "is_manager": is_manager,
        "price": price,
        # Who manages the instrument of the course alone enrols nobody at the cost of the host.
        "may_enrol": is_manager and (not (price and price.payable) or _spends(by.actor, session)),
        "session": session,
        "course": session.course,
        "form": forms.get("form") or _session_form(by.actor, session.course, None, session),
        "cancel_form": SessionCancelForm(initial={"version": session.version}),
        "enrol_form": _enrol_form(by.actor, session) if is_manager else EnrolForm(actor=by.actor),
        "participants": rows,
        "line": training.places_in_line(rows),
        "has_begun": session.start_at <= by.now,
        "is_over": session.end_at <= by.now,
        **forms,
    }
    return render(request, "instruments/course_session.html", context, status=status)
