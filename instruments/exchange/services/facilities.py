"""Create the facilities that imported rows name first, and keep their contacts up to date."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from accounts.models import Organisation
from instruments.exchange.domain.fields import FACILITY_FIELDS
from instruments.exchange.domain.imports import (
    FACILITY,
    NEW_CONTACT,
    NO_FACILITY,
    OF_FACILITY,
    Difference,
    Result,
    RowValues,
    apart,
    is_one_place,
    plain_address,
)
from instruments.register.models import Facility, Instrument

CONTACT_FIELDS = tuple(name for name in FACILITY_FIELDS if name != "facility")
PERSON_FIELDS = tuple(name for name in CONTACT_FIELDS if name != "address")

# action, target, before, after, reason: the arguments of `trail.record_many`
type Change = tuple[str, Any, Mapping[str, Any], Mapping[str, Any], str]


class Decided(Protocol):
    """A row of an import and the decision about it."""

    result: Result
    values: RowValues | None
    instrument: Instrument | None
    changes: frozenset[str]

    @property
    def taken(self) -> list[Difference]: ...


@dataclass
class Sites:
    """An organisation's facilities during one import, loaded once and kept up to date. `planned`: by name,
    the contacts of facilities that rows of the file were the first to name. `disputed`: the names of those
    for which rows of the file give several addresses, so that none of them changes the facility's."""

    organisation: Organisation
    source: str
    by_name: dict[str, Facility]
    planned: dict[str, dict[str, str]]
    disputed: frozenset[str] = frozenset()
    found: dict[tuple[str, str], str] = field(default_factory=dict)  # by name and plain address
    spelt: dict[str, list[str]] = field(default_factory=dict)  # by plain name, names as they are written
    made: list[Facility] = field(default_factory=list)

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
        at = name, plain_address(address)
        if at not in self.found:  # decided once, even if later rows change the address
            self.found[at] = self._name_at(name, address)
        return self.found[at]

    def _name_at(self, name: str, address: str) -> str:
        if is_one_place(address, self.address_of(name, address)):
            return name
        own = apart(name, address)
        if own not in self.by_name:  # at the same address in another spelling
            spelt = self.spelt.setdefault(plain_address(own), [])
            own = next((each for each in spelt if each.startswith(f"{name}, ")), own)
            spelt.append(own)
        if is_one_place(address, self.address_of(own, address)):
            return own
        return apart(name, address, is_marked=True)  # a facility elsewhere has that name already

    def leaves(self, values: RowValues, there: Facility) -> bool:
        """Say whether the row of a known instrument now has another address than the facility `there`, to
        which its row brought it, and other rows do not: it goes to a facility of its own."""
        if not values.facility.contact.get("address") or there.name == self.name_in(values):
            return False
        named = self.named_in(values)
        return named in self.disputed if there.name == named else _is_apart(there, named)

    def is_elsewhere(self, values: RowValues, there: Facility) -> bool:
        """Say whether a person has moved an instrument from the facility that its row names to `there`."""
        named = values.facility.name
        return named in self.by_name and there.name != named and not _is_apart(there, named)

    def named_in(self, values: RowValues) -> str:
        return values.facility.name or self.organisation.name

    def address_of(self, name: str, first: str = "") -> str:
        """Return the address of a facility. If it has none, `first` becomes its planned address and is
        returned."""
        there = self.by_name.get(name)
        if there is not None and there.address:
            return there.address
        planned = self.planned.setdefault(name, {})
        if first:
            planned.setdefault("address", first)
        return planned.get("address", "")

    def told_contacts(self, values: RowValues) -> list[tuple[str, str, str, str]]:
        """Return what the preview says of the contacts of a row for a new instrument: the field, what the
        facility has, what the row gives, and what becomes of it. Without a facility of its own the row gives
        no contact. The first row of the file that names a new facility gives its contact, which is said of
        a person; whatever differs from the contacts of a facility is not imported."""
        name, is_named = self.name_in(values), bool(values.facility.name)
        given = {word: values.facility.contact.get(word, "") for word in PERSON_FIELDS}
        there, planned = self.by_name.get(name), self.planned.setdefault(name, {})
        own = {word: getattr(there, word, "") or planned.get(word, "") for word in PERSON_FIELDS}
        told = [(word, own[word], text) for word, text in given.items() if text and text != own[word]]
        if not is_named:
            return [(*each, NO_FACILITY) for each in told]
        if any(own.values()):
            return [(*each, OF_FACILITY) for each in told]
        planned |= given
        return [(*each, NEW_CONTACT) for each in told if each[0] == "contact_name" and not there]


