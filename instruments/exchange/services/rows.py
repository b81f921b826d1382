"""Decide what a batch of rows does to an organisation's instruments, then store it.

The same decision makes the preview and, repeated under locks, the import itself. The number of statements of
a batch does not depend on its number of rows.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import prefetch_related_objects

from accounts import trail
from accounts.domain.roles import Actor, By
from accounts.models import Organisation
from accounts.notifications import enqueue
from instruments.capabilities.services.capabilities import capabilities_import
from instruments.exchange.domain.imports import (
    BY_HAND,
    CONTACT,
    FACILITY,
    HOURS,
    NOT_UNDERSTOOD,
    OF_FACILITY,
    PARTS,
    PUBLISHED,
    RECORD,
    UNKNOWN,
    UNREADABLE,
    Difference,
    Remark,
    Result,
    RowValues,
    changed_parts,
    differences,
    digest,
    is_one_place,
)
from instruments.exchange.domain.terms import CHOSEN, parts_of, plain
from instruments.exchange.models import Import, ImportRow, ImportTerm
from instruments.exchange.services import facilities
from instruments.opening.services.opening import schedule_for, schedules_assign
from instruments.reading.domain.delimited import RowProblem
from instruments.register.domain import provenance as provenance_rules
from instruments.register.locks import lock_instruments
from instruments.register.models import Instrument, Provenance
from instruments.register.selectors.registry import WITH
from instruments.register.services.events import record_event
from instruments.search.services.search import entries_file
from instruments.vocabulary.domain.parameters import Stated, statements_in, written
from instruments.vocabulary.models import Technique
from instruments.vocabulary.selectors.needs import load_parameters

_DRAFTING = (Instrument.Publication.DRAFT, Instrument.Publication.SUBMITTED)
# Columns that any changed row may change, besides the fields it gives.
_RELATED = ("techniques", "capabilities")
_ALWAYS = ("source_digest", "version", "updated_at")


@dataclass
class Run:
    """The data shared by all rows of one batch. Its transaction locks the organisation's row, so that imports
    of one organisation run one after another."""

    job: Import
    organisation: Organisation
    source: str
    now: datetime
    sites: facilities.Sites
    schedules: dict[tuple[str, str], UUID] = field(default_factory=dict)
    techniques: dict[str, Technique] = field(default_factory=dict)
    # While a file is read: by field and plain value, the term that the organisation chose for it.
    terms: dict[tuple[str, str], str] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)  # by plain name, the codes of techniques

    @property
    def owner(self) -> dict[str, str]:
        """Return the organisation as a PIDINST owner, used for instruments that name none themselves."""
        ror = {"identifier": self.organisation.ror, "identifier_type": "ROR"}
        return {"name": self.organisation.name} | (ror if self.organisation.ror else {})

    @property
    def keeps_hand(self) -> bool:
        return self.job.hand_changes == Import.HandChanges.KEEP


@dataclass
class Decision:
    """The decision about a row of an imported file. `changes`: the parts of the row that are stored."""

    line: int
    result: Result
    values: RowValues | None = None
    digest: str = ""
    instrument: Instrument | None = None
    is_by_key: bool = False
    changes: frozenset[str] = frozenset()
    differences: Sequence[Difference] = ()
    problem: RowProblem | None = None
    name: str = ""  # the name in a row that is refused because of its content

    @property
    def taken(self) -> list[Difference]:
        return [difference for difference in self.differences if not difference.kept]

    @property
    def differences_json(self) -> list[dict[str, Any]]:
        return [
            {
                "field": difference.field,
                "before": trail.plain(difference.before),
                "after": trail.plain(difference.after),
            }
            | ({"kept": difference.kept, "is_kept": True} if difference.kept else {})
            | ({"is_apart": True} if difference.is_apart else {})
            for difference in self.differences
        ]

    @property
    def numbers(self) -> Mapping[str, str | int]:
        return self.problem.numbers if self.problem else {}

    @property
    def problem_json(self) -> dict[str, Any]:
        return problem_json(self.problem) if self.problem else {}


def problem_json(problem: RowProblem) -> dict[str, Any]:
    """Return a problem as it is stored with its row."""
    first: dict[str, Any] = {"code": problem.reason, "numbers": dict(problem.numbers)}
    return first | ({"more": [problem_json(each) for each in problem.more]} if problem.more else {})


def load_run(
    job: Import,
    source: str,
    now: datetime | None = None,
    planned: dict[str, dict[str, str]] | None = None,
    disputed: frozenset[str] = frozenset(),
) -> Run:
    """Lock the organisation and load its facilities; call it in the batch's transaction. `planned`:
    by name, the contacts of facilities for which rows of earlier batches were the first to give them.
    `disputed`: the names of facilities for which rows give several addresses."""
    organisation = (
        Organisation.objects.select_related("region")
        .select_for_update(of=("self",), no_key=True)
        .get(pk=job.organisation_id)
    )
    sites = facilities.load_sites(organisation, source, {} if planned is None else planned, disputed)
    terms: dict[tuple[str, str], str] = {}
    if job.state == Import.State.READING:  # afterwards the rows are as they were shown
        given = ImportTerm.objects.filter(organisation=organisation)
        terms = {(field, value): term for field, value, term in given.values_list("field", "value", "term")}
    return Run(job, organisation, source, now or job.created_at, sites, terms=terms)


def rows_decide(
    run: Run, rows: Iterable[tuple[int, RowValues | RowProblem]], *, lock: bool = False
) -> list[Decision]:
    """Return one decision per row, in order. With `lock` the instruments' rows are locked."""
    unread: dict[str, list[str]] = {}
    read = [(line, _understood(values, unread)) for line, values in rows]
    _load_techniques(run, [values for _line, values in read if isinstance(values, RowValues)])
    given = [(line, _in_terms(run, v) if isinstance(v, RowValues) else v) for line, v in read]
    usable = [values for _line, values in given if isinstance(values, RowValues)]
    matches = _match(run, usable)
    merged = _follow(run, matches)
    ids = {pk for pk, _is_by_key in matches.values()}
    instruments = {i.pk: i for i in _instruments(ids, lock)}
    if any("capabilities" in values.record for values in usable):
        prefetch_related_objects(list(instruments.values()), "capabilities__parameter")
    taken = _taken(run, matches)
    decisions = []
    for line, values in given:
        if isinstance(values, RowProblem):
            decisions.append(Decision(line, Result.REFUSED, problem=values, name=values.name))
            continue
        name = str(values.record.get("name", ""))
        pk, is_by_key = matches.get(values.key, (None, False))
        gone = instruments[pk] if pk and instruments[pk].merged_into_id else None  # merged a moment ago
        if gone is not None or values.key in merged:
            into = merged.get(values.key) or str(gone and gone.merged_into)
            problem = RowProblem("merged-away", {"into": into, "key": values.key})
            decisions.append(Decision(line, Result.REFUSED, problem=problem, name=name))
            continue
        if pk is None:
            row_digest = digest(values)
            decisions.append(
                Decision(
                    line,
                    Result.CREATED,
                    values,
                    row_digest,
                    changes=frozenset(PARTS),
                    differences=[*_told_apart(run, values), *_unknown(values, {})],
                )
            )
            continue
        first = taken.setdefault(pk, line)
        if first != line:
            problem = RowProblem("same-instrument", {"first": first})
            decisions.append(Decision(line, Result.REFUSED, problem=problem, name=name))
            continue
        decisions.append(_decide(run, line, values, instruments[pk], is_by_key))
    for decision in decisions:
        rest = unread.get(decision.values.key) if decision.values else None
        if rest and decision.result is not Result.UNCHANGED:
            note = Difference("capabilities", [], rest, NOT_UNDERSTOOD)
            decision.differences = [*decision.differences, note]
        remarks = decision.values.remarks if decision.values else ()
        if remarks and decision.result is not Result.UNCHANGED:
            decision.differences = [*decision.differences, *map(_remarked, remarks)]
    return decisions


