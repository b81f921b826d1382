"""Describing a need, correcting it, withdrawing it, and naming its readers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Func, Value

from accounts import trail
from accounts.domain.errors import FieldProblem, Invalid, NotFound, WrongState, invalid
from accounts.domain.roles import By
from accounts.models import Organisation, Region, User
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.erasure import addresses_of
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import payer_for, region_by_code
from accounts.selectors.rows import as_uuid, visible
from accounts.selectors.users import person_named
from accounts.services.users import address_of
from bookings.catalogue.selectors.needs import load_meant
from bookings.needs.domain.matching import PARTS
from bookings.needs.domain.needs import MET, need_state
from bookings.needs.models import Need
from bookings.needs.selectors.needs import (
    load_chosen,
    need_to_share,
    needs_under_review,
    outcome_of,
    own_need,
    readers_of,
    searching,
    written,
)
from bookings.needs.services.batches import need_places_give_back
from bookings.plans.domain.waiting import check_window
from bookings.record.domain.references import noted
from bookings.record.locks import lock_person
from bookings.record.models import Deletion
from instruments.register.models import Instrument
from instruments.vocabulary.domain.parameters import MOST_REQUIREMENTS, requirement_of, requirements_in
from instruments.vocabulary.selectors.needs import load_parameters

MOST_NEEDS = 50  # of a person, for which instruments are looked for
MOST_TERMS, MOST_READERS = 5, 20


@dataclass(frozen=True)
class NeedValues:
    """The values of a need. terms: codes of measurands and techniques; requirements: `{parameter, low,
    high}`; None for either: read it from the text. regions: codes; budget: in the currency of the payer's
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
def need_make(by: By, *, values: NeedValues, given: Mapping[str, Any] | None = None) -> Need:
    """Create a need, for an organisation for which the actor may book; `given`: what is noted at it.
    If no terms were chosen, those most likely meant by the text are used; a text that is not understood has
    none.

    Raises `Invalid`, `NotPermitted`, `WrongState` (`too-many-needs`).
    """
    payer = payer_for(by.actor, values.organisation)
    if payer is None:
        raise invalid("organisation", "organisation-needed")
    require(by.actor, "book", place_of(payer))
    columns, regions = _columns(values, payer, by.now)
    lock_person(by.actor.person)
    if searching(by.actor.person, by.now).count() >= MOST_NEEDS:
        raise WrongState("too-many-needs", most=MOST_NEEDS)
    need = Need.objects.create(
        **columns,
        **noted({}, given or {}),
        user_id=by.actor.person,
        organisation=payer,
        created_at=by.now,
        changed_at=by.now,
    )
    need.regions.set(regions)
    trail.record(by, "need.create", need, after=_facts(need, regions))
    _tell(by, need)
    return need


def _tell(by: By, need: Need) -> None:
    """Report a need that was described, changed or withdrawn to programs."""
    effect = Effect("event.need", f"event.need:{need.pk}:{need.version}", {"need": str(need.pk)})
    enqueue([effect], now=by.now)


@transaction.atomic
def need_change(by: By, *, need_id: UUID, values: NeedValues) -> Need:
    """Replace the actor's own need by other values; the payer stays. `WrongState` (need-withdrawn, need-met:
    something is booked for it)."""
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
    _tell(by, need)
    return need


@transaction.atomic
def need_note(by: By, *, need_id: UUID, given: Mapping[str, Any]) -> Need:
    """Note `reference` and `metadata` at a need in any state (see `noted`): its author and the payer's
    managers may do this. The trail has that it was done and not what."""
    need_to_share(by.actor, need_id)
    need = Need.objects.select_for_update(of=("self",), no_key=True).get(pk=need_id)
    by.require_version(need.version)
    columns = noted(need.metadata, given)
    if all(getattr(need, name) == value for name, value in columns.items()):
        return need
    for name, value in columns.items():
        setattr(need, name, value)
    need.changed_at = by.now
    need.version += 1
    need.save(update_fields=[*columns, "changed_at", "version"])
    trail.record(by, "need.note", need)
    _tell(by, need)
    return need


@transaction.atomic
def need_withdraw(by: By, *, need_id: UUID) -> Need:
    """Withdraw a need; times that a batch holds for it are released. `WrongState` as for a change."""
    own_need(by.actor, need_id)
    need_places_give_back(by, need_id=need_id)
    need = _locked(by, need_id)
    need.state = Need.State.WITHDRAWN
    need.changed_at = by.now
    need.version += 1
    need.save(update_fields=["state", "changed_at", "version"])
    trail.record(by, "need.withdraw", need)
    _tell(by, need)
    return need


