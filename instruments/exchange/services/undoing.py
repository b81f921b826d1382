"""Undo what an import wrote, row by row, as far as nothing else stands on it.

A draft that the import made is deleted if nobody has published, changed or used it since. A changed record
gets back each old value whose field still has what the import wrote. The rest stays, and its row says why.
A value that was put back counts as written by the person who undid, so that the next import keeps it.
"""

from collections.abc import Sequence
from typing import Any

from accounts import trail
from accounts.domain.roles import By
from accounts.notifications import enqueue
from instruments.capabilities.models import Capability
from instruments.exchange.domain.imports import Result
from instruments.exchange.domain.undoing import RESTORED, reason_to_stay
from instruments.exchange.models import Import, ImportRow
from instruments.exchange.selectors.undoing import standings, used_by
from instruments.exchange.services import facilities
from instruments.register.locks import lock_instruments
from instruments.register.models import Facility, Instrument
from instruments.register.services.events import record_event
from instruments.register.services.provenance import hand_wrote_many
from instruments.search.services.search import entries_file
from instruments.vocabulary.models import Technique


def rows_undo(by: By, job: Import, rows: Sequence[ImportRow]) -> None:
    """Undo a batch of an import's rows, in its transaction, and note at each row what became of it."""
    ids = [row.instrument_id for row in rows if row.instrument_id]
    there = set(Instrument.objects.filter(pk__in=ids).values_list("pk", flat=True))
    instruments = {each.pk: each for each in lock_instruments(there, record=True)} if there else {}
    standing = standings(
        row.instrument_id for row in rows if row.result == Result.CREATED and row.instrument_id
    )
    changes: list[facilities.Change] = []
    gone: list[Instrument] = []
    put_back: list[tuple[Instrument, list[str]]] = []
    for row in rows:
        instrument = instruments.get(row.instrument_id) if row.instrument_id else None
        if row.result == Result.CREATED:
            if instrument is None:
                row.result, row.problem = Result.UNDONE, {}
                continue
            reason, numbers = reason_to_stay(standing[instrument.pk])
            if reason:
                row.problem = {"code": reason, "numbers": numbers}
                continue
            before = {"name": instrument.name, "source_key": instrument.source_key, "import": job.pk}
            changes.append(("instrument.undo_import", instrument, before, {}, ""))
            gone.append(instrument)
            row.result, row.problem = Result.UNDONE, {}
        elif row.result == Result.CHANGED and instrument is not None:
            before, after, stays = _put_back(instrument, row)
            if after:
                changes.append(
                    ("instrument.undo_import", instrument, before, {**after, "import": job.pk}, "")
                )
                put_back.append((instrument, [*after]))
            row.problem = {"code": "undo-fields", "numbers": {"fields": stays}} if stays else {}
            row.result = Result.CHANGED if stays else Result.UNDONE
    _delete(gone)
    _store(by, put_back)
    ImportRow.objects.bulk_update(rows, ["result", "problem"])
    if changes:
        trail.record_many(by, changes=changes, places=job.organisation.places())


def _put_back(instrument: Instrument, row: ImportRow) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Give a record back the values it had before a row was imported. Return what they were before and after,
    and the fields that stay as they are: somebody has changed them since, or they are stored elsewhere."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    stays: list[str] = []
    for difference in row.differences:
        name, old, new = difference["field"], difference["before"], difference["after"]
        if difference.get("kept"):
            continue
        if name == "techniques":
            if sorted(t.code for t in instrument.techniques.all()) == new:
                instrument.techniques.set(Technique.objects.filter(code__in=old))
                before[name], after[name] = new, old
            else:
                stays.append(name)
        elif name in RESTORED and getattr(instrument, name) == _value(name, new):
            setattr(instrument, name, _value(name, old))
            before[name], after[name] = new, old
        else:
            stays.append(name)
    return before, after, stays


def _value(name: str, stored: Any) -> Any:
    """Return the value of an attribute of a record from the JSON of a difference."""
    field: Any = Instrument._meta.get_field(name)
    return field.to_python(stored)


def _delete(gone: Sequence[Instrument]) -> None:
    ids = [instrument.pk for instrument in gone]
    if ids:
        Capability.objects.filter(instrument__in=ids).delete()
        Instrument.objects.filter(pk__in=ids).delete()


def _store(by: By, put_back: Sequence[tuple[Instrument, Sequence[str]]]) -> None:
    """Store the records that have old values again, each with the names of these fields. Their source's next
    file is read as if it were new."""
    if not put_back:
        return
    told, instruments = [], [instrument for instrument, _ in put_back]
    for instrument in instruments:
        instrument.source_digest = ""
        instrument.version += 1
        instrument.updated_at = by.now
        if instrument.publication == Instrument.Publication.PUBLISHED:
            told.append(record_event(instrument, ""))
    fields = [*RESTORED, "source_digest", "version", "updated_at"]
    Instrument.objects.bulk_update(instruments, fields)
    enqueue(told, now=by.now)
    hand_wrote_many(by, written=put_back)
    entries_file([instrument.pk for instrument in instruments])


def facilities_undo(by: By, job: Import) -> None:
    """Delete the facilities that an import made, unless something is in them or refers to them."""
    rows = Facility.objects.filter(pk__in=job.new_facilities, organisation=job.organisation)
    there = {each.pk: each for each in rows.select_for_update()}
    used = used_by(Facility, there)
    gone = [each for pk, each in there.items() if pk not in used]
    Facility.objects.filter(pk__in=[each.pk for each in gone]).delete()
    if gone:
        changes: list[facilities.Change] = [
            ("facility.undo_import", each, {"name": each.name, "import": job.pk}, {}, "") for each in gone
        ]
        trail.record_many(by, changes=changes, places=job.organisation.places())
