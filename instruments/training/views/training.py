"""Pages for people who take courses: courses on offer, the reader's places and certificates."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext

from accounts.models import User
from accounts.selectors.memberships import place_of
from accounts.views.pages import by_of, reads, writes
from instruments.training.selectors import training as training_selectors
from instruments.training.selectors.qualifications import load_certificate, own_certificates, zone_of
from instruments.training.services.enrolments import enrolment_make, enrolment_withdraw

PAGE = 50
SHOWN = 20  # most of the reader's own places


@reads
def training(request: HttpRequest) -> HttpResponse:
    """Show courses with their next sessions, and the reader's places and certificates."""
    by = by_of(request)
    now, actor = by.now, by.actor
    offered = training_selectors.courses_for(actor).filter(retired_at=None)
    page = Paginator(offered, PAGE).get_page(request.GET.get("page"))
    ahead: dict[UUID, Any] = {}
    for session in training_selectors.coming(
        training_selectors.sessions_for(actor).filter(course__in=list(page.object_list)), now
    ):
        ahead.setdefault(session.course_id, session)
    own = list(training_selectors.own_enrolments(actor)[:SHOWN])
    certificates = [
        {"row": row, "state": state}
        for row in own_certificates(actor)[:SHOWN]
        if (state := load_certificate(row).state(zone_of(row), now)) in ("valid", "coming")
    ]
    context = {
        "page": page,
        "courses": [{"course": c, "next": ahead.get(c.pk)} for c in page.object_list],
        "own": own,
        "led": list(training_selectors.sessions_taught(actor, now)[:SHOWN]),
        "line": training_selectors.places_in_line(own),
        "certificates": certificates,
        "now": now,
    }
    return render(request, "instruments/training.html", context)


@reads
def course(request: HttpRequest, course_id: UUID) -> HttpResponse:
    """Show a course, its upcoming sessions and the reader's places."""
    by = by_of(request)
    now, actor = by.now, by.actor
    row = training_selectors.course_by_id(actor, course_id)
    own = list(training_selectors.own_enrolments(actor).filter(session__course=row))
    context = {
        "course": row,
        "sessions": list(
            training_selectors.coming(training_selectors.sessions_for(actor).filter(course=row), now)
        ),
        "own": {each.session_id: each for each in own},
        "line": training_selectors.places_in_line(own),
        "now": now,
        "is_manager": actor.may("manage-instruments", place_of(row.organisation)),
    }
    return render(request, "instruments/course.html", context)


@writes
def enrol(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Take a place in a session, or join the end of the line."""
    by = by_of(request)
    row = enrolment_make(
        by,
        user=get_object_or_404(User, pk=by.actor.person),
        session_id=session_id,
        waits=request.POST.get("waits") == "on",
    )
    if row.state == "enrolled":
        messages.success(request, gettext("You have a place. A mail with the time and place is on its way."))
    else:
        messages.success(request, gettext("You are on the waiting list, and will be notified by mail."))
    return redirect("instruments:course", course_id=row.session.course_id)


@writes
def withdraw(request: HttpRequest, enrolment_id: UUID) -> HttpResponse:
    """Give up a place: one's own or, as a manager, somebody else's."""
    by = by_of(request)
    row = enrolment_withdraw(by, enrolment_id=enrolment_id)
    messages.success(request, gettext("The place was given up."))
    if by.actor.user_id != row.user_id:
        return redirect("instruments:session-manage", session_id=row.session_id)
    return redirect("instruments:training")
