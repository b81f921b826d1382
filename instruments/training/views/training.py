"""Pages for people who take courses: courses on offer, the reader's places and certificates."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext

from accounts.domain.roles import Actor
from accounts.models import Organisation, User
from accounts.views.pages import by_of, reads, writes
from instruments.reading.domain.clock import local_date
from instruments.training.models import CourseSession
from instruments.training.selectors import training as training_selectors
from instruments.training.selectors.fees import (
    THEIRS,
    Prices,
    SourceChoice,
    own_payers,
    places_priced,
    sources_to_choose,
)
from instruments.training.selectors.qualifications import own_certificates, shown_states
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
        for row, state in shown_states(list(own_certificates(actor)[:SHOWN]), now)
        if state in ("valid", "coming")
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
    sessions = list(training_selectors.coming(training_selectors.sessions_for(actor).filter(course=row), now))
    own = list(training_selectors.own_enrolments(actor).filter(session__course=row))
    is_manager = actor.may("manage-instruments", training_selectors.place_of_course(row))
    prices = places_priced(sessions, own_payers(actor))
    named = {price.organisation.pk for of_session in prices.values() for price in of_session}
    payer_id = next(iter(named)) if len(named) == 1 else None
    context = {
        "course": row,
        "sessions": sessions,
        "prices": prices,
        "sources": _sources(actor, sessions, prices),
        "blocked": {} if is_manager else training_selectors.load_blocked(actor, sessions, payer_id, now),
        "own": {each.session_id: each for each in own},
        "line": training_selectors.places_in_line(own),
        "now": now,
        "is_manager": is_manager,
    }
    return render(request, "instruments/course.html", context)


def _sources(
    actor: Actor, sessions: Sequence[CourseSession], prices: Prices
) -> dict[UUID, list[tuple[Organisation, list[SourceChoice], bool]]]:
    """Return the funding sources to choose for a place in each session that costs something, by payer, with
    whether one is the person's default."""
    found = {}
    for session in sessions:
        payers = [price.organisation for price in prices.get(session.pk, ()) if price.payable]
        if not payers:
            continue
        day = local_date(training_selectors.session_zone(session), session.start_at)
        choices = sources_to_choose(actor.person, payers, day)
        found[session.pk] = [
            (payer, offered, any(each.is_default for each in offered))
            for payer in payers
            if (offered := choices.get(payer.pk))
        ]
    return found


def _funding(data: QueryDict, payer: str | None) -> list[tuple[str, Decimal]] | None:
    """Return the source that the form names for the payer, who is the person's only one without a name; None
    if it names none, or the default of several sources."""
    names = [name for name in data if name.startswith("funding-")]
    name = f"funding-{payer}" if payer else names[0] if len(names) == 1 else ""
    code = data.get(name, THEIRS)
    if code == THEIRS:
        return None
    return [(code, Decimal(100))] if code else []


@writes
def enrol(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Take a place in a session, or join the end of the line."""
    by = by_of(request)
    row = enrolment_make(
        by,
        user=get_object_or_404(User, pk=by.actor.person),
        session_id=session_id,
        waits=request.POST.get("waits") == "on",
        organisation=request.POST.get("organisation"),
        funding=_funding(request.POST, request.POST.get("organisation")),
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
