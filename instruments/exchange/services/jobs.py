"""Run imports as stored jobs: a file is stored, read, reviewed, and applied or cancelled.

Reading and applying go in batches. Each batch is one transaction that also moves the job's place, so that
whatever stops a worker, kill -9 included, the next one continues after the last whole batch; the job's place
is checked under the lock of its row before every batch. Only the job itself is written before a person
applies it.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import batched, islice
from typing import Any, BinaryIO
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from accounts import trail
from accounts.domain.errors import FieldProblem, Invalid, NotFound, NotPermitted, WrongState, invalid
from accounts.domain.file_names import file_name_of
from accounts.domain.roles import PLATFORM, By
from accounts.models import Organisation, User
from accounts.notifications import nudge
from accounts.permissions import require
from accounts.selectors.memberships import load_actor, place_of
from accounts.selectors.organisations import require_open
from accounts.selectors.rows import visible
from accounts.services.jobs import work_alone
from instruments.exchange.domain.imports import Keys, Result, Row, RowValues, values_json, values_of
from instruments.exchange.domain.mappings import LONGEST_NAME, parse_mapping
from instruments.exchange.domain.pidinst import Edge, edges_of, in_circles
from instruments.exchange.domain.terms import plain
from instruments.exchange.models import Harvest, Import, ImportChunk, ImportMapping, ImportRow, ImportTerm
from instruments.exchange.selectors.imports import APART, kept_file, load_disputed, load_header_row, load_rows
from instruments.exchange.selectors.terms import is_term, load_unknown
from instruments.exchange.services.facilities import CONTACT_FIELDS
from instruments.exchange.services.rows import Decision, load_run, rows_decide, rows_store
from instruments.exchange.services.undoing import facilities_undo, rows_undo
from instruments.reading.domain.delimited import MAX_BYTES, RECOGNISED, EncodingGuess, FileRefused, RowProblem
from instruments.register.models import Instrument

TASK = "instruments.tasks.work_imports"
BATCH = 500
CHUNK = 1 << 20
MOST_ATTEMPTS = 5
JOB = "imports"
State = Import.State
_AT_WORK = (State.READING, State.APPLYING, State.UNDOING)
_OPEN = (State.READING, State.UNMAPPED, State.READY, State.APPLYING)


@transaction.atomic
def import_start(
    by: By,
    *,
    organisation_id: UUID,
    file: BinaryIO,
    file_name: str,
    format: str,
    encoding: str = RECOGNISED,
    mapping: Mapping[str, Any] | None = None,
    mapping_name: str = "",
    facility: str = "",
    hand_changes: str = Import.HandChanges.KEEP,
    harvest: Harvest | None = None,
) -> Import:
    """Store a file and have it read. `by` may be the platform itself (the command); `harvest` is the one that
    fetched the file, and says whether the import is applied automatically. `FileRefused` (file-too-large,
    empty-file), `NotFound`, `NotPermitted`."""
    organisation = Organisation.objects.select_related("region").filter(pk=organisation_id).first()
    if organisation is None:
        raise NotFound(organisation=str(organisation_id))
    if not by.actor.is_platform:
        require(by.actor, "manage-instruments", place_of(organisation))
    require_open(organisation)
    header_row = parse_mapping(mapping).header_row if mapping is not None else 1
    if mapping is None and format == Import.Format.TABLE:
        header_row = 0  # to be found when the file is read
    job = Import(
        organisation=organisation,
        user_id=by.actor.user_id,
        file_name=file_name_of(file_name),
        size=0,
        format=format,
        encoding=encoding,
        header_row=header_row,
        facility=" ".join(facility.split())[:200],
        hand_changes=hand_changes,
        mapping=mapping,
        mapping_name=mapping_name,
        harvest=harvest,
        harvest_name=harvest.name if harvest else "",
        applies=harvest.applies if harvest else False,
        created_at=by.now,
    )
    digest, guess = hashlib.sha256(), EncodingGuess()
    job.save(force_insert=True)
    for position, content in enumerate(iter(lambda: file.read(CHUNK), b"")):
        job.size += len(content)
        if job.size > MAX_BYTES:
            raise FileRefused("file-too-large", most=MAX_BYTES // 1000)
        digest.update(content)
        if encoding == RECOGNISED:
            guess.feed(content)
        ImportChunk.objects.create(job=job, position=position, content=content)
    if not job.size:
        raise FileRefused("empty-file")
    job.sha256 = digest.hexdigest()
    if encoding == RECOGNISED:
        job.encoding = guess.encoding
    job.save(update_fields=["size", "sha256", "encoding"])
    after = {"file": job.file_name, "sha256": job.sha256}
    if harvest is not None:
        after |= {"harvest": harvest.name, "address": harvest.address}
    _record(by, job, "import.start", after)
    transaction.on_commit(lambda: nudge(TASK), robust=True)
    return job


@transaction.atomic
def import_map(
    by: By, *, import_id: UUID, mapping: Mapping[str, Any], name: str, facility: str | None = None
) -> Import:
    """Give a table that waits for a mapping its mapping, save that under a name, and have the table read;
    `facility`: the one of all rows, if it differs from what was said before (empty: that of each row).
    `FileRefused`: as `parse_mapping`; `WrongState`."""
    job = _managed(By(by.actor, by.now), import_id)
    if job.state != State.UNMAPPED:
        raise WrongState(state=job.state)
    parse_mapping(mapping).check_columns([column["name"] for column in job.columns])
    if job.header_row > 1:
        mapping = {**mapping, "header_row": str(job.header_row)}
    mapping_save(by, organisation=job.organisation, name=name, content=mapping)
    if facility is not None:
        job.facility = " ".join(facility.split())[:200]
    _change(job, mapping=dict(mapping), mapping_name=name, state=State.READING, facility=job.facility)
    transaction.on_commit(lambda: nudge(TASK), robust=True)
    return job


@transaction.atomic
def mapping_save(
    by: By, *, organisation: Organisation, name: str, content: Mapping[str, Any]
) -> ImportMapping:
    """Save a mapping under a name, in place of one of the same name. `FileRefused`: as `parse_mapping`."""
    require(by.actor, "manage-instruments", place_of(organisation))
    parse_mapping(content)
    if not name.strip() or len(name) > LONGEST_NAME:
        raise invalid("name", "required" if not name.strip() else "too-long", most=LONGEST_NAME)
    saved, _is_new = ImportMapping.objects.update_or_create(
        organisation=organisation,
        name=name.strip(),
        defaults={"content": dict(content), "version": F("version") + 1},
        create_defaults={"content": dict(content), "created_at": by.now},
    )
    _record(by, saved, "import_mapping.save", {"name": saved.name, "content": content})
    return saved


@transaction.atomic
def mapping_delete(by: By, *, mapping_id: UUID) -> None:
    """Delete a mapping; imports that used it keep its values."""
    saved = (
        ImportMapping.objects.select_for_update(of=("self",), no_key=True)
        .select_related("organisation__region")
        .filter(pk=mapping_id)
        .first()
    )
    if saved is None or not by.actor.may("manage-instruments", place_of(saved.organisation)):
        raise NotFound
    by.require_version(saved.version)
    _record(by, saved, "import_mapping.delete", {"name": saved.name})
    saved.delete()


@transaction.atomic
def import_apply(by: By, *, import_id: UUID) -> Import:
    """Have a reviewed import applied. `WrongState`, `WrongVersion`."""
    job = _managed(by, import_id)
    if job.state != State.READY:
        raise WrongState(state=job.state)
    _change(job, state=State.APPLYING, applied_at=by.now, attempts=0)
    _record(by, job, "import.apply", {"counts": job.counts})
    transaction.on_commit(lambda: nudge(TASK), robust=True)
    return job


@transaction.atomic
def import_read_again(
    by: By, *, import_id: UUID, encoding: str | None = None, header_row: int | None = None
) -> Import:
    """Read a stored table again in another encoding, or with its column names in another line (1 to 99).
    `WrongState` once it was applied or cancelled, `WrongVersion`."""
    job = _managed(by, import_id)
    is_table = job.format in (Import.Format.TABLE, Import.Format.UNIQUIP)
    may_again = job.state in (State.REFUSED, State.UNMAPPED, State.READY)
    if not (is_table and may_again) or job.applied_at is not None:
        raise WrongState(state=job.state)
    if header_row is not None and not 1 <= header_row <= 99:
        raise invalid("header_row", "out-of-range", least=1, most=99)
    before = {"encoding": job.encoding, "header_row": job.header_row}
    job.encoding, job.header_row = encoding or job.encoding, header_row or job.header_row
    _read_anew(job)
    after = {"encoding": job.encoding, "header_row": job.header_row}
    trail.record(by, "import.read_again", job, before=before, after=after)
    return job


def _read_anew(job: Import) -> None:
    """Have the stored file of a locked import read from its beginning."""
    job.state, job.problem, job.columns, job.ignored_columns = State.READING, {}, [], []
    job.counts, job.kept, job.absent, job.attempts = {}, 0, 0, 0
    job.read_bytes, job.read_rows, job.ended_at = 0, 0, None
    job.unknown_values, job.unlisted_values = [], 0
    job.version += 1
    job.save()
    job.rows.all().delete()
    transaction.on_commit(lambda: nudge(TASK), robust=True)


@transaction.atomic
def import_retry(*, import_id: UUID) -> None:
    """Have an import whose workers died go on: where applying or undoing it stopped, else from the beginning
    of its file. `WrongState` if it did not fail so."""
    job = _locked(import_id)
    if job.problem.get("code") != "import-failed" or job.state not in (State.REFUSED, State.DONE):
        raise WrongState(state=job.state)
    if job.state == State.REFUSED and job.applied_at is None:
        _read_anew(job)
        return
    state = State.APPLYING if job.state == State.REFUSED else State.UNDOING
    _change(job, state=state, problem={}, attempts=0, ended_at=None)
    transaction.on_commit(lambda: nudge(TASK), robust=True)


@transaction.atomic
def import_columns(by: By, *, import_id: UUID) -> Import:
    """Go back from the preview of a table to its columns, with the file that was uploaded. `WrongState`
    if it was applied, or is no table."""
    job = _managed(by, import_id)
    if not job.may_map_again:
        raise WrongState(state=job.state)
    before = {"mapping": job.mapping_name}
    job.mapping = {}  # also a table with our own names of columns waits for another mapping now
    _read_anew(job)
    trail.record(by, "import.columns", job, before=before)
    return job


@transaction.atomic
def import_terms(by: By, *, import_id: UUID, terms: Sequence[Mapping[str, str]]) -> Import:
    """Decide what unknown values of an import mean, each once for all its rows, and have the file read again
    with that; the organisation's next imports remember it. `terms`: of each value its `field`, the `value`
    and its `term`; an empty one leaves the value out, or keeps a facility as a new one. `Invalid`
    (unknown-value, not-a-term), `WrongState`."""
    job = _managed(by, import_id)
    if job.state != State.READY:
        raise WrongState(state=job.state)
    asked = {(each["field"], plain(each["value"])): each["value"] for each in job.unknown_values}
    problems, kept = [], []
    for at, each in enumerate(terms):
        field, value, term = each["field"], plain(each["value"]), each["term"].strip()
        if (field, value) not in asked:
            problems.append(FieldProblem(f"terms[{at}].value", "unknown-value"))
        elif term and not is_term(job.organisation, field, term):
            problems.append(FieldProblem(f"terms[{at}].term", "not-a-term", {"term": term[:80]}))
        else:
            kept.append(
                ImportTerm(
                    organisation=job.organisation, field=field, value=value, term=term, created_at=by.now
                )
            )
    if problems:
        raise Invalid(problems)
    if not kept:
        raise invalid("terms", "required")
    ImportTerm.objects.bulk_create(
        {(each.field, each.value): each for each in kept}.values(),
        update_conflicts=True,
        unique_fields=["organisation", "field", "value"],
        update_fields=["term"],
    )
    _read_anew(job)
    after = {"terms": [{"field": e.field, "value": e.value, "term": e.term} for e in kept]}
    trail.record(by, "import.terms", job, after=after)
    return job


@transaction.atomic
def term_forget(by: By, *, term_id: UUID) -> None:
    """Forget what a value of the organisation's files means; what was imported stays."""
    row = visible(
        ImportTerm.objects.select_for_update(of=("self",), no_key=True)
        .select_related("organisation__region")
        .filter(organisation__in=by.actor.organisations_where("manage-instruments")),
        pk=term_id,
    )
    by.require_version(row.version)
    before = {"field": row.field, "value": row.value, "term": row.term}
    trail.record(by, "import_term.forget", row, before=before)
    row.delete()


