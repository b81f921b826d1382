"""Importing instruments from files that other people keep.

One transaction for the whole file, written in batches: rows are read as they are decided, so
memory holds the keys of the source and the outcomes, never the file.
"""

import hashlib
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
    CONTACT,
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
from instruments.services.opening import schedule_for, schedules_assign
from instruments.services.registry import search_tokens

BATCH = 500
_DRAFTING = (Instrument.Publication.DRAFT, Instrument.Publication.SUBMITTED)
_FREE_TEXTS = ("description", "description_zh")

type _Change = tuple[str, Any, Mapping[str, Any], Mapping[str, Any], str]
type _Changed = list[tuple[RowOutcome, RowValues]]


@dataclass
class _Import:
    """What one run knows: loaded once, kept up to date as batches are stored."""

    organisation: Organisation
    source: str
    now: datetime
    known: Mapping[str, tuple[UUID, str, str]]  # key -> id, digest, publication
    facilities: dict[str, Facility]
    contacted: set[UUID] = field(default_factory=set)  # whose contact this file has settled
    schedules: dict[tuple[str, str], UUID] = field(default_factory=dict)

    def facility_name(self, values: RowValues) -> str:
        return values.facility.name or self.organisation.name


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
    for batch in batched(plan(digests, _placed(rows, facility)), BATCH, strict=False):
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
    facilities = Facility.objects.filter(organisation=organisation)
    return _Import(
        organisation,
        source,
        now,
        {key: (pk, digest, publication) for key, pk, digest, publication in known},
        {facility.name: facility for facility in facilities},
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


def _store(run: _Import, actor: Actor | None, batch: _Changed) -> None:
    created = [item for item in batch if item[0].result is Result.CREATED]
    changed = [item for item in batch if item[0].result is Result.CHANGED]
    locked = lock_instruments(run.known[outcome.key][0] for outcome, _ in changed)
    before = {instrument.source_key: instrument for instrument in locked}
    changes = _facilities_store(run, batch, before)
    drafts = [(_new(run, outcome, values), outcome, values) for outcome, values in created]
    Instrument.objects.bulk_create([draft for draft, _outcome, _values in drafts])
    rewritten = [
        (before[outcome.key], outcome, values, _rewrite(run, before[outcome.key], outcome, values))
        for outcome, values in changed
    ]
    if rewritten:
        _update([instrument for instrument, *_ in rewritten], [values for _, values in changed])
    _assign_hours(run, [*drafts, *(item[:3] for item in rewritten)])
    for draft, outcome, values in drafts:
        said = {**values.record, "facility": draft.facility_id, "opening_hours": values.hours}
        changes.append(_entry(run, "instrument.create", draft, outcome, {}, said))
    for instrument, outcome, _values, (old, new) in rewritten:
        if new:
            changes.append(_entry(run, "instrument.update", instrument, outcome, old, new))
    if changes:
        trail.record_many(
            actor=actor,
            now=run.now,
            changes=changes,
            organisation_ids=[run.organisation.pk],
            region_ids=run.organisation.region.lineage,
        )