def _remarked(remark: Remark) -> Difference:
    if remark.because == UNREADABLE:
        return Difference(remark.field, "", remark.text, UNREADABLE)
    return Difference(remark.field, remark.text, remark.value, remark.because)


def _in_terms(run: Run, values: RowValues) -> RowValues:
    """Return the row with the known terms that its words mean: techniques by code or name, and whatever the
    organisation has decided that a word means. The rest is in `unknown`."""
    record: dict[str, Any] = dict(values.record)
    unknown: dict[str, tuple[str, ...]] = {}
    for name in ("techniques", *CHOSEN):
        is_technique = name == "techniques"
        words = [*(_codes(values) if is_technique else ()), *values.unknown.get(name, ())]
        if is_technique:
            words = [part for word in words for part in parts_of(word, partial(_is_technique, run))]
        known, others = [], []
        for word in words:
            term = word if is_technique and word in run.techniques else run.named.get(plain(word))
            if not (is_technique and term):
                term = run.terms.get((name, plain(word)))
            if term is None:
                others.append(word)
            elif term:
                known.append(term)
        if others:
            unknown[name] = tuple(dict.fromkeys(others))
        if is_technique and words:
            record[name] = sorted(set(known))
        elif name == "service_modes" and known:
            record[name] = list(dict.fromkeys([*record.get(name, []), *known]))
        elif known:
            record[name] = known[0]
    facility = values.facility
    if facility.name and (term := run.terms.get(("facility", plain(facility.name)))):
        facility = replace(facility, name=term)
    return replace(values, record=record, unknown=unknown, facility=facility)