@transaction.atomic
def import_cancel(by: By, *, import_id: UUID) -> Import:
    """Stop an import. Before it is applied nothing has been written; while it is applied it stops after the
    current batch, and what was written stays and is listed. `WrongState`."""
    job = _managed(by, import_id)
    if job.state not in _OPEN:
        raise WrongState(state=job.state)
    _change(job, state=State.CANCELLED, ended_at=by.now)
    _record(by, job, "import.cancel", {"done_rows": job.done_rows})
    return job


@transaction.atomic
def import_undo(by: By, *, import_id: UUID) -> Import:
    """Have undone what an import wrote, as far as that is possible (`services/undoing`). `WrongState` unless
    it wrote something and its rows are still kept."""
    job = _managed(by, import_id)
    if not (job.may_undo and job.rows.exists()):
        raise WrongState(state=job.state)
    job.undone_by_id = by.actor.user_id
    _change(job, state=State.UNDOING, undone_at=by.now, attempts=0, problem={})
    job.save(update_fields=["undone_by"])
    _record(by, job, "import.undo", {"counts": job.counts})
    transaction.on_commit(lambda: nudge(TASK), robust=True)
    return job


def import_undo_carry_out(*, import_id: UUID, now: datetime) -> None:
    """Undo the rows of an import from where undoing stopped, the last first; then delete the facilities that
    it made, if nothing is in them."""
    job = Import.objects.get(pk=import_id)
    actor = load_actor(User.objects.get(pk=job.undone_by_id)) if job.undone_by_id else PLATFORM
    place = job.done_rows
    while True:
        with transaction.atomic():
            job = _at(import_id, State.UNDOING, None)
            if job.done_rows != place:
                raise _Overtaken
            rows = list(job.rows.filter(position__lte=place).order_by("-position")[:BATCH])
            if not actor.is_platform:
                require(actor, "manage-instruments", place_of(job.organisation))
            load_run(job, job.source, now=now)  # imports of one organisation run one after another
            if not rows:
                facilities_undo(By(actor, now), job)
                _change(job, state=State.UNDONE, ended_at=now, done_rows=0, **_tally(job))
                _record(By(actor, now), job, "import.undone", {"counts": job.counts})
                return
            rows_undo(By(actor, now), job, rows)
            place = rows[-1].position - 1
            job.done_rows, job.attempts = place, 0
            job.save(update_fields=["done_rows", "attempts"])


