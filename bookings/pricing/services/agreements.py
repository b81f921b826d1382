"""Agreements between regions: proposed, signed by every member, ended."""

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import NotPermitted, WrongState, invalid
from accounts.domain.roles import By, Places
from accounts.models import Region
from accounts.notifications import Effect, enqueue
from accounts.selectors.organisations import sharing_regions
from bookings.pricing.domain.agreements import AgreementTerms, end_of, require_terms
from bookings.pricing.locks import lock_agreement
from bookings.pricing.models import Agreement, AgreementMember
from bookings.pricing.selectors import agreements
from bookings.pricing.services.codes import coded_save
from bookings.record.locks import locked

# The fields that an agreement and its terms have in common; the regions are its members.
FIELDS = tuple(field.name for field in fields(AgreementTerms) if field.name != "regions")


@transaction.atomic
def agreement_propose(by: By, *, terms: AgreementTerms) -> Agreement:
    """Propose an agreement between several regions, one of them the actor's. It binds nobody until all have
    signed it.

    Raises `Invalid` for what does not fit; `NotPermitted` unless the actor coordinates a member.
    """
    regions = _checked(by, terms)
    row = Agreement(proposed_by_id=by.actor.person, proposed_at=by.now, **_fields(terms))
    _require_alone(regions, row)
    coded_save(row)
    AgreementMember.objects.bulk_create(AgreementMember(agreement=row, region=region) for region in regions)
    after = _recorded(terms, regions)
    trail.record(by, "agreement.propose", row, after=after, places=_places(regions))
    _ask_to_sign(row, by.now)
    return row


@transaction.atomic
def agreement_change(by: By, *, agreement_id: UUID, changes: dict[str, Any]) -> Agreement:
    """Change the terms of a proposal: `changes` are fields of its terms. Regions that had signed must sign
    again. Raises `WrongState` once all have signed, or if it was withdrawn."""
    row, members = _locked(by, agreement_id)
    _require_proposed(row, members, by.now, act="changed")
    old = _terms(row, members)
    new = replace(old, **changes)
    if new == old:
        return row
    regions = _checked(by, new)
    before = [member.region for member in members]
    for name, value in _fields(new).items():
        setattr(row, name, value)
    _require_alone(regions, row)
    row.version += 1
    coded_save(row, is_new=False)
    AgreementMember.objects.filter(agreement=row).exclude(region__in=regions).delete()
    AgreementMember.objects.filter(agreement=row).update(signed_by=None, signed_at=None)
    AgreementMember.objects.bulk_create(
        [AgreementMember(agreement=row, region=region) for region in regions], ignore_conflicts=True
    )
    after = _recorded(new, regions)
    was = {name: value for name, value in _recorded(old, before).items() if value != after[name]}
    trail.record(
        by,
        "agreement.change",
        row,
        before=was | {"signed": sorted(m.region.code for m in members if m.signed_at)},
        after={name: after[name] for name in was},
        places=_places([*before, *regions]),
    )
    _ask_to_sign(row, by.now)
    return row


@transaction.atomic
def agreement_sign(by: By, *, agreement_id: UUID, region_id: UUID | None = None) -> Agreement:
    """Sign an agreement for a member region; the last signature puts it in force from its first day.
    `region_id` may be left out if the actor coordinates only one member.

    Raises `NotPermitted` unless the actor coordinates the member; `WrongState` if it has signed already, or
    the proposal was withdrawn or has run out.
    """
    row, members = _locked(by, agreement_id)
    own = [member for member in members if agreements.coordinates(by.actor, member.region)]
    if region_id is not None:
        if region_id not in {member.region_id for member in members}:
            raise invalid("region", "not-a-member-region")
        own = [member for member in own if member.region_id == region_id]
    if not own:
        raise NotPermitted(capability="coordinate")
    _require_proposed(row, members, by.now, act="signed")
    waiting = [member for member in own if member.signed_at is None]
    if not waiting:
        raise WrongState("signed-already")
    if len(waiting) > 1:
        raise invalid("region", "required")
    if row.valid_until is not None and row.valid_until <= agreements.today_in(members, by.now):
        raise WrongState(state="over", wanted="signed")
    regions = [each.region for each in members]
    if all(each.signed_at is not None for each in members if each is not waiting[0]):
        _require_alone(locked(Region.objects.filter(pk__in=[r.pk for r in regions])), row)
    member = waiting[0]
    member.signed_by_id, member.signed_at = by.actor.person, by.now
    member.save(update_fields=["signed_by", "signed_at"])
    row.version += 1
    if all(each.signed_at is not None for each in members):
        row.signed_at = by.now
    row.save(update_fields=["signed_at", "version"])
    trail.record(
        by,
        "agreement.sign",
        row,
        after={
            "region": member.region.code,
            "terms": _recorded(_terms(row, members), regions),
            "in_force": row.signed_at is not None,
        },
        places=_places(regions),
    )
    return row