def _is_technique(run: Run, word: str) -> bool:
    return word in run.techniques or plain(word) in run.named or ("techniques", plain(word)) in run.terms


def _unknown(values: RowValues, current: Mapping[str, Any]) -> list[Difference]:
    """Return a warning for each field of which the row has values that are no known terms."""
    return [
        Difference(name, current.get(name, []), list(words), UNKNOWN)
        for name, words in values.unknown.items()
    ]


def _understood(values: RowValues | RowProblem, unread: dict[str, list[str]]) -> RowValues | RowProblem:
    """Return the row with its capabilities written in one uniform way. Pieces that cannot be understood are
    appended to the description and stored in `unread` under the row's key."""
    if not isinstance(values, RowValues) or not values.record.get("capabilities"):
        return values
    parameters = load_parameters()
    read, rest = statements_in(_joined(values), parameters)
    texts = [written(parameters[r.stated.parameter], r.stated, r.unit) for r in read]
    record: dict[str, Any] = {**values.record, "capabilities": sorted(filter(None, texts))}
    if rest:
        unread[values.key] = rest
        told = (str(record.get("description") or ""), "; ".join(rest))
        record["description"] = "\n".join(filter(None, told))[:20_000]
    return replace(values, record=record)


def _joined(values: RowValues) -> str:
    texts = values.record.get("capabilities")
    return "; ".join(map(str, texts)) if isinstance(texts, list) else ""


def _stated_now(values: RowValues, instrument: Instrument) -> list[str]:
    """Return, as texts, what the instrument states now about the parameters and conditions that a row
    mentions."""
    parameters = load_parameters()
    read, _ = statements_in(_joined(values), parameters)
    spoken_of = {(r.stated.parameter, r.stated.condition) for r in read}
    return sorted(
        written(
            parameters[row.parameter.code],
            Stated(row.parameter.code, row.minimum, row.maximum, row.condition),
            row.unit,
        )
        for row in instrument.capabilities.all()
        if (row.parameter.code, row.condition) in spoken_of
    )


def _match(run: Run, rows: Sequence[RowValues]) -> dict[str, tuple[UUID, bool]]:
    """Return by the key of a row the id of the matching instrument, and whether it was found by its key in
    the source of the import; otherwise by the id that an export wrote, or by its persistent identifier."""
    keys = [row.key for row in rows]
    own = Instrument.objects.filter(organisation=run.organisation)
    matches: dict[str, tuple[UUID, bool]] = {}
    ids = {key: pk for key in keys if (pk := _as_id(key))}
    if ids:
        there = set(own.filter(pk__in=ids.values()).values_list("pk", flat=True))
        matches |= {key: (pk, False) for key, pk in ids.items() if pk in there}
    named = {
        (str(row.record["identifier_type"]), str(row.record["identifier"])): row.key
        for row in rows
        if row.record.get("identifier") and row.record.get("identifier_type")
    }
    if named:
        identified = own.filter(identifier__in=[identifier for _kind, identifier in named])
        several: set[str] = set()
        for pk, kind, identifier in identified.values_list("pk", "identifier_type", "identifier"):
            if key := named.get((kind, identifier)):
                if key in matches and matches[key][0] != pk:
                    several.add(key)
                matches.setdefault(key, (pk, False))
        for key in several:
            del matches[key]
    by_key = own.filter(source=run.source, source_key__in=keys).values_list("source_key", "pk")
    return matches | {key: (pk, True) for key, pk in by_key}