def imports_work(*, now: datetime, most: int = 100) -> int:
    """Advance every waiting import as far as it can go without a person; return the number of passes. Two
    workers never work on one organisation at a time: the second skips it."""
    due = Import.objects.filter(state__in=_AT_WORK).order_by("created_at", "pk")

    def act(job: Import) -> int:
        return _work(job, now)

    return work_alone(job=JOB, due=due, act=act, now=now, by="organisation_id", most=most)


def _work(job: Import, now: datetime) -> int:
    """Make one pass over one import, which is refused after `MOST_ATTEMPTS` failures."""
    job.attempts += 1
    Import.objects.filter(pk=job.pk).update(attempts=job.attempts)
    try:
        if job.attempts > MOST_ATTEMPTS:
            raise FileRefused("import-failed", attempts=MOST_ATTEMPTS)
        if job.state == State.READING:
            import_read(import_id=job.pk, now=now)
        elif job.state == State.UNDOING:
            import_undo_carry_out(import_id=job.pk, now=now)
        else:
            import_carry_out(import_id=job.pk, now=now)
    except (FileRefused, NotPermitted) as refused:
        _refuse(job.pk, refused.code, refused.numbers, now)
    except _Overtaken:
        pass
    return 1


def import_read(*, import_id: UUID, now: datetime) -> None:
    """Read the file of an import from where reading stopped, and store the decision about each row.
    `FileRefused`."""
    job = Import.objects.select_related("organisation__region").get(pk=import_id)
    with kept_file(job) as stream:
        if job.header_row == 0:
            job.header_row = load_header_row(job, stream)
            Import.objects.filter(pk=import_id).update(header_row=job.header_row)
        opened = load_rows(job, stream)
        if opened.columns:
            _unmapped(import_id, opened.columns)
            return
        Import.objects.filter(pk=import_id).update(ignored_columns=opened.ignored)
        rows_stage(import_id=import_id, source=opened.source, rows=opened.rows, stream=stream)
    _read_finish(import_id, now)


