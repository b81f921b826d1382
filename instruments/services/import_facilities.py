"""The facilities of imported rows: made when a file first names them, their contact kept up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from accounts.models import Organisation
from instruments.domain.import_fields import FACILITY_FIELDS
from instruments.domain.imports import CONTACT, FACILITY, Result, RowValues
from instruments.models import Facility, Instrument

CONTACT_FIELDS = tuple(name for name in FACILITY_FIELDS if name != "facility")

# action, target, before, after, reason: as `trail.record_many` takes it
type Change = tuple[str, Any, Mapping[str, Any], Mapping[str, Any], str]


class Decided(Protocol):
    """A row and what becomes of it."""

    result: Result
    values: RowValues | None
    instrument: Instrument | None
    changes: frozenset[str]


@dataclass
class Sites:
    """An organisation's facilities during one import; loaded once, kept up to date."""

    organisation: Organisation
    source: str
    by_name: dict[str, Facility]
    settled: set[UUID] = field(default_factory=set)  # whose contact this file has changed

    def of(self, values: RowValues) -> Facility:
        """Return the facility a row names, once `facilities_store` has been called with it."""
        return self.by_name[self.name_in(values)]

    def time_zone_in(self, values: RowValues) -> str:
        """Of a facility that a row is the first to name."""
        return values.facility.time_zone or self.organisation.region.time_zone

    def name_in(self, values: RowValues) -> str:
        return values.facility.name or self.organisation.name


def load_sites(organisation: Organisation, source: str) -> Sites:
    facilities = Facility.objects.filter(organisation=organisation)
    return Sites(organisation, source, {facility.name: facility for facility in facilities})


def facilities_store(sites: Sites, rows: Sequence[Decided]) -> list[Change]:
    """Make the facilities that rows are the first to name and change contacts that the source
    changed; call it in the import's transaction, with the instruments of changed rows locked.
    What to record in the trail."""
    by_id = {facility.pk: facility for facility in sites.by_name.values()}
    created: list[Facility] = []
    edited: dict[UUID, set[str]] = {}
    for row in rows:
        values, instrument = row.values, row.instrument
        assert values is not None
        name, is_placed = sites.name_in(values), FACILITY in row.changes
        facility = sites.by_name.get(name) if is_placed or instrument is None else None
        if facility is None and instrument is not None and not is_placed:
            facility = by_id.get(instrument.facility_id)
        if facility is None and is_placed:
            facility = sites.by_name[name] = Facility(
                organisation=sites.organisation,
                name=name,
                time_zone=sites.time_zone_in(values),
                **values.facility.contact,
            )
            by_id[facility.pk] = facility
            created.append(facility)
        elif facility and (fields := _contact_put(sites, facility, row, values)):
            edited.setdefault(facility.pk, set()).update(fields)
    Facility.objects.bulk_create(created)
    old = [by_id[pk] for pk in edited if by_id[pk] not in created]
    if old:
        Facility.objects.bulk_update(old, [*CONTACT_FIELDS, "version"])
    return [_created_entry(sites, facility) for facility in created] + [
        _edited_entry(sites, facility, edited[facility.pk]) for facility in old
    ]


def _contact_put(sites: Sites, facility: Facility, row: Decided, values: RowValues) -> list[str]:
    """Give a facility the contact of a row and name the fields that changed: where the source
    changed it, the first row of the file that says so; for a new instrument only where there
    is no contact yet. What a row leaves blank stays."""
    if row.result is Result.CREATED:
        is_due = not any(getattr(facility, name) for name in CONTACT_FIELDS)
    else:
        is_due = CONTACT in row.changes and facility.pk not in sites.settled
    given = values.facility.contact
    fields = [name for name in given if given[name] and getattr(facility, name) != given[name]]
    if not is_due or not fields:
        return []
    for name in fields:
        setattr(facility, name, given[name])
    facility.version += 1
    sites.settled.add(facility.pk)
    return fields


def _created_entry(sites: Sites, facility: Facility) -> Change:
    values = {"name": facility.name, "time_zone": facility.time_zone}
    origin = {"organisation": sites.organisation.pk, "source": sites.source}
    return "facility.create", facility, {}, values | origin, ""


def _edited_entry(sites: Sites, facility: Facility, fields: set[str]) -> Change:
    # A contact may be a person: the trail says which fields changed, not what they say.
    return "facility.update", facility, {}, {"changed": sorted(fields), "source": sites.source}, ""
