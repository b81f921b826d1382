"""Importing instruments from files that other people keep.

One transaction for the whole file, written in batches: rows are read as they are decided, so
memory holds the keys of the source and the outcomes, never the file.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import batched
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import NotFound
from accounts.domain.roles import Actor
from accounts.models import Organisation
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from instruments.domain.imports import (
    FACILITY,
    HOURS,
    RECORD,
    FacilityValues,
    ImportReport,
    Result,
    Row,
    RowOutcome,
    RowValues,
    plan,
)
from instruments.locks import lock_instruments
from instruments.models import Facility, Instrument
from instruments.services.import_facilities import Change, Rows, Sites, facilities_store, load_sites
from instruments.services.opening import schedule_for, schedules_assign
from instruments.services.search import entries_file

BATCH = 500
_DRAFTING = (Instrument.Publication.DRAFT, Instrument.Publication.SUBMITTED)
# What a changed row may change besides the fields it says something about.
_ALWAYS = ("source_digest", "version", "updated_at")


@dataclass
class _Import:
    """What one run knows: loaded once, kept up to date as batches are stored."""

    organisation: Organisation
    source: str
    now: datetime
    known: Mapping[str, tuple[UUID, str, str]]  # key -> id, digest, publication
    sites: Sites
    schedules: dict[tuple[str, str], UUID] = field(default_factory=dict)

    @property
    def owner(self) -> dict[str, str]:
        """As PIDINST names the owner of every instrument of this import."""
        ror = {"identifier": self.organisation.ror, "identifier_type": "ROR"}
        return {"name": self.organisation.name} | (ror if self.organisation.ror else {})


@transaction.atomic
def instruments_import(
    *,
    actor: Actor | None,
    organisation_id: UUID,
    source: str,
    rows: Iterable[Row],
    now: datetime,
    facility: str = "",
    dry_run: bool = False,
) -> ImportReport:
    """Bring an organisation's instruments of `source` to what `rows` say: all or, when
    anything raises (also the reading of `rows`), nothing. Each row ends as created, changed,
    unchanged or refused; new instruments are drafts and none is ever removed.

    `facility`: a name that all rows get instead of their own site, without its contact.
    `actor` None is the platform itself (the command). Imports of one organisation follow one
    another. `NotFound`, `NotPermitted`.
    """
    run = _load(actor, organisation_id, source, now)
    digests = {key: digest for key, (_pk, digest, _publication) in run.known.items()}
    outcomes: list[RowOutcome] = []
    hours_kept = 0
    for batch in batched(plan(digests, _placed(rows, facility)), BATCH):
        stored = [(outcome, outcome.values) for outcome in batch if outcome.values]
        hours_kept += sum(_keeps_hours(run, outcome) for outcome, _values in stored)
        if stored and not dry_run:
            _store(run, actor, stored)
        outcomes += [replace(outcome, values=None) for outcome in batch]
    absent = len(digests.keys() - {outcome.key for outcome in outcomes})
    return ImportReport(tuple(outcomes), absent, hours_kept)


def _load(actor: Actor | None, organisation_id: UUID, source: str, now: datetime) -> _Import:
    organisation = (
        Organisation.objects.select_related("region")
        .select_for_update(of=("self",), no_key=True)
        .filter(pk=organisation_id)
        .first()
    )
    if organisation is None:
        raise NotFound(organisation=str(organisation_id))
    if actor is not None:
        require(actor, "manage-instruments", place_of(organisation))
    known = Instrument.objects.filter(organisation=organisation, source=source).values_list(
        "source_key", "pk", "source_digest", "publication"
    )
    return _Import(
        organisation,
        source,
        now,
        {key: (pk, digest, publication) for key, pk, digest, publication in known},
        load_sites(organisation, source),
    )


def _placed(rows: Iterable[Row], facility: str) -> Iterator[Row]:
    for line, row in rows:
        if facility and isinstance(row, RowValues):
            yield line, replace(row, facility=FacilityValues(facility, row.facility.time_zone))
        else:
            yield line, row


def _keeps_hours(run: _Import, outcome: RowOutcome) -> bool:
    """Hours of an instrument past drafting are people's: an import that changed them would
    not list the reservations that no longer fit."""
    return (
        outcome.result is Result.CHANGED
        and HOURS in outcome.changes
        and run.known[outcome.key][2] not in _DRAFTING
    )


def _store(run: _Import, actor: Actor | None, rows: Rows) -> None:
    created = [row for row in rows if row[0].result is Result.CREATED]
    changed = [row for row in rows if row[0].result is Result.CHANGED]
    ids = [run.known[outcome.key][0] for outcome, _values in changed]
    locked = {row.source_key: row for row in lock_instruments(ids, record=True)} if ids else {}
    changes = facilities_store(run.sites, rows, locked)
    if created:
        changes += _created_store(run, created)
    if changed:
        changes += _changed_store(run, changed, locked)
    if changes:
        trail.record_many(
            actor=actor,
            now=run.now,
            changes=changes,
            organisation_ids=[run.organisation.pk],
            region_ids=run.organisation.region.lineage,
        )


def _created_store(run: _Import, rows: Rows) -> list[Change]:
    drafts: list[Instrument] = []
    hours: list[tuple[Instrument, Mapping[str, object]]] = []
    changes: list[Change] = []
    for outcome, values in rows:
        draft = Instrument(
            facility=run.sites.of(values),
            organisation=run.organisation,
            region=run.organisation.region,
            owners=[run.owner],
            source=run.source,
            source_key=outcome.key,
            source_digest=outcome.digest,
            created_at=run.now,
            updated_at=run.now,
            **values.record,
        )
        said: dict[str, Any] = {**values.record, "facility": draft.facility_id}
        if values.hours:
            hours.append((draft, values.hours))
            said["opening_hours"] = values.hours
        drafts.append(draft)
        changes.append(_entry(run, "instrument.create", draft, outcome, {}, said))
    Instrument.objects.bulk_create(drafts)
    entries_file([draft.pk for draft in drafts])
    _hours_assign(run, hours)
    return changes


def _changed_store(run: _Import, rows: Rows, locked: Mapping[str, Instrument]) -> list[Change]:
    fields = {*_ALWAYS}
    hours: list[tuple[Instrument, Mapping[str, object]]] = []
    changes: list[Change] = []
    for outcome, values in rows:
        instrument = locked[outcome.key]
        wanted = _wanted(run, instrument, outcome, values)
        before = {name: getattr(instrument, name) for name in wanted}
        after = {name: value for name, value in wanted.items() if value != before[name]}
        was, said = ({name: _plain(side[name]) for name in after} for side in (before, after))
        for name, value in after.items():
            setattr(instrument, name, value)
        if week := _hours_wanted(instrument, outcome, values):
            hours.append((instrument, week))
            was["opening_hours"] = instrument.schedule.hours if instrument.schedule else {}
            said["opening_hours"] = week
        instrument.source_digest = outcome.digest
        fields |= after.keys()
        if said:
            instrument.version += 1
            instrument.updated_at = run.now
            changes.append(_entry(run, "instrument.update", instrument, outcome, was, said))
    Instrument.objects.bulk_update(locked.values(), sorted(fields))
    entries_file([instrument.pk for instrument in locked.values()])
    _hours_assign(run, hours)
    return changes


def _wanted(
    run: _Import, instrument: Instrument, outcome: RowOutcome, values: RowValues
) -> dict[str, Any]:
    """What the changed parts of a row say the instrument's attributes should be."""
    wanted: dict[str, Any] = dict(values.record) if RECORD in outcome.changes else {}
    if FACILITY in outcome.changes:
        facility = run.sites.of(values)
        # Another time zone would move the opening hours of what can already be booked.
        if _is_drafting(instrument) or facility.time_zone == instrument.facility.time_zone:
            wanted["facility"] = facility
    return wanted