def _follow(run: Run, matches: dict[str, tuple[UUID, bool]]) -> dict[str, str]:
    """Point rows of merged records, in `matches`, to the record that was kept. Return, by key, that record's
    name for rows that may not change it: because it belongs to another organisation or has its own key in
    this source, or because the row was not matched by its key and the file may contain both."""
    if not matches:
        return {}
    gone = Instrument.objects.filter(pk__in=[pk for pk, _ in matches.values()])
    stayed = {
        pk: (into, name, organisation_id, source)
        for pk, into, name, organisation_id, source in gone.exclude(merged_into=None).values_list(
            "pk", "merged_into_id", "merged_into__name", "merged_into__organisation_id", "merged_into__source"
        )
        if into
    }
    closed: dict[str, str] = {}
    for key, (pk, is_by_key) in list(matches.items()):
        if pk in stayed:
            into, name, organisation_id, source = stayed[pk]
            is_ours = organisation_id == run.organisation.pk and source != run.source
            if is_by_key and is_ours:
                matches[key] = (into, False)
            else:
                closed[key] = name
    return closed


def _as_id(key: str) -> UUID | None:
    try:
        return UUID(key) if len(key) == 36 else None
    except ValueError:
        return None


def _instruments(ids: set[UUID], lock: bool) -> list[Instrument]:
    if not ids:
        return []
    if lock:
        instruments = lock_instruments(ids, record=True)
    else:
        instruments = list(Instrument.objects.filter(pk__in=ids).select_related(*WITH))
    prefetch_related_objects(instruments, "techniques", "provenance")
    return instruments


def _taken(run: Run, matches: Mapping[str, tuple[UUID, bool]]) -> dict[UUID, int]:
    """Map each instrument to the line of an earlier batch that was matched to it. Two rows can only match the
    same instrument if one is not matched by its key."""
    if run.job.state != Import.State.READING or not any(not by for _pk, by in matches.values()):
        return {}
    rows = ImportRow.objects.filter(job=run.job, instrument_id__in=[pk for pk, _by in matches.values()])
    return {pk: line for pk, line in rows.values_list("instrument_id", "line") if pk}


def _load_techniques(run: Run, rows: Sequence[RowValues]) -> None:
    """Load the techniques that rows name: by code, or else by name or synonym."""
    words = {word for row in rows for word in (*_codes(row), *row.unknown.get("techniques", ()))}
    chosen = {term for (name, _), term in run.terms.items() if name == "techniques" and term}
    missing = (words | chosen) - run.techniques.keys()
    if not words or not missing:
        return
    run.techniques |= {t.code: t for t in Technique.objects.filter(code__in=missing)}
    if words - run.techniques.keys() and not run.named:
        for technique in Technique.objects.order_by("code"):
            for name in (technique.name, technique.name_zh, *technique.synonyms):
                run.named.setdefault(plain(str(name)), technique.code)
            run.techniques.setdefault(technique.code, technique)


def _codes(values: RowValues) -> list[str]:
    codes = values.record.get("techniques") or []
    return [str(code) for code in codes] if isinstance(codes, list) else []


