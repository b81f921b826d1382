"""Planned purchases: entering one, correcting it, dropping it, naming the purchase case it became."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts import trail
from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import FieldProblem, Invalid, NotFound, NotPermitted, WrongState, invalid
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.notifications import Effect, enqueue
from accounts.selectors.organisations import organisation_by_code, require_open
from bookings.planning.domain.plans import (
    DROPPED,
    MOST_HOURS,
    MOST_PLANS,
    PLANNED,
    problems_of_time,
    require_planned,
)
from bookings.planning.models import PlannedPurchase
from bookings.planning.selectors.plans import cases_to_name, may_plan, plan_by_id
from bookings.record.domain.money import format_amount
from bookings.record.locks import locked
from instruments.reading.domain.clock import local_date
from instruments.vocabulary.models import Technique


@dataclass(frozen=True)
class PlanValues:
    """The values of a plan. technique: a code; currency: empty for that of the organisation's region; hours:
    expected use in a year."""

    technique: str
    name: str
    year: int
    price: Decimal
    hours: int
    quarter: int | None = None
    currency: str = ""
    place: str = ""
    confidence: str = PlannedPurchase.Confidence.CONSIDERED


@transaction.atomic
def plan_make(by: By, *, organisation: str, values: PlanValues) -> PlannedPurchase:
    """Enter what an organisation (a code) plans to buy, and notify the coordinators and hosts around it.

    Raises `Invalid`; `NotPermitted` unless the actor manages the organisation or coordinates its region;
    `WrongState` (too-many-plans, organisation-closed).
    """
    try:
        owner = organisation_by_code(organisation)
    except NotFound:
        raise invalid("organisation", "unknown-value") from None
    if not may_plan(by.actor, owner):
        raise NotPermitted
    require_open(owner)
    columns = _columns(values, owner, by)
    locked(Organisation.objects.filter(pk=owner.pk))
    planned = PlannedPurchase.objects.filter(organisation=owner, state=PLANNED)
    if planned.count() >= MOST_PLANS:
        raise WrongState("too-many-plans", most=MOST_PLANS)
    plan = PlannedPurchase.objects.create(
        **columns, organisation=owner, user_id=by.actor.person, created_at=by.now, changed_at=by.now
    )
    trail.record(by, "plan.create", plan, after=_facts(plan))
    _tell(by, plan, "plan.entered")
    return plan


@transaction.atomic
def plan_change(by: By, *, plan_id: UUID, values: PlanValues) -> PlannedPurchase:
    """Replace what was planned by other values; the organisation stays."""
    plan = _locked(by, plan_id)
    before = _facts(plan)
    for name, value in _columns(values, plan.organisation, by).items():
        setattr(plan, name, value)
    after = _facts(plan)
    if after != before or plan.place != values.place.strip():
        _save(by, plan)
        trail.record(by, "plan.change", plan, before=before, after=after)
    return plan


@transaction.atomic
def plan_drop(by: By, *, plan_id: UUID, reason: str) -> PlannedPurchase:
    """Drop a planned purchase, with a reason; everybody who was told of the plan is notified."""
    if not reason.strip():
        raise invalid("reason", "required")
    plan = _locked(by, plan_id)
    plan.state = DROPPED
    _save(by, plan)
    trail.record(by, "plan.drop", plan, reason=reason.strip())
    _tell(by, plan, "plan.dropped")
    return plan


@transaction.atomic
def plan_name_case(by: By, *, plan_id: UUID, case: UUID) -> PlannedPurchase:
    """Name the purchase case that a plan became; raise `Invalid` unless it belongs to the same
    organisation."""
    plan = _locked(by, plan_id)
    row = cases_to_name(plan).filter(pk=case).first()
    if row is None:
        raise invalid("case", "unknown-value")
    plan.state, plan.case = PlannedPurchase.State.BECAME_CASE, row
    _save(by, plan)
    trail.record(by, "plan.become-case", plan, after={"case": str(row.pk)})
    return plan


def _locked(by: By, plan_id: UUID) -> PlannedPurchase:
    plan = plan_by_id(by.actor, plan_id, by.now)
    if not may_plan(by.actor, plan.organisation):
        raise NotPermitted
    require_open(plan.organisation)
    (plan,) = locked(
        PlannedPurchase.objects.select_related("organisation__region", "technique").filter(pk=plan_id)
    )
    by.require_version(plan.version)
    require_planned(plan.state)
    return plan


def _save(by: By, plan: PlannedPurchase) -> None:
    plan.changed_at = by.now
    plan.version += 1
    plan.save()


def _columns(values: PlanValues, owner: Organisation, by: By) -> dict[str, Any]:
    today: date = local_date(ZoneInfo(owner.region.time_zone), by.now)
    problems = problems_of_time(values.year, values.quarter, today)
    technique = None
    if "\0" not in values.technique:
        technique = Technique.objects.filter(code=values.technique).first()
    if technique is None:
        problems.append(FieldProblem("technique", "unknown-term", {"term": values.technique[:60]}))
    if not values.name.strip():
        problems.append(FieldProblem("name", "required"))
    currency = values.currency or owner.region.currency
    if currency not in MINOR_DIGITS:
        problems.append(FieldProblem("currency", "unknown-currency"))
    elif values.price != round(values.price, MINOR_DIGITS[currency]):
        decimals = {"decimals": MINOR_DIGITS[currency]}
        problems.append(FieldProblem("price", "too-many-decimals", decimals))
    if values.price < 1:
        problems.append(FieldProblem("price", "too-small", {"least": 1}))
    if not 0 < values.hours <= MOST_HOURS:
        problems.append(FieldProblem("hours", "out-of-range", {"least": 1, "most": MOST_HOURS}))
    if problems:
        raise Invalid(problems)
    return {
        "technique": technique,
        "name": values.name.strip(),
        "year": values.year,
        "quarter": values.quarter,
        "price": values.price,
        "currency": currency,
        "hours": values.hours,
        "place": values.place.strip(),
        "confidence": values.confidence,
    }


def _facts(plan: PlannedPurchase) -> dict[str, Any]:
    return {
        "organisation": plan.organisation.code,
        "technique": plan.technique.code,
        "name": plan.name,
        "year": plan.year,
        "quarter": plan.quarter,
        "price": format_amount(plan.price, plan.currency),
        "currency": plan.currency,
        "hours": plan.hours,
        "confidence": str(plan.confidence),
    }


def _tell(by: By, plan: PlannedPurchase, kind: str) -> None:
    payload = {"plan": str(plan.pk), "actor": str(by.actor.person)}
    enqueue([Effect(kind, f"{kind}:{plan.pk}", payload)], now=by.now)