def _hours_wanted(
    instrument: Instrument, outcome: RowOutcome, values: RowValues
) -> Mapping[str, object] | None:
    """The hours to give a draft: those the source changed, or its own in the time zone of the
    facility it has been moved to."""
    if not _is_drafting(instrument):
        return None
    if HOURS in outcome.changes and values.hours:
        return values.hours
    schedule = instrument.schedule
    if schedule and schedule.time_zone != instrument.facility.time_zone:
        return dict(schedule.hours)
    return None


def _is_drafting(instrument: Instrument) -> bool:
    return instrument.publication in _DRAFTING


def _hours_assign(run: _Import, hours: Sequence[tuple[Instrument, Mapping[str, object]]]) -> None:
    """One schedule per zone and hours, made once per import."""
    pairs = []
    for instrument, week in hours:
        time_zone = instrument.facility.time_zone
        at = (time_zone, json.dumps(week, sort_keys=True))
        if at not in run.schedules:
            run.schedules[at] = schedule_for(
                time_zone=time_zone,
                holiday_calendar=run.organisation.region.holiday_calendar,
                hours=dict(week),
                now=run.now,
            ).pk
        pairs.append((instrument.pk, run.schedules[at]))
    if pairs:
        schedules_assign(pairs=pairs, now=run.now)


def _entry(
    run: _Import,
    action: str,
    instrument: Instrument,
    outcome: RowOutcome,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> Change:
    origin = {"source": run.source, "source_key": outcome.key, "line": outcome.line}
    return action, instrument, before, {**after, **origin}, ""


def _plain(value: Any) -> Any:
    return value.pk if isinstance(value, Facility) else value
