"""Registering facilities and instruments."""

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
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import require_open
from accounts.selectors.rows import visible
from instruments.domain.policies import Policy
from instruments.locks import lock_managed
from instruments.models import Facility, Instrument, Technique
from instruments.selectors.policies import load_policy
from instruments.services.policies import policy_set
from instruments.services.provenance import hand_wrote
from instruments.services.search import entries_file


# What the trail says of a record: everything but what follows from it.
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
    try:
        with transaction.atomic():
            facility = Facility.objects.create(
                organisation=organisation, name=name, time_zone=time_zone, **values
            )
    except IntegrityError:
        raise invalid("name", "name-taken") from None
    trail.record(
        by,
        "facility.create",
        facility,
        after={"name": name, "time_zone": time_zone, "organisation": organisation.pk},
        places=organisation.places(),
    )
    return facility


# What of a facility can be changed: its zone is that of hours and bookings, and stays.
FACILITY_FIELDS = (
    "name", "name_zh", "address", "contact_name", "contact_email", "contact_phone", "website",
    "latitude", "longitude",
)  # fmt: skip


@transaction.atomic
def facility_update(by: By, *, facility_id: UUID, changes: Mapping[str, Any]) -> Facility:
    """Change what is said of a site (`FACILITY_FIELDS`). `WrongVersion` if it has changed
    since."""
    rows = Facility.objects.select_for_update(of=("self",)).select_related("organisation__region")
    facility = visible(rows, pk=facility_id)
    require(by.actor, "manage-instruments", place_of(facility.organisation))
    by.require_version(facility.version)
    changed = sorted(
        name
        for name in FACILITY_FIELDS
        if name in changes and changes[name] != getattr(facility, name)
    )
    if not changed:
        return facility
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
    trail.record(by, "facility.update", facility, after={"changed": changed})
    return facility


def organisation_locked(facility: Facility) -> Organisation:
    """Lock the organisation of a facility against moving and merging and return it; `WrongState` if
    it is closed."""
    row = (
        Organisation.objects.select_for_update(of=("self",), no_key=True)
        .select_related("region")
        .get(facilities=facility.pk)
    )
    require_open(row)
    return row


@transaction.atomic
def instrument_create(
    by: By,
    *,
    facility: Facility,
    techniques: list[Technique],
    units: int | None = None,
    **values: Any,
) -> Instrument:
    """Enter a draft record. Any member who books or manages may enter one; publishing is a
    manager's decision, and so are `units`, with which it starts on the usual policy."""
    require(by.actor, "register-instruments", place_of(facility.organisation))
    # Its region, and whose the facility is, stay as they are until this is over.
    facility.organisation = organisation = organisation_locked(facility)
    instrument = Instrument(
        facility=facility,
        organisation=organisation,
        region=organisation.region,
        created_at=by.now,
        updated_at=by.now,
        **values,
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
    """Change fields of the record, and the `units` of its policy. `WrongVersion` if it has
    changed since."""
    instrument = lock_managed(by, instrument_id, record=True)
    before = recorded(instrument)
    codes_before = sorted(t.code for t in instrument.techniques.all())
    for name, value in changes.items():
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


def record_event(instrument: Instrument, publication: str) -> Effect:
    """Return the word to other programs that a record came to be public, or changed since."""
    name = "published" if publication == "published" else "changed"
    return Effect(
        kind=f"instrument.{name}",
        key=f"instrument.{name}:{instrument.pk}:{instrument.version}",
        payload={"instrument": str(instrument.pk)},
    )


def recorded(instrument: Instrument) -> dict[str, Any]:
    """Return what the trail says of a record."""
    return {name: getattr(instrument, name) for name in Instrument.RECORDED}
