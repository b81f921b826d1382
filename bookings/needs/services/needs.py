"""Needs: describing what one wants to find out, correcting it, withdrawing it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import FieldProblem, Invalid, NotFound, WrongState, invalid
from accounts.domain.roles import By
from accounts.models import Organisation, Region
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import payer_for, region_by_code
from accounts.selectors.rows import as_uuid, visible
from accounts.selectors.users import person_named
from bookings.needs.domain.matching import PARTS
from bookings.needs.models import Need
from bookings.needs.selectors.needs import (
    load_chosen,
    need_to_share,
    needs_under_review,
    own_need,
    written,
)
from bookings.needs.services.batches import need_places_give_back
from bookings.plans.domain.waiting import check_window
from bookings.record.locks import lock_person
from instruments.domain.capabilities import MOST_REQUIREMENTS, requirement_of, requirements_in
from instruments.models import Instrument
from instruments.selectors.needs import load_need_terms, load_parameters

MOST_NEEDS = 50  # of a person, while they are open
MOST_TERMS, MOST_READERS = 5, 20
TERMS_READ = 2  # of a text, where none are chosen


@dataclass(frozen=True)
class NeedValues:
    """What somebody needs. terms: codes of measurands and techniques, requirements: `{parameter,
    low, high}`; None: as the text says. regions: codes; budget: in the currency of the payer's
    region; weights: of the parts of a match; is_flexible: any time in the window suits."""

    text: str
    earliest: datetime
    latest: datetime
    minutes: int
    organisation: str | None = None
    terms: Sequence[str] | None = None
    requirements: Sequence[Mapping[str, Any]] | None = None
    sample: str = ""
    quantity: int | None = None
    modes: Sequence[str] = ()
    regions: Sequence[str] = ()
    budget: Decimal | None = None
    weights: Mapping[str, float] | None = None
    is_flexible: bool = False


@transaction.atomic
def need_make(by: By, *, values: NeedValues) -> Need:
    """Keep what somebody needs, for an organisation they may book for. Where they chose no terms
    the likeliest of the text stand for it.

    `Invalid` (`no-terms`: nothing of the text is known, and nothing was chosen), `NotPermitted`,
    `WrongState` (`too-many-needs`).
    """
    payer = payer_for(by.actor, values.organisation)
    if payer is None:
        raise invalid("organisation", "organisation-needed")
    require(by.actor, "book", place_of(payer))
    columns, regions = _columns(values, payer, by.now)
    lock_person(by.actor.person)
    mine = Need.objects.filter(user_id=by.actor.person, state=Need.State.OPEN)
    if mine.count() >= MOST_NEEDS:
        raise WrongState("too-many-needs", most=MOST_NEEDS)
    need = Need.objects.create(
        **columns,
        user_id=by.actor.person,
        organisation=payer,
        created_at=by.now,
        changed_at=by.now,
    )
    need.regions.set(regions)
    trail.record(by, "need.create", need, after=_facts(need, regions))
    return need


@transaction.atomic
def need_change(by: By, *, need_id: UUID, values: NeedValues) -> Need:
    """Put something else in the place of one's own need; the payer stays."""
    need = _locked(by, need_id)
    before = _facts(need, list(need.regions.all()))
    columns, regions = _columns(values, need.organisation, by.now)
    for name, value in columns.items():
        setattr(need, name, value)
    need.changed_at = by.now
    need.version += 1
    need.save()
    need.regions.set(regions)
    trail.record(by, "need.change", need, before=before, after=_facts(need, regions))
    return need


@transaction.atomic
def need_withdraw(by: By, *, need_id: UUID) -> Need:
    """Look no further; what a batch keeps for it comes free."""
    own_need(by.actor, need_id)
    need_places_give_back(by, need_id=need_id)
    need = _locked(by, need_id)
    need.state = Need.State.WITHDRAWN
    need.changed_at = by.now
    need.version += 1
    need.save(update_fields=["state", "changed_at", "version"])
    trail.record(by, "need.withdraw", need)
    return need


@transaction.atomic
def need_share(by: By, *, need_id: UUID, person: str) -> Need:
    """Let somebody read a need, by id or mail address: for its author and the payer's managers.
    `Invalid` (unknown-person, too-many); who reads it already stays."""
    need = need_to_share(by.actor, need_id)
    reader = person_named(person)
    if reader is None:
        raise invalid("person", "unknown-person", person=person[:254])
    Need.objects.select_for_update(no_key=True).get(pk=need.pk)
    readers = set(need.readers.values_list("pk", flat=True))
    if reader.pk in readers:
        return need
    if len(readers) >= MOST_READERS:
        raise invalid("person", "too-many", most=MOST_READERS)
    need.readers.add(reader)
    trail.record(by, "need.share", need, after={"reader": str(reader.pk)})
    return need_to_share(by.actor, need_id)