def _decide(run: Run, line: int, values: RowValues, instrument: Instrument, is_by_key: bool) -> Decision:
    row_digest = digest(values)
    known = instrument.source_digest if is_by_key else ""
    if known == row_digest and run.keeps_hand:
        return Decision(line, Result.UNCHANGED, values, row_digest, instrument, is_by_key)
    parts = changed_parts(known, row_digest) if known and run.keeps_hand else frozenset(PARTS)
    provenance = getattr(instrument, "provenance", None)
    origins = provenance_rules.origins_of(provenance.fields) if provenance else {}
    differing: list[Difference] = []
    if RECORD in parts:
        differing += differences(
            values,
            _current(run, values, instrument),
            origins,
            source=run.source,
            is_of_source=is_by_key,
            keep_hand=run.keeps_hand,
        )
    placing: list[Difference] = []
    leaves = CONTACT in parts and run.sites.leaves(values, instrument.facility)
    if FACILITY in parts or leaves:
        placing = _facility_difference(run, values, instrument, is_by_key)
    differing += placing
    if CONTACT in parts:
        differing += _contact_differences(run, values, instrument, placing)
    if HOURS in parts:
        differing += _hours_difference(run, values, instrument, origins)
    if values.unknown:
        differing = [d for d in differing if d.field not in values.unknown]
        differing += _unknown(values, _current(run, values, instrument))
    taken = {difference.field for difference in differing if not difference.kept}
    changes = {RECORD} if taken & values.record.keys() else set()
    changes |= {FACILITY} if "facility" in taken else set()
    changes |= {CONTACT} if taken & set(facilities.CONTACT_FIELDS) else set()
    changes |= {HOURS} if provenance_rules.OPENING_HOURS in taken else set()
    result = Result.CHANGED if taken else Result.UNCHANGED
    return Decision(line, result, values, row_digest, instrument, is_by_key, frozenset(changes), differing)


def _current(run: Run, values: RowValues, instrument: Instrument) -> dict[str, Any]:
    current: dict[str, Any] = {
        name: getattr(instrument, name) for name in values.record if name not in _RELATED
    }
    if "capabilities" in values.record:
        current["capabilities"] = _stated_now(values, instrument)
    if "techniques" in values.record:
        current["techniques"] = sorted(t.code for t in instrument.techniques.all())
    if values.record.get("owners") == [run.owner] and not instrument.owners:
        current["owners"] = [run.owner]  # exports give the organisation as owner if none is named
    return current


def _told_apart(run: Run, values: RowValues) -> list[Difference]:
    """Return a difference for the preview if a new instrument goes to another facility than the one its row
    names, because that one has another address, or its row names none; and a warning for each contact that
    is not stored, because the facility has another."""
    named, name = run.sites.named_in(values), run.sites.name_in(values)
    is_apart = named != name
    before = f"{named} ({run.sites.address_of(named)})" if is_apart else ""
    is_said = not is_apart and bool(values.facility.name)  # among the row's own fields
    differing = [] if is_said else [Difference("facility", before, name, is_apart=is_apart)]
    return differing + [
        Difference(word, own, given, because) for word, own, given, because in run.sites.told_contacts(values)
    ]


def _facility_difference(
    run: Run, values: RowValues, instrument: Instrument, is_by_key: bool
) -> list[Difference]:
    if not (values.facility.name or is_by_key):
        return []
    name, leaves = run.sites.name_in(values), run.sites.leaves(values, instrument.facility)
    # An instrument in the facility that its row names stays there: another address means the facility moved,
    # unless other rows say another one.
    if not leaves and instrument.facility.name in {name, run.sites.named_in(values)}:
        return []
    there = run.sites.by_name.get(name)
    zone = there.time_zone if there else run.sites.time_zone_in(values)
    # Another time zone would move the opening hours of an instrument that can be booked already.
    is_kept = not _is_drafting(instrument) and zone != instrument.facility.time_zone
    kept = PUBLISHED if is_kept else ""
    return [Difference("facility", instrument.facility.name, name, kept, is_apart=leaves and not is_kept)]


