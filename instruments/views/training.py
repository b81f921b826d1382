"""Courses as those see them who take part: what is offered, one's places, one's certificates."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from accounts.domain.roles import By
from accounts.models import User
from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from instruments.selectors.qualifications import load_certificate, own_certificates, zone_of
from instruments.selectors.training import (
    coming,
    course_by_id,
    courses_for,
    own_enrolments,
    places_in_line,
    sessions_for,
    sessions_taught,
)
from instruments.services.enrolments import enrolment_make, enrolment_withdraw

PAGE = 50
SHOWN = 20  # of one's own places


@login_required
@require_safe
def training(request: HttpRequest) -> HttpResponse:
    """Courses with their next sessions, the reader's places and certificates."""
    now, actor = timezone.now(), actor_of(request.user)
    offered = courses_for(actor).filter(retired_at=None)
    page = Paginator(offered, PAGE).get_page(request.GET.get("page"))
    ahead: dict[UUID, Any] = {}
    for session in coming(sessions_for(actor).filter(course__in=list(page.object_list)), now):
        ahead.setdefault(session.course_id, session)
    own = list(own_enrolments(actor)[:SHOWN])
    certificates = [
        {"row": row, "state": state}
        for row in own_certificates(actor)[:SHOWN]
        if (state := load_certificate(row).state(zone_of(row), now)) in ("valid", "coming")
    ]
    context = {
        "page": page,
        "courses": [{"course": c, "next": ahead.get(c.pk)} for c in page.object_list],
        "own": own,
        "led": list(sessions_taught(actor, now)[:SHOWN]),
        "line": places_in_line(own),
        "certificates": certificates,
        "now": now,
    }
    return render(request, "instruments/training.html", context)


@login_required
@require_safe
def course(request: HttpRequest, course_id: UUID) -> HttpResponse:
    """One course: what it gives, its sessions to come, places."""
    now, actor = timezone.now(), actor_of(request.user)
    found = course_by_id(actor, course_id)
    own = list(own_enrolments(actor).filter(session__course=found))
    context = {
        "course": found,
        "sessions": list(coming(sessions_for(actor).filter(course=found), now)),
        "own": {row.session_id: row for row in own},
        "line": places_in_line(own),
        "now": now,
        "is_manager": actor.may("manage-instruments", place_of(found.organisation)),
    }
    return render(request, "instruments/course.html", context)


@login_required
@require_POST
def enrol(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Take a place, or the end of the line."""
    actor = actor_of(request.user)
    row = enrolment_make(
        By(actor, timezone.now()),
        user=get_object_or_404(User, pk=actor.person),
        session_id=session_id,
        waits=request.POST.get("waits") == "on",
    )
    if row.state == "enrolled":
        messages.success(request, gettext("You have a place. A mail gives time and place."))
    else:
        messages.success(
            request, gettext("You are on the waiting list, and will be notified by mail.")
        )
    return redirect("instruments:course", course_id=row.session.course_id)


@login_required
@require_POST
def withdraw(request: HttpRequest, enrolment_id: UUID) -> HttpResponse:
    """Give a place up, by the person or a manager."""
    actor = actor_of(request.user)
    row = enrolment_withdraw(By(actor, timezone.now()), enrolment_id=enrolment_id)
    messages.success(request, gettext("The place was given up."))
    if actor.user_id != row.user_id:
        return redirect("instruments:session-manage", session_id=row.session_id)
    return redirect("instruments:training")