def rows_stage(*, import_id: UUID, source: str, rows: Iterable[Row], stream: BinaryIO | None = None) -> None:
    """Store the decision about each row of an import, after those that are already stored."""
    keys = Keys()
    admitted = ((line, _admit(keys, line, row)) for line, row in rows)
    place = Import.objects.values_list("read_rows", flat=True).get(pk=import_id)
    planned: dict[str, dict[str, str]] = {}
    for _ in islice(admitted, place):  # rows read before the worker was stopped
        pass
    if place:
        _plan_again(import_id, source, planned)
    for batch in batched(admitted, BATCH):
        with transaction.atomic():
            job = _at(import_id, State.READING, place)
            run = load_run(job, source, planned=planned)
            decisions = rows_decide(run, batch)
            ImportRow.objects.bulk_create(
                [_staged(job, place + n, d) for n, d in enumerate(decisions, start=1)]
            )
            place += len(batch)
            job.source, job.read_rows, job.attempts = source, place, 0
            # A reader that has reached the end of a text may have closed it.
            is_open = stream is not None and not stream.closed
            job.read_bytes = min(job.size, stream.tell()) if stream and is_open else job.size
            job.save(update_fields=["source", "read_rows", "read_bytes", "attempts"])
    with transaction.atomic():
        job = _at(import_id, State.READING, place)
        job.source = source
        job.save(update_fields=["source"])
        _refuse_again(job, keys)
        _refuse_circles(job)
        _part_again(job, planned)