def _contact_differences(
    run: Run, values: RowValues, instrument: Instrument, placing: Sequence[Difference]
) -> list[Difference]:
    """Return the contacts in which a row differs from its facility. They are those of the facility that the
    row names: an instrument that stands elsewhere, and stays there (`placing`), gives none."""
    sites, there = run.sites, instrument.facility
    elsewhere = BY_HAND if sites.is_elsewhere(values, there) else ""
    held = placing[0].kept if placing else elsewhere
    given = {word: value for word, value in values.facility.contact.items() if value}
    if held:
        return [
            Difference(word, getattr(there, word), value, held)
            for word, value in given.items()
            if value != getattr(there, word)
        ]
    name = str(placing[0].after) if placing else there.name
    site = sites.by_name.get(name, there)
    planned = sites.planned.setdefault(name, {})
    differing = []
    for word, value in given.items():
        if word == "address" and site.name in sites.disputed and not placing and site.address:
            if not is_one_place(value, site.address):
                differing.append(Difference(word, site.address, value, OF_FACILITY))
        elif value != getattr(site, word):
            first = planned.setdefault(word, value)  # the first row of the file that gives one counts
            kept = OF_FACILITY if first != value else ""
            differing.append(Difference(word, first if kept else getattr(site, word), value, kept))
    return differing


def _hours_difference(
    run: Run, values: RowValues, instrument: Instrument, origins: Mapping[str, provenance_rules.Origin]
) -> list[Difference]:
    before = instrument.schedule.hours if instrument.schedule else {}
    if not values.hours or values.hours == before:
        return []
    origin = origins.get(provenance_rules.OPENING_HOURS)
    kept = ""
    if not _is_drafting(instrument):
        # An import cannot list the reservations that would no longer fit.
        kept = PUBLISHED
    elif origin and origin.by == provenance_rules.HAND and run.keeps_hand:
        kept = BY_HAND
    return [Difference(provenance_rules.OPENING_HOURS, before, values.hours, kept)]


def _is_drafting(instrument: Instrument) -> bool:
    return instrument.publication in _DRAFTING


# Storing


def rows_store(run: Run, actor: Actor, decisions: Sequence[Decision]) -> None:
    """Store the new and changed rows. New instruments become drafts and are set on their decisions."""
    stored = [d for d in decisions if d.result in (Result.CREATED, Result.CHANGED)]
    changes = facilities.facilities_store(run.sites, stored)
    created = [d for d in stored if d.result is Result.CREATED]
    changed = [d for d in stored if d.result is Result.CHANGED]
    if created:
        changes += _created_store(run, created)
    if changed:
        changes += _changed_store(run, changed)
    _provenance_store(run, stored)
    _capabilities_store(run, stored)
    entries_file([d.instrument.pk for d in stored if d.instrument])
    if changes:
        trail.record_many(By(actor, run.now), changes=changes, places=run.organisation.places())


def _created_store(run: Run, decisions: Sequence[Decision]) -> list[facilities.Change]:
    drafts: list[Instrument] = []
    hours: list[tuple[Instrument, Mapping[str, object]]] = []
    changes: list[facilities.Change] = []
    links = []
    for decision in decisions:
        values = _values(decision)
        record = {n: value for n, value in values.record.items() if n not in _RELATED}
        draft = Instrument(
            facility=run.sites.of(values),
            organisation=run.organisation,
            region=run.organisation.region,
            source=run.source,
            source_key=values.key,
            source_digest=decision.digest,
            created_at=run.now,
            updated_at=run.now,
            **{"owners": [run.owner]} | record,
        )
        links += [(draft, run.techniques[code]) for code in _codes(values)]
        after: dict[str, Any] = {**values.record, "facility": draft.facility_id}
        if values.hours:
            hours.append((draft, values.hours))
            after[provenance_rules.OPENING_HOURS] = values.hours
        drafts.append(draft)
        decision.instrument = draft
        changes.append(_entry(run, "instrument.create", decision, {}, after))
    Instrument.objects.bulk_create(drafts)
    _links_make(links)
    _hours_assign(run, hours)
    return changes