@transaction.atomic
def need_unshare(by: By, *, need_id: UUID, person: str) -> Need:
    """Let somebody read it no longer."""
    need = need_to_share(by.actor, need_id)
    reader = need.readers.filter(pk=as_uuid(person)).first()
    if reader is not None:
        need.readers.remove(reader)
        trail.record(by, "need.unshare", need, before={"reader": str(reader.pk)})
    return need_to_share(by.actor, need_id)


@transaction.atomic
def need_open(by: By, *, need_id: UUID, reason: str) -> Need:
    """Read somebody else's need, as their auditor or an administrator; why is in the trail."""
    if not reason.strip():
        raise invalid("reason", "required")
    need = visible(needs_under_review(by.actor), pk=need_id)
    trail.record(by, "need.open", need, reason=reason)
    return need


def _locked(by: By, need_id: UUID) -> Need:
    own_need(by.actor, need_id)
    need = (
        Need.objects.select_for_update(of=("self",), no_key=True)
        .select_related("organisation__region", "user")
        .get(pk=need_id)
    )
    by.require_version(need.version)
    if need.state != Need.State.OPEN:
        raise WrongState("need-withdrawn")
    return need


def _columns(
    values: NeedValues, payer: Organisation, now: datetime
) -> tuple[dict[str, Any], list[Region]]:
    if not values.text.strip():
        raise invalid("text", "required")
    check_window(values.earliest, values.latest, values.minutes, now)
    text = values.text.strip()
    terms = values.terms
    if terms is None:
        terms = [term.code for term in load_need_terms(text)[:TERMS_READ]]
    known = {term.code for term in load_chosen(list(terms))}
    problems = [
        FieldProblem(f"terms[{n}]", "unknown-term", {"term": code[:60]})
        for n, code in enumerate(terms)
        if code not in known
    ]
    if not terms:
        problems.append(FieldProblem("terms", "no-terms"))
    elif len(terms) > MOST_TERMS:
        problems.append(FieldProblem("terms", "too-many", {"most": MOST_TERMS}))
    regions = []
    for n, code in enumerate(dict.fromkeys(values.regions)):
        try:
            regions.append(region_by_code(code))
        except NotFound:
            problems.append(FieldProblem(f"regions[{n}]", "unknown-region", {"region": code}))
    requirements = _requirements(values, text, problems)
    for n, mode in enumerate(values.modes):
        if mode not in Instrument.ServiceMode.values:
            problems.append(FieldProblem(f"modes[{n}]", "unknown-value"))
    weights = dict(values.weights or {})
    if weights and (
        set(weights) - set(PARTS)
        or any(not 0 <= weight <= 1 for weight in weights.values())
        or not sum(weights.values())
    ):
        problems.append(FieldProblem("weights", "wrong-weights"))
    if problems:
        raise Invalid(problems)
    return {
        "text": text,
        "terms": list(dict.fromkeys(terms)),
        "requirements": requirements,
        "sample": values.sample.strip(),
        "quantity": values.quantity,
        "modes": list(dict.fromkeys(values.modes)),
        "earliest": values.earliest,
        "latest": values.latest,
        "minutes": values.minutes,
        "budget": values.budget,
        "currency": payer.region.currency,
        "weights": weights,
        "is_flexible": values.is_flexible,
    }, regions


def _requirements(
    values: NeedValues, text: str, problems: list[FieldProblem]
) -> list[dict[str, str | None]]:
    parameters = load_parameters()
    if values.requirements is None:
        read = [each.requirement for each in requirements_in(text, parameters)]
        return [written(each) for each in read[:MOST_REQUIREMENTS]]
    if len(values.requirements) > MOST_REQUIREMENTS:
        problems.append(FieldProblem("requirements", "too-many", {"most": MOST_REQUIREMENTS}))
        return []
    result = []
    for n, each in enumerate(values.requirements):
        sides = each.get("low"), each.get("high")
        try:
            result.append(written(requirement_of(str(each["parameter"]), *sides, parameters)))
        except Invalid as refused:
            problems += [
                replace(problem, field=f"requirements[{n}].{problem.field}".removesuffix("."))
                for problem in refused.problems
            ]
    return result


def _facts(need: Need, regions: Sequence[Region]) -> dict[str, Any]:
    """What the trail keeps: not the text, the sample or the requirements, which are private."""
    return {
        "terms": need.terms,
        "minutes": need.minutes,
        "earliest": need.earliest.isoformat(),
        "latest": need.latest.isoformat(),
        "modes": need.modes,
        "flexible": need.is_flexible,
        "regions": sorted(region.code for region in regions),
    }