def _part_again(job: Import, planned: dict[str, dict[str, str]]) -> None:
    """Decide again about known rows with another address than their facility, once it is known for which
    facilities the rows of the file disagree."""
    asked = job.rows.filter(values__isnull=False, instrument__isnull=False)
    rows = list(asked.filter(differences__contains=[{"field": "address"}]).order_by("position"))
    if not rows or not (disputed := load_disputed(job.pk)):
        return
    for batch in batched(rows, BATCH):
        run = load_run(job, job.source, planned=planned, disputed=disputed)
        given = [(row.line, values_of(row.key, row.values or {})) for row in batch]
        for row, decision in zip(batch, rows_decide(run, given), strict=True):
            row.result, row.differences = decision.result, decision.differences_json
            row.problem = decision.problem_json
        ImportRow.objects.bulk_update(batch, ["result", "differences", "problem"])


def _plan_again(import_id: UUID, source: str, planned: dict[str, dict[str, str]]) -> None:
    """Fill `planned` from the rows of an import that are stored already."""
    with transaction.atomic():
        job = _locked(import_id)
        sites = load_run(job, source, planned=planned).sites
        for row in job.rows.filter(values__isnull=False).order_by("position").iterator():
            values = values_of(row.key, row.values or {})
            if row.result == Result.CREATED:
                sites.told_contacts(values)
                continue
            for difference in row.differences:
                if difference["field"] in CONTACT_FIELDS and not difference.get("kept"):
                    plan = planned.setdefault(sites.name_in(values), {})
                    plan.setdefault(difference["field"], difference["after"])


def _read_finish(import_id: UUID, now: datetime) -> None:
    with transaction.atomic():
        job = _at(import_id, State.READING, None)
        seen = ImportRow.objects.filter(job=job, values__isnull=False).values("key")
        before = Instrument.objects.filter(organisation=job.organisation, source=job.source, merged_into=None)
        absent = before.exclude(source_key__in=seen).count()
        listed, more = load_unknown(job)
        unknown = {"unknown_values": [vars(each) for each in listed], "unlisted_values": more}
        _change(job, state=State.READY, read_bytes=job.size, absent=absent, **unknown, **_tally(job))
        # Merged records may stay in their source for ever, so nobody needs to look at these refusals.
        refused = job.rows.filter(result=Result.REFUSED).exclude(problem__code="merged-away")
        # A new facility is no surprise in a harvest; another unknown value waits for a person.
        is_known = all(each.field == "facility" for each in listed)
        if job.applies and is_known and not refused.exists():
            import_apply(By(PLATFORM, now), import_id=job.pk)