def _changed_store(run: Run, decisions: Sequence[Decision]) -> list[facilities.Change]:
    fields = {*_ALWAYS}
    hours: list[tuple[Instrument, Mapping[str, object]]] = []
    changes: list[facilities.Change] = []
    told = []
    instruments = []
    for decision in decisions:
        instrument = decision.instrument
        assert instrument is not None
        instruments.append(instrument)
        was: dict[str, Any] = {}
        after: dict[str, Any] = {}
        for difference in decision.taken:
            name = difference.field
            if name in facilities.CONTACT_FIELDS:
                continue
            was[name], after[name] = difference.before, difference.after
            if name == "facility":
                was[name], after[name] = instrument.facility_id, run.sites.by_name[after[name]].pk
                instrument.facility = run.sites.by_name[str(difference.after)]
            elif name == "techniques":
                instrument.techniques.set([run.techniques[code] for code in difference.after])
            elif name == provenance_rules.OPENING_HOURS:
                hours.append((instrument, difference.after))
            elif name != "capabilities":
                setattr(instrument, name, difference.after)
            if name not in (*_RELATED, provenance_rules.OPENING_HOURS):
                fields.add(name)
        if provenance_rules.OPENING_HOURS not in after and (week := _moved_hours(instrument)):
            hours.append((instrument, week))
            was[provenance_rules.OPENING_HOURS] = after[provenance_rules.OPENING_HOURS] = week
        if decision.is_by_key and len(decision.taken) == len(decision.differences):
            instrument.source_digest = decision.digest
        if after:
            instrument.version += 1
            instrument.updated_at = run.now
            changes.append(_entry(run, "instrument.update", decision, was, after))
            if instrument.publication == Instrument.Publication.PUBLISHED:
                told.append(record_event(instrument, ""))
    Instrument.objects.bulk_update(instruments, sorted(fields))
    enqueue(told, now=run.now)
    _hours_assign(run, hours)
    return changes


def _capabilities_store(run: Run, decisions: Sequence[Decision]) -> None:
    parameters = load_parameters()
    given = []
    for decision in decisions:
        is_taken = any(d.field == "capabilities" for d in decision.taken)
        if decision.instrument and (decision.result is Result.CREATED or is_taken):
            read, _ = statements_in(_joined(_values(decision)), parameters)
            given += [(decision.instrument, one) for one in read]
    capabilities_import(given=given, now=run.now)


def _values(decision: Decision) -> RowValues:
    assert decision.values is not None
    return decision.values


def _moved_hours(instrument: Instrument) -> Mapping[str, object] | None:
    """Return the wall-clock hours that a draft keeps if it moved to a facility in another time zone; else
    None."""
    schedule = instrument.schedule
    is_moved = schedule and schedule.time_zone != instrument.facility.time_zone
    return dict(schedule.hours) if schedule and is_moved and _is_drafting(instrument) else None


def _links_make(links: Sequence[tuple[Instrument, Technique]]) -> None:
    through = Instrument.techniques.through
    through.objects.bulk_create(
        [through(instrument=instrument, technique=technique) for instrument, technique in links]
    )


def _hours_assign(run: Run, hours: Sequence[tuple[Instrument, Mapping[str, object]]]) -> None:
    """Assign opening hours to instruments, by one schedule per zone and hours, created once per batch."""
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


def _provenance_store(run: Run, decisions: Sequence[Decision]) -> None:
    """Store which import wrote which field of an instrument, in one row per instrument."""
    rows = []
    at = trail.plain(run.now)
    for decision in decisions:
        values, instrument = _values(decision), decision.instrument
        assert instrument is not None
        if decision.result is Result.CREATED:
            written = [name for name, value in values.record.items() if value]
            written += ["facility", *([provenance_rules.OPENING_HOURS] if values.hours else [])]
            stored: dict[str, Any] = {}
        else:
            written = [d.field for d in decision.taken if d.field not in facilities.CONTACT_FIELDS]
            provenance = getattr(instrument, "provenance", None)
            stored = dict(provenance.fields) if provenance else {}
        for name in written:
            value = values.record.get(name)
            stored[name] = provenance_rules.origin_json(
                provenance_rules.Origin(
                    provenance_rules.IMPORT,
                    at,
                    job=str(run.job.pk),
                    line=decision.line,
                    source=run.source,
                    said=provenance_rules.value_digest(value) if name in values.record else "",
                )
            )
        if written:
            rows.append(Provenance(instrument=instrument, fields=stored))
    Provenance.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["instrument"], update_fields=["fields"]
    )


def _entry(
    run: Run, action: str, decision: Decision, before: Mapping[str, Any], after: Mapping[str, Any]
) -> facilities.Change:
    values = _values(decision)
    origin = {"source": run.source, "source_key": values.key, "line": decision.line, "import": run.job.pk}
    return action, decision.instrument, before, {**after, **origin}, ""