@transaction.atomic
def need_share(by: By, *, need_id: UUID, person: str) -> Need:
    """Let somebody read a need, by id or mail address; its author and the payer's managers may do this.
    Raises `Invalid` (unknown-person, not-a-mail-address, too-many); naming a reader again changes nothing.

    An address is stored and not looked up, so that nobody learns from it who has an account; whoever verifies
    that address can read the need, also if they join later.
    """
    need = need_to_share(by.actor, need_id)
    Need.objects.select_for_update(no_key=True).get(pk=need.pk)
    need = need_to_share(by.actor, need_id)  # read again under the lock
    if as_uuid(person) is None:
        address = address_of(person, "person")
        if address not in need.reader_addresses:
            _require_room(need)
            need.reader_addresses.append(address)
            need.save(update_fields=["reader_addresses"])
            # The address may belong to somebody who knows nothing of this, so the trail does not have it.
            trail.record(by, "need.share", need, after={"reader": "by-mail"})
        return need_to_share(by.actor, need_id)
    reader = person_named(person)
    if reader is None:
        raise invalid("person", "unknown-person", person=person[:254])
    if reader not in need.readers.all():
        _require_room(need)
        need.readers.add(reader)
        need.save(update_fields=["reader_addresses"])  # for its `modified`: copies have the readers
        trail.record(by, "need.share", need, after={"reader": str(reader.pk)})
    return need_to_share(by.actor, need_id)


def needs_forget(by: By, *, user: User) -> None:
    """Note for their readers that somebody's needs are deleted with the account."""
    for need in Need.objects.filter(user=user).prefetch_related("readers"):
        _note_gone(need.pk, [reader.pk for reader in readers_of(need)], payer=need.organisation_id)


def _note_gone(need: UUID, readers: Iterable[UUID], payer: UUID | None = None) -> None:
    """Note that a need is gone for some readers and, if a payer is named, for its managers."""
    of = partial(Deletion, kind=Deletion.Kind.NEED, about=need)
    noted = [of(person=reader) for reader in readers]
    Deletion.objects.bulk_create([*noted, of(payer=payer)] if payer else noted)


def need_addresses_forget(by: By, *, user: User) -> None:
    """Remove the addresses of somebody who leaves from the readers of needs."""
    for address in addresses_of(user):
        Need.objects.filter(reader_addresses__contains=[address.lower()]).update(
            reader_addresses=Func(F("reader_addresses"), Value(address.lower()), function="array_remove")
        )


def _require_room(need: Need) -> None:
    if len(need.readers.all()) + len(need.reader_addresses) >= MOST_READERS:
        raise invalid("person", "too-many", most=MOST_READERS)


@transaction.atomic
def need_unshare(by: By, *, need_id: UUID, person: str) -> Need:
    """Stop letting somebody read a need; name them as they were named when it was shared."""
    need = need_to_share(by.actor, need_id)
    Need.objects.select_for_update(no_key=True).get(pk=need.pk)
    need = need_to_share(by.actor, need_id)  # read again under the lock
    address = person.strip().lower()
    before = readers_of(need)
    if address in need.reader_addresses:
        need.reader_addresses.remove(address)
        need.save(update_fields=["reader_addresses"])
        trail.record(by, "need.unshare", need, before={"reader": "by-mail"})
    reader = need.readers.filter(pk=as_uuid(person)).first()
    if reader is not None:
        need.readers.remove(reader)
        need.save(update_fields=["reader_addresses"])  # for its `modified`
        trail.record(by, "need.unshare", need, before={"reader": str(reader.pk)})
    need = need_to_share(by.actor, need_id)
    _note_gone(need.pk, {each.pk for each in before} - {each.pk for each in readers_of(need)})
    return need


@transaction.atomic
def need_open(by: By, *, need_id: UUID, reason: str) -> Need:
    """Read somebody else's need, as their auditor or an administrator; the reason goes into the trail."""
    if not reason.strip():
        raise invalid("reason", "required")
    need = visible(needs_under_review(by.actor), pk=need_id)
    trail.record(by, "need.open", need, reason=reason)
    return need


def _locked(by: By, need_id: UUID) -> Need:
    need = (
        Need.objects.select_for_update(of=("self",), no_key=True)
        .select_related("organisation__region", "user")
        .filter(pk=need_id, user_id=by.actor.person)
        .first()
    )
    if need is None:
        raise NotFound
    by.require_version(need.version)
    if need.state != Need.State.OPEN:
        raise WrongState("need-withdrawn")
    if need_state(outcome_of(own_need(by.actor, need_id)), by.now) in MET:
        raise WrongState("need-met")
    return need


def _columns(values: NeedValues, payer: Organisation, now: datetime) -> tuple[dict[str, Any], list[Region]]:
    if not values.text.strip():
        raise invalid("text", "required")
    check_window(values.earliest, values.latest, values.minutes, now)
    text = values.text.strip()
    terms = values.terms
    if terms is None:
        terms = [term.code for term in load_meant(text)[:MOST_TERMS]]
    known = {term.code for term in load_chosen(list(terms))}
    problems = [
        FieldProblem(f"terms[{n}]", "unknown-term", {"term": code[:60]})
        for n, code in enumerate(terms)
        if code not in known
    ]
    if len(terms) > MOST_TERMS:
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


def _requirements(values: NeedValues, text: str, problems: list[FieldProblem]) -> list[dict[str, str | None]]:
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
    """Describe a need for the trail, without text, sample and requirements, which are private."""
    return {
        "terms": need.terms,
        "minutes": need.minutes,
        "earliest": need.earliest.isoformat(),
        "latest": need.latest.isoformat(),
        "modes": need.modes,
        "flexible": need.is_flexible,
        "regions": sorted(region.code for region in regions),
    }
