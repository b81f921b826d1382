"""Create the facilities that imported rows name first, and keep their contacts up to date."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from accounts.models import Organisation
from instruments.exchange.domain.fields import FACILITY_FIELDS
from instruments.exchange.domain.imports import CONTACT, FACILITY, Result, RowValues, placed
from instruments.register.models import Facility, Instrument

CONTACT_FIELDS = tuple(name for name in FACILITY_FIELDS if name != "facility")

# action, target, before, after, reason: the arguments of `trail.record_many`
type Change = tuple[str, Any, Mapping[str, Any], Mapping[str, Any], str]


class Decided(Protocol):
    """A row of an import and the decision about it."""

    result: Result
    values: RowValues | None
    instrument: Instrument | None
    changes: frozenset[str]


@dataclass
class Sites:
    """An organisation's facilities during one import, loaded once and kept up to date. `planned`: by name,
    the addresses of facilities that rows of the file were the first to name."""

    organisation: Organisation
    source: str
    by_name: dict[str, Facility]
    planned: dict[str, str]
    found: dict[tuple[str, str], str] = field(default_factory=dict)  # by name and address
    settled: set[UUID] = field(default_factory=set)  # ids of those whose contact this file has changed

    def of(self, values: RowValues) -> Facility:
        """Return the facility of a row, after `facilities_store` has been called with the row."""
        return self.by_name[self.name_in(values)]

    def time_zone_in(self, values: RowValues) -> str:
        """Return the time zone for a facility that a row is the first to name."""
        return values.facility.time_zone or self.organisation.region.time_zone

    def name_in(self, values: RowValues) -> str:
        """Return the name of the row's facility: the one it names or, if that one has another address than
        the row, a separate facility whose name includes the address."""
        name, address = self.named_in(values), values.facility.contact.get("address", "")
        if (name, address) not in self.found:  # decided once, even if later rows change the address
            own = placed(name, address, self.address_of(name, address))
            self.found[name, address] = own
        return self.found[name, address]

    def named_in(self, values: RowValues) -> str:
        return values.facility.name or self.organisation.name

    def address_of(self, name: str, first: str = "") -> str:
        """Return the address of a facility. If it has none, `first` becomes its planned address and is
        returned."""
        there = self.by_name.get(name)
        if there is not None and there.address:
            return there.address
        return self.planned.setdefault(name, first) if first else self.planned.get(name, "")


def load_sites(organisation: Organisation, source: str, planned: dict[str, str]) -> Sites:
    facilities = Facility.objects.filter(organisation=organisation)
    by_name = {facility.name: facility for facility in facilities}
    return Sites(organisation, source, by_name, planned)


def facilities_store(sites: Sites, rows: Sequence[Decided]) -> list[Change]:
    """Create the facilities that rows name first and update contacts that the source changed; return the
    changes to record in the trail. Call it in the import's transaction, with the instruments of changed rows
    locked."""
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
    """Give a facility the contact of a row and return the names of the fields that changed. If the source
    changed the contact, the first row of the file that says so counts; for a new instrument it is set only if
    the facility has no contact, or no address, yet. Blanks in a row change nothing."""
    given = values.facility.contact
    if row.result is Result.CREATED:
        is_due = not any(getattr(facility, name) for name in CONTACT_FIELDS)
        if not is_due and not facility.address:
            is_due, given = True, {name: given[name] for name in given if name == "address"}
    else:
        is_due = CONTACT in row.changes and facility.pk not in sites.settled
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
    # A contact may be a person, so the trail names the changed fields without their values.
    return "facility.update", facility, {}, {"changed": sorted(fields), "source": sites.source}, ""
