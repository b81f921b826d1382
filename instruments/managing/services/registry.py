"""Enter and change the records of facilities and instruments."""

import zoneinfo
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts import trail
from accounts.domain.errors import invalid
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.notifications import enqueue
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import require_open
from accounts.selectors.rows import visible
from instruments.exchange.domain.fields import one_line
from instruments.policy.domain.hazards import hazards_in
from instruments.policy.domain.policies import Policy
from instruments.policy.selectors.policies import load_policy
from instruments.policy.services.policies import policy_set
from instruments.register.locks import lock_managed
from instruments.register.models import Facility, Instrument
from instruments.register.services.events import record_event
from instruments.register.services.provenance import hand_wrote
from instruments.search.services.search import entries_file
from instruments.vocabulary.models import Technique


def _names_kept(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with each name on one line, because names appear in table rows, printed papers and
    calendars. `Invalid` (`required`) if a name is then empty."""
    kept = {k: one_line(v) if k in {"name", "name_zh"} else v for k, v in values.items()}
    if kept.get("name") == "":
        raise invalid("name", "required")
    return kept


@transaction.atomic
def facility_create(
    by: By, *, organisation: Organisation, name: str, time_zone: str, **values: Any
) -> Facility:
    """Enter a site of an organisation."""
    if not by.actor.is_platform:
        require(by.actor, "manage-instruments", place_of(organisation))
    require_open(organisation)
    if time_zone not in zoneinfo.available_timezones():
        raise invalid("time_zone", "unknown-time-zone")
    values = _facility_values({"name": name} | values)
    try:
        with transaction.atomic():
            facility = Facility.objects.create(organisation=organisation, time_zone=time_zone, **values)
    except IntegrityError:
        raise invalid("name", "name-taken") from None
    trail.record(
        by,
        "facility.create",
        facility,
        after={"name": facility.name, "time_zone": time_zone, "organisation": organisation.pk},
        places=organisation.places(),
    )
    return facility


# The fields of a facility that can be changed; its time zone is that of hours and bookings, and stays.
FACILITY_FIELDS = (
    "name", "name_zh", "address", "contact_name", "contact_email", "contact_phone", "website",
    "latitude", "longitude", "refused_hazards",
)  # fmt: skip


@transaction.atomic
def facility_update(by: By, *, facility_id: UUID, changes: Mapping[str, Any]) -> Facility:
    """Change the fields of a site (`FACILITY_FIELDS`). `WrongVersion` if it has changed since it was read."""
    rows = Facility.objects.select_for_update(of=("self",)).select_related("organisation__region")
    facility = visible(rows, pk=facility_id)
    require(by.actor, "manage-instruments", place_of(facility.organisation, facility_id=facility.pk))
    by.require_version(facility.version)
    changes = _facility_values(changes)
    changed = sorted(
        name for name in FACILITY_FIELDS if name in changes and changes[name] != getattr(facility, name)
    )
    if not changed:
        return facility
    hazards = {"refused_hazards": facility.refused_hazards} if "refused_hazards" in changed else {}
    for name in changed:
        setattr(facility, name, changes[name])
    facility.version += 1
    try:
        with transaction.atomic():
            facility.save(update_fields=[*changed, "version"])
    except IntegrityError:
        raise invalid("name", "name-taken") from None
    if {"name", "name_zh"} & set(changed):
        entries_file(list(facility.instruments.values_list("pk", flat=True)))
    after = {name: getattr(facility, name) for name in hazards}
    trail.record(by, "facility.update", facility, before=hazards, after={"changed": changed} | after)
    return facility


def _facility_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a facility as they are stored: hazards in their standard order, each once. Raise
    `Invalid` for an unknown one."""
    kept = dict(_names_kept(values))
    if "refused_hazards" in kept:
        kept["refused_hazards"] = list(hazards_in(kept["refused_hazards"], "refused_hazards"))
    return kept


def organisation_locked(facility: Facility) -> Organisation:
    """Lock the organisation of a facility, so that it cannot be moved or merged meanwhile, and return it;
    `WrongState` if it is closed."""
    row = (
        Organisation.objects.select_for_update(of=("self",), no_key=True)
        .select_related("region")
        .get(facilities=facility.pk)
    )
    require_open(row)
    return row


@transaction.atomic
def instrument_create(
    by: By, *, facility: Facility, techniques: list[Technique], units: int | None = None, **values: Any
) -> Instrument:
    """Enter a draft record. Any member who books or manages may enter one; only managers may publish it or
    give it `units`, with which it starts on the default policy."""
    require(by.actor, "register-instruments", place_of(facility.organisation, facility_id=facility.pk))
    # The facility's organisation and its region must not change until this is committed.
    facility.organisation = organisation = organisation_locked(facility)
    require(by.actor, "register-instruments", place_of(organisation, facility_id=facility.pk))
    instrument = Instrument(
        facility=facility,
        organisation=organisation,
        region=organisation.region,
        created_at=by.now,
        updated_at=by.now,
        **_names_kept(values),
    )
    instrument.save(force_insert=True)
    instrument.techniques.set(techniques)
    entries_file([instrument.pk])
    trail.record(by, "instrument.create", instrument, after=recorded(instrument))
    if units is not None:
        policy_set(by, instrument_id=instrument.pk, policy=Policy(units=units))
    return instrument


@transaction.atomic
def instrument_update(
    by: By,
    *,
    instrument_id: UUID,
    changes: Mapping[str, Any],
    techniques: list[Technique] | None,
    units: int | None = None,
) -> Instrument:
    """Change fields of a record, and the `units` of its policy. `WrongVersion` if it has changed since it was
    read."""
    instrument = lock_managed(by, instrument_id, record=True)
    before = recorded(instrument)
    codes_before = sorted(t.code for t in instrument.techniques.all())
    for name, value in _names_kept(changes).items():
        setattr(instrument, name, value)
    if techniques is not None:
        instrument.techniques.set(techniques)
    else:
        techniques = list(instrument.techniques.all())
    instrument.version += 1
    instrument.updated_at = by.now
    instrument.save()
    entries_file([instrument.pk])
    if units is not None:
        row = getattr(instrument, "policy", None)
        policy = replace(load_policy(row) if row else Policy(), units=units)
        policy_set(By(by.actor, by.now), instrument_id=instrument.pk, policy=policy)
    after = recorded(instrument)
    changed = {name for name in after if after[name] != before[name]}
    is_retagged = codes_before != sorted(technique.code for technique in techniques)
    written = sorted(changed | ({"techniques"} if is_retagged else set()))
    hand_wrote(by, instrument=instrument, names=written)
    trail.record(
        by,
        "instrument.update",
        instrument,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    if written and instrument.publication == Instrument.Publication.PUBLISHED:
        enqueue([record_event(instrument, "")], now=by.now)
    return instrument


def recorded(instrument: Instrument) -> dict[str, Any]:
    """Return the values of a record as the trail stores them."""
    return {name: getattr(instrument, name) for name in Instrument.RECORDED}
