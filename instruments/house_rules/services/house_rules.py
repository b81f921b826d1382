"""Set house rules, and accept them."""

import hashlib
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import NotFound, WrongVersion, invalid
from accounts.domain.roles import By
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from instruments.house_rules.models import HouseRules, HouseRulesAcceptance
from instruments.house_rules.selectors.house_rules import house_rules_versions, load_house_rules
from instruments.register.locks import lock_managed
from instruments.register.models import Facility, Instrument
from instruments.register.selectors.registry import instrument_to_book

LONGEST_RULES = 20_000


@transaction.atomic
def house_rules_set(
    by: By, *, instrument_id: UUID | None = None, facility_id: UUID | None = None, text: str, text_zh: str
) -> HouseRules | None:
    """Give an instrument or a facility new house rules, as a version that stays on record; return None if
    they are the same as before. If both texts are empty there are no rules from now on. Bookings stay as they
    are. `WrongVersion` if the rules have changed since they were read."""
    text, text_zh = text.strip(), text_zh.strip()
    for name, value in (("text", text), ("text_zh", text_zh)):
        if len(value) > LONGEST_RULES:
            raise invalid(name, "too-long", most=LONGEST_RULES)
    place = _lock(by, instrument_id, facility_id)
    last = house_rules_versions(place).first()
    by.require_version(last.version if last else 0)
    if (last.text, last.text_zh) == (text, text_zh) if last else not (text or text_zh):
        return None
    row = HouseRules.objects.create(
        instrument_id=instrument_id,
        facility_id=facility_id,
        version=last.version + 1 if last else 1,
        text=text,
        text_zh=text_zh,
        valid_from=by.now,
        made_by_id=by.actor.user_id,
    )
    place.house_rules_version = row.version if text or text_zh else None
    place.save(update_fields=["house_rules_version"])
    digest = hashlib.sha256(f"{text}\n\n{text_zh}".encode()).hexdigest()
    after = {"version": row.version, "in_force": bool(text or text_zh), "sha256": digest}
    trail.record(by, "houserules.set", row, after=after, places=place.places())
    return row


def house_rules_copy(by: By, source: Instrument, copy: Instrument) -> None:
    """Give a copy of an instrument the house rules that the other has of its own."""
    if source.house_rules_version is None:
        return
    rules = house_rules_versions(source).filter(version=source.house_rules_version).first()
    if rules is not None:
        house_rules_set(by, instrument_id=copy.pk, text=rules.text, text_zh=rules.text_zh)


def _lock(by: By, instrument_id: UUID | None, facility_id: UUID | None) -> Instrument | Facility:
    if instrument_id is not None:
        return lock_managed(by, instrument_id)
    rows = Facility.objects.select_for_update(no_key=True, of=["self"])
    facility = visible(rows.select_related("organisation__region"), pk=facility_id)
    require(by.actor, "manage-instruments", place_of(facility.organisation, facility_id=facility.pk))
    return facility


@transaction.atomic
def house_rules_accept(by: By, *, instrument_id: UUID, version: int) -> HouseRulesAcceptance:
    """Accept the rules in force at an instrument in one's own name; accepting them again changes nothing.
    `NotFound` if there are none, `WrongVersion` if `version` is not the one in force."""
    instrument = instrument_to_book(by.actor, instrument_id)
    rules = load_house_rules(instrument, by.actor.person)
    if rules is None:
        raise NotFound
    if rules.version != version:
        raise WrongVersion(version=rules.version)
    return acceptance_store(by, rules)


def acceptance_store(by: By, rules: HouseRules) -> HouseRulesAcceptance:
    """Store that the actor accepts this version of house rules."""
    row, is_new = HouseRulesAcceptance.objects.get_or_create(
        user_id=by.actor.person, rules=rules, defaults={"accepted_at": by.now}
    )
    if is_new:
        after = {"rules": rules.pk, "version": rules.version}
        trail.record(by, "houserules.accept", rules, after=after, places=rules.places())
    return row


def acceptance_record(by: By, rules: HouseRules, *, user_id: UUID, means: str) -> HouseRulesAcceptance:
    """Store that a person accepts this version of house rules on paper, or when they were read out, as the
    actor has seen. The caller has checked that the actor may record it. Nothing changes if the person has
    accepted this version already."""
    if means not in HouseRulesAcceptance.Means.values:
        raise invalid("means", "unknown-value")
    row, is_new = HouseRulesAcceptance.objects.get_or_create(
        user_id=user_id,
        rules=rules,
        defaults={"accepted_at": by.now, "means": means, "recorded_by_id": by.actor.person},
    )
    if is_new:
        after = {"rules": rules.pk, "version": rules.version, "user": user_id, "means": means}
        trail.record(by, "houserules.record", rules, after=after, places=rules.places())
    return row
