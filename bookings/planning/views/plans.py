"""Pages of planned purchases: those around the reader, entering one, what became of it."""

from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotPermitted, WrongState
from accounts.domain.roles import By
from accounts.views.pages import act, bare, by_of, edits, reads, sent, shown, writes
from bookings.planning.domain.plans import PLANNED
from bookings.planning.forms.plans import CaseForm, DropForm, PlanForm
from bookings.planning.models import PlannedPurchase
from bookings.planning.selectors import plans as plan_selectors
from bookings.planning.selectors.map import reads_map
from bookings.planning.services.plans import plan_change, plan_make, plan_name_case
from bookings.record.views.lists import ListPage
from instruments.reading.domain.clock import local_date
from instruments.vocabulary.selectors.techniques import techniques

LIST = ListPage("bookings/planning/plans.html", plan_selectors.PLANS, size=50)


@reads
def plans(request: HttpRequest) -> HttpResponseBase:
    """List the plans of the reader's regions and those around them, of one class or all."""
    by = by_of(request)
    return LIST.answer(
        request,
        by,
        plan_selectors.plans_for(by.actor, by.now),
        may_add=plan_selectors.planning_organisations(by.actor).exists(),
        here="plans",
        reads_map=reads_map(by.actor),
    )


@edits
def new(request: HttpRequest) -> HttpResponse:
    """Enter what an organisation plans to buy."""
    by = by_of(request)
    owners = list(plan_selectors.planning_organisations(by.actor)[:500])
    if not owners:
        raise NotPermitted
    today = local_date(ZoneInfo(owners[0].region.time_zone), by.now)
    form = PlanForm(sent(request), organisations=owners, vocabulary=list(techniques()), today=today)
    return act(
        request,
        partial(shown, request, "bookings/planning/plan_edit.html"),
        lambda by, data: plan_make(by, organisation=data["organisation"], values=form.values()),
        to=lambda plan: reverse("bookings:plan", args=[plan.pk]),
        done=gettext("The plan is entered; the coordinators and hosts around are notified."),
        form=form,
    )


@reads
def plan(request: HttpRequest, plan_id: UUID, status: int = 200, **context: Any) -> HttpResponse:
    """Show a planned purchase, and what can be done with it."""
    by = by_of(request)
    row = plan_selectors.plan_by_id(by.actor, plan_id, by.now)
    may_change = row.state == PLANNED and plan_selectors.may_plan(by.actor, row.organisation)
    context = {"drop": DropForm(initial={"version": row.version}), **context}
    if may_change:
        cases = list(plan_selectors.cases_to_name(row)[:100])
        context.setdefault("case", CaseForm(cases=cases, version=row.version))
        context["has_cases"] = bool(cases)
    context |= {"plan": row, "may_change": may_change}
    return shown(request, "bookings/planning/plan.html", status=status, **context)


def _owned(by: By, plan_id: UUID) -> PlannedPurchase:
    row = plan_selectors.plan_by_id(by.actor, plan_id, by.now)
    if not plan_selectors.may_plan(by.actor, row.organisation):
        raise NotPermitted
    return row


@edits
def change(request: HttpRequest, plan_id: UUID) -> HttpResponse:
    """Correct a planned purchase."""
    by = by_of(request)
    row = _owned(by, plan_id)
    if row.state != PLANNED:
        raise WrongState("plan-over", state=row.state)
    today = local_date(ZoneInfo(row.organisation.region.time_zone), by.now)
    form = PlanForm(sent(request), vocabulary=list(techniques()), plan=row, today=today)
    return act(
        request,
        partial(shown, request, "bookings/planning/plan_edit.html", plan=row),
        lambda by, _: plan_change(by, plan_id=plan_id, values=form.values()),
        to=reverse("bookings:plan", args=[plan_id]),
        form=form,
    )


@writes
def name_case(request: HttpRequest, plan_id: UUID) -> HttpResponse:
    """Name the purchase case that a plan became."""
    by = by_of(request)
    row = _owned(by, plan_id)
    form = CaseForm(request.POST, cases=list(plan_selectors.cases_to_name(row)[:100]), version=row.version)
    return act(
        request,
        partial(bare(plan), request, plan_id),
        lambda by, data: plan_name_case(by, plan_id=plan_id, case=UUID(data["case"])),
        to=reverse("bookings:plan", args=[plan_id]),
        form=form,
        name="case",
    )
