"""Planned purchases: those around, entering one, what becomes of it."""

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
from accounts.views.pages import act, by_of, edits, reads, sent, shown, writes
from bookings.planning.domain.plans import PLANNED
from bookings.planning.forms.plans import CaseForm, DropForm, PlanForm, PlansForm
from bookings.planning.models import PlannedPurchase
from bookings.planning.selectors.map import reads_map
from bookings.planning.selectors.plans import (
    cases_to_name,
    may_plan,
    plan_by_id,
    planning_organisations,
    plans_for,
    plans_of_class,
)
from bookings.planning.services.plans import plan_change, plan_drop, plan_make, plan_name_case
from bookings.record.views.lists import ListPage, amount_cell
from instruments.domain.opening import local_date
from instruments.selectors.techniques import techniques

HEADS = [
    "organisation", "organisation_name", "region", "technique", "technique_name", "name", "year",
    "quarter", "price", "currency", "hours", "place", "confidence", "state",
]  # fmt: skip


def _cells(plan: PlannedPurchase, by: By) -> list[Any]:
    owner, technique = plan.organisation, plan.technique
    return [
        owner.code, owner.name, owner.region.code, technique.code, technique.name, plan.name,
        plan.year, plan.quarter, amount_cell(plan.price, plan.currency), plan.currency, plan.hours,
        plan.place, plan.confidence, plan.state,
    ]  # fmt: skip


LIST = ListPage(
    "bookings/planning/plans.html",
    lambda actor: PlannedPurchase.objects.none(),
    sheet=("planned-purchases", HEADS, _cells),
    words=("name", "organisation__name", "organisation__name_zh", "technique__name"),
    sorts={0: "name", 3: "year", 5: "hours"},
    size=50,
)


@reads
def plans(request: HttpRequest) -> HttpResponseBase:
    """What the reader's regions and those around them plan to buy; of one class, or all."""
    by = by_of(request)
    form = PlansForm(request.GET)
    data = form.cleaned_data if form.is_valid() else {}
    rows = plans_for(by.actor, by.now)
    if technique := data.get("technique"):
        rows = plans_of_class(rows, technique)
    if state := data.get("state"):
        rows = rows.filter(state=state)
    may_add = planning_organisations(by.actor).exists()
    return LIST.answer(
        request,
        by,
        rows,
        form=form,
        is_filtered=any(data.values()),
        may_add=may_add,
        here="plans",
        reads_map=reads_map(by.actor),
    )


@edits
def new(request: HttpRequest) -> HttpResponse:
    """Enter what an organisation plans to buy."""
    by = by_of(request)
    owners = list(planning_organisations(by.actor)[:500])
    if not owners:
        raise NotPermitted
    today = local_date(ZoneInfo(owners[0].region.time_zone), by.now)
    form = PlanForm(sent(request), organisations=owners, vocabulary=list(techniques()), today=today)
    return act(
        request,
        partial(shown, request, "bookings/planning/plan_edit.html"),
        lambda by, data: plan_make(by, organisation=data["organisation"], values=form.values()),
        to=lambda plan: reverse("bookings:plan", args=[plan.pk]),
        done=gettext("The plan is entered; the coordinators and hosts around are told."),
        form=form,
    )


@reads
def plan(request: HttpRequest, plan_id: UUID) -> HttpResponse:
    """One of them, with what may become of it."""
    return _page(request, plan_id)


def _page(request: HttpRequest, plan_id: UUID, status: int = 200, **context: Any) -> HttpResponse:
    by = by_of(request)
    row = plan_by_id(by.actor, plan_id, by.now)
    may_change = row.state == PLANNED and may_plan(by.actor, row.organisation)
    context = {"drop": DropForm(initial={"version": row.version}), **context}
    if may_change:
        cases = list(cases_to_name(row)[:100])
        context.setdefault("case", CaseForm(cases=cases, version=row.version))
        context["has_cases"] = bool(cases)
    context |= {"plan": row, "may_change": may_change}
    return shown(request, "bookings/planning/plan.html", status=status, **context)


def _owned(by: By, plan_id: UUID) -> PlannedPurchase:
    row = plan_by_id(by.actor, plan_id, by.now)
    if not may_plan(by.actor, row.organisation):
        raise NotPermitted
    return row


@edits
def change(request: HttpRequest, plan_id: UUID) -> HttpResponse:
    """Correct what was planned."""
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
def drop(request: HttpRequest, plan_id: UUID) -> HttpResponse:
    """Say that it will not be bought."""
    return act(
        request,
        partial(_page, request, plan_id),
        lambda by, data: plan_drop(by, plan_id=plan_id, reason=data["reason"]),
        to=reverse("bookings:plan", args=[plan_id]),
        done=gettext("The plan is dropped; who was told of it is told."),
        form=DropForm(request.POST),
        name="drop",
    )


@writes
def name_case(request: HttpRequest, plan_id: UUID) -> HttpResponse:
    """Name the purchase case that it became."""
    by = by_of(request)
    row = _owned(by, plan_id)
    form = CaseForm(request.POST, cases=list(cases_to_name(row)[:100]), version=row.version)
    return act(
        request,
        partial(_page, request, plan_id),
        lambda by, data: plan_name_case(by, plan_id=plan_id, case=UUID(data["case"])),
        to=reverse("bookings:plan", args=[plan_id]),
        form=form,
        name="case",
    )