def import_carry_out(*, import_id: UUID, now: datetime) -> None:
    """Apply the rows from where applying stopped. Each is decided again with its instrument locked, so that
    what a person has written since the preview is kept or overwritten as the import says."""
    user_id = Import.objects.values_list("user_id", flat=True).get(pk=import_id)
    actor = load_actor(User.objects.get(pk=user_id)) if user_id else PLATFORM
    place = Import.objects.values_list("done_rows", flat=True).get(pk=import_id)
    planned: dict[str, dict[str, str]] = {}
    disputed = load_disputed(import_id)
    while True:
        with transaction.atomic():
            job = _at(import_id, State.APPLYING, place)
            rows = list(job.rows.filter(position__gt=place).order_by("position")[:BATCH])
            if not actor.is_platform:  # people who no longer manage the organisation must not write here
                require(actor, "manage-instruments", place_of(job.organisation))
            if not rows:
                _change(job, state=State.DONE, ended_at=now, **_tally(job))
                _record(By(actor, now), job, "import.done", {"counts": job.counts})
                return
            _batch_store(By(actor, now), job, rows, planned, disputed)
            place = rows[-1].position
            job.done_rows, job.attempts = place, 0
            job.save(update_fields=["done_rows", "attempts", "new_facilities"])


def _batch_store(
    by: By, job: Import, rows: list[ImportRow], planned: dict[str, dict[str, str]], disputed: frozenset[str]
) -> None:
    waiting = [row for row in rows if row.result in (Result.CREATED, Result.CHANGED)]
    if not waiting:
        return
    run = load_run(job, job.source, now=by.now, planned=planned, disputed=disputed)
    given = [(row.line, values_of(row.key, row.values or {})) for row in waiting]
    decisions = rows_decide(run, given, lock=True)
    rows_store(run, by.actor, decisions)
    job.new_facilities += [str(facility.pk) for facility in run.sites.made]
    decided_anew = []
    for row, decision in zip(waiting, decisions, strict=True):
        differences = decision.differences_json
        if (row.result, row.differences) != (decision.result, differences):
            row.result, row.differences = decision.result, differences
            row.problem = decision.problem_json
            decided_anew.append(row)
        row.instrument = decision.instrument
    ImportRow.objects.bulk_update(waiting, ["instrument"])
    ImportRow.objects.bulk_update(decided_anew, ["result", "differences", "problem"])


# Places


def _locked(import_id: UUID) -> Import:
    return visible(
        Import.objects.select_for_update(of=("self",), no_key=True).select_related("organisation__region"),
        pk=import_id,
    )


def _managed(by: By, import_id: UUID) -> Import:
    job, actor = _locked(import_id), by.actor
    if not (actor.is_platform or actor.may("manage-instruments", place_of(job.organisation))):
        raise NotFound
    by.require_version(job.version)
    return job


class _Overtaken(Exception):
    """The import was cancelled, or another worker has continued it."""


def _at(import_id: UUID, state: str, place: int | None) -> Import:
    """Lock and return the import if it is still where this worker left it; else raise `_Overtaken`. `place`
    is compared with `read_rows` when reading, with `done_rows` when applying."""
    job = _locked(import_id)
    at = job.read_rows if state == State.READING else job.done_rows
    if job.state != state or (place is not None and at != place):
        raise _Overtaken
    return job


def _refuse(import_id: UUID, code: str, numbers: Mapping[str, Any], now: datetime) -> None:
    """Refuse an import whose file cannot be read or applied; decisions stored while reading are deleted. One
    that cannot be undone further is done again where undoing stopped: any manager can have it go on."""
    with transaction.atomic():
        job = _locked(import_id)
        if job.state not in _AT_WORK:
            return
        if job.state == State.READING:
            job.rows.all().delete()
        problem = {"code": code, "numbers": dict(numbers)}
        if job.state == State.UNDOING:
            _change(job, problem=problem, state=State.DONE, ended_at=now, **_tally(job))
        else:
            _change(job, problem=problem, state=State.REFUSED, ended_at=now)