def _is_apart(facility: Facility, named: str) -> bool:
    """Say whether a facility was made for rows that name another, as they have another address."""
    names = (apart(named, facility.address, is_marked=is_marked) for is_marked in (False, True))
    return plain_address(facility.name) in map(plain_address, names)


def load_sites(
    organisation: Organisation,
    source: str,
    planned: dict[str, dict[str, str]],
    disputed: frozenset[str] = frozenset(),
) -> Sites:
    facilities = Facility.objects.filter(organisation=organisation)
    by_name = {facility.name: facility for facility in facilities}
    spelt: dict[str, list[str]] = {}
    for name in (*by_name, *planned):
        spelt.setdefault(plain_address(name), []).append(name)
    return Sites(organisation, source, by_name, planned, disputed, spelt=spelt)


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
            contact = dict(values.facility.contact)
            if not values.facility.name:  # whoever answers for the first instrument does not for them all
                contact = {word: text for word, text in contact.items() if word not in PERSON_FIELDS}
            facility = sites.by_name[name] = Facility(
                organisation=sites.organisation, name=name, time_zone=sites.time_zone_in(values), **contact
            )
            by_id[facility.pk] = facility
            created.append(facility)
        elif facility and (fields := _contact_put(facility, row, values)):
            edited.setdefault(facility.pk, set()).update(fields)
    Facility.objects.bulk_create(created)
    sites.made += created
    old = [by_id[pk] for pk in edited if by_id[pk] not in created]
    if old:
        Facility.objects.bulk_update(old, [*CONTACT_FIELDS, "version"])
    return [_created_entry(sites, facility) for facility in created] + [
        _edited_entry(sites, facility, edited[facility.pk]) for facility in old
    ]


def _contact_put(facility: Facility, row: Decided, values: RowValues) -> list[str]:
    """Give a facility the contact of a row and return the names of the fields that changed. If the source
    changed the contact, the first row of the file that says so counts; for a new instrument it is set only if
    the facility has no contact, or no address, yet. Blanks in a row change nothing."""
    given = values.facility.contact
    if row.result is Result.CREATED:
        has_person = any(getattr(facility, name) for name in PERSON_FIELDS)
        is_due = {"address": not facility.address} | dict.fromkeys(
            PERSON_FIELDS, bool(values.facility.name) and not has_person
        )
        names = [name for name in given if is_due[name]]
    else:
        names = [d.field for d in row.taken if d.field in CONTACT_FIELDS]
    fields = [name for name in names if given[name] and getattr(facility, name) != given[name]]
    if not fields:
        return []
    for name in fields:
        setattr(facility, name, given[name])
    facility.version += 1
    return fields


def _created_entry(sites: Sites, facility: Facility) -> Change:
    values = {"name": facility.name, "time_zone": facility.time_zone}
    origin = {"organisation": sites.organisation.pk, "source": sites.source}
    return "facility.create", facility, {}, values | origin, ""


def _edited_entry(sites: Sites, facility: Facility, fields: set[str]) -> Change:
    # A contact may be a person, so the trail names the changed fields without their values.
    return "facility.update", facility, {}, {"changed": sorted(fields), "source": sites.source}, ""