@transaction.atomic
def agreement_end(
    by: By, *, agreement_id: UUID, valid_until: date | None = None, reason: str = ""
) -> Agreement:
    """End an agreement, or withdraw a proposal, as any member: it is not in force from `valid_until` on, or
    from today. Bookings made under it keep their terms.

    Raises `Invalid` for a day that is past or not earlier than agreed; `WrongState` if it is over.
    """
    row, members = _locked(by, agreement_id)
    today = agreements.today_in(members, by.now)
    state = agreements.state_on(row, today)
    if state in {"over", "withdrawn"}:
        raise WrongState(state=state, wanted="ended")
    if len(reason) > 500:
        raise invalid("reason", "too-long", most=500)
    was = row.valid_until
    if state == "proposed":
        row.valid_until = row.valid_from
    else:
        row.valid_until = end_of(
            valid_from=row.valid_from, valid_until=was, requested=valid_until, today=today
        )
    row.ended_by_id = by.actor.person
    row.version += 1
    row.save(update_fields=["valid_until", "ended_by", "version"])
    trail.record(
        by,
        "agreement.withdraw" if state == "proposed" else "agreement.end",
        row,
        before={"valid_until": was},
        after={"valid_until": row.valid_until},
        reason=reason.strip(),
        places=_places(member.region for member in members),
    )
    return row


def _locked(by: By, agreement_id: UUID) -> tuple[Agreement, list[AgreementMember]]:
    """Lock an agreement, and return it with its members. Raise `NotPermitted` unless the actor coordinates
    one."""
    row = lock_agreement(agreements.agreements_for(by.actor), agreement_id)
    members = agreements.members_of(row.pk)
    if not any(agreements.coordinates(by.actor, member.region) for member in members):
        raise NotPermitted(capability="coordinate")
    by.require_version(row.version)
    return row, members


def _require_proposed(row: Agreement, members: Sequence[AgreementMember], now: datetime, *, act: str) -> None:
    state = agreements.state_on(row, agreements.today_in(members, now))
    if state != "proposed":
        raise WrongState(state=state, wanted=act)


def _checked(by: By, terms: AgreementTerms) -> list[Region]:
    """Return the member regions, by code, after checking the terms; the actor must coordinate one of them."""
    regions = list(sharing_regions().filter(pk__in=terms.regions))
    known = {region.pk for region in regions}
    require_terms(terms, sharing=known, today=agreements.today_in(regions, by.now))
    if not any(agreements.coordinates(by.actor, region) for region in regions):
        raise NotPermitted(capability="coordinate")
    return regions


def _require_alone(regions: Iterable[Region], row: Agreement) -> None:
    """Raise `Invalid` if exactly these regions have signed another agreement for some of the same days. The
    caller has locked the regions, so two such agreements cannot both get their last signature."""
    others = agreements.agreements_alike(row, sorted(region.pk for region in regions))
    if others:
        raise invalid("regions", "agreed-already", codes=", ".join(each.code for each in others))


def _ask_to_sign(row: Agreement, now: datetime) -> None:
    """Ask the coordinators of members that have not signed yet to sign."""
    key = f"agreement:{row.pk}:to-sign:{row.version}"
    enqueue([Effect("agreement.to-sign", key, {"agreement": str(row.pk)})], now=now)


def _fields(terms: AgreementTerms) -> dict[str, Any]:
    """Return the terms of an agreement as fields of its row."""
    values = {name: getattr(terms, name) for name in FIELDS}
    return values | {"name": terms.name.strip(), "name_zh": terms.name_zh.strip()}


def _terms(row: Agreement, members: Sequence[AgreementMember]) -> AgreementTerms:
    values = {name: getattr(row, name) for name in FIELDS}
    return AgreementTerms(**values, regions=tuple(member.region_id for member in members))


def _recorded(terms: AgreementTerms, regions: Sequence[Region]) -> dict[str, Any]:
    """Return the terms of an agreement as the trail records them."""
    return _fields(terms) | {"regions": sorted(region.code for region in regions)}


def _places(regions: Iterable[Region]) -> Places:
    return (), {pk for region in regions for pk in region.lineage}