def _unmapped(import_id: UUID, columns: list[dict[str, Any]]) -> None:
    with transaction.atomic():
        job = _at(import_id, State.READING, 0)
        _change(job, columns=columns, state=State.UNMAPPED, attempts=0)


def _change(job: Import, **values: Any) -> None:
    """Store changes to a locked import, and raise its version so that readers notice."""
    for name, value in values.items():
        setattr(job, name, value)
    job.version += 1
    job.save(update_fields=[*values, "version"])


# Rows


def _admit(keys: Keys, line: int, row: RowValues | RowProblem) -> RowValues | RowProblem:
    return row if isinstance(row, RowProblem) else keys.admit(line, row)


def _staged(job: Import, position: int, decision: Decision) -> ImportRow:
    values = decision.values
    return ImportRow(
        job=job,
        position=position,
        line=decision.line,
        key=values.key if values else str((decision.numbers or {}).get("key", ""))[:200],
        name=str(values.record.get("name", "")) if values else decision.name,
        result=decision.result,
        values=values_json(values) if values else None,
        differences=decision.differences_json,
        problem=decision.problem_json,
        instrument=decision.instrument,
    )


def _refuse_again(job: Import, keys: Keys) -> None:
    """Refuse the first row of each repeated key; the others were refused when they were read."""
    repeated = job.rows.filter(key__in=list(keys.again), values__isnull=False)
    rows = list(repeated.only("pk", "key"))
    for row in rows:
        numbers: dict[str, str | int] = {"key": row.key, "again": keys.again[row.key]}
        _row_refuse(row, RowProblem("key-comes-again", numbers))
    ImportRow.objects.bulk_update(rows, _REFUSING, batch_size=BATCH)


def _refuse_circles(job: Import) -> None:
    """Refuse rows of an import whose relations, together with those already stored, form a circle."""
    related = job.rows.filter(values__isnull=False).exclude(
        Q(values__record__related_identifiers=[]) | Q(values__record__related_identifiers__isnull=True)
    )
    if not related.exists():
        return
    edges: set[Edge] = set()
    mine: dict[str, list[UUID]] = {}
    for pk, record in related.values_list("pk", "values__record").iterator():
        edges |= edges_of(record.get("identifier", ""), record["related_identifiers"])
        mine.setdefault(record.get("identifier", ""), []).append(pk)
    stored = Instrument.objects.filter(organisation=job.organisation).exclude(identifier="")
    for identifier, relations in stored.exclude(related_identifiers=[]).values_list(
        "identifier", "related_identifiers"
    ):
        if identifier not in mine:
            edges |= edges_of(identifier, relations)
    rows = []
    for identifier, circle in in_circles(edges).items():
        for pk in mine.get(identifier, ()):
            through = " → ".join(circle[:5]) + (" …" if len(circle) > 5 else "")
            row = ImportRow(pk=pk)
            _row_refuse(row, RowProblem("cyclic-relation", {"through": through}))
            rows.append(row)
    ImportRow.objects.bulk_update(rows, _REFUSING, batch_size=BATCH)


_REFUSING = ["result", "values", "differences", "problem"]


def _row_refuse(row: ImportRow, problem: RowProblem) -> None:
    row.result, row.values, row.differences = Result.REFUSED, None, []
    row.problem = {"code": problem.reason, "numbers": dict(problem.numbers)}


def _tally(job: Import) -> dict[str, Any]:
    """Count, on an import, the rows of each result, those that go to a facility of their own (`apart`), and
    those of which some value is kept."""
    counts: dict[str, int] = {result.value: 0 for result in Result if result != Result.UNDONE}
    kept = apart = 0
    rows = job.rows.values_list("result", "differences")
    for result, differences in rows.iterator(chunk_size=5000):
        counts[result] = counts.get(result, 0) + 1
        kept += any(difference.get("kept") for difference in differences)
        apart += any(difference.get("is_apart") for difference in differences)
    return {"counts": counts | ({APART: apart} if apart else {}), "kept": kept}


def _record(by: By, target: Import | ImportMapping, action: str, after: Any) -> None:
    trail.record(by, action, target, after=after)
