"""Add photos and capabilities to many instruments at once, each by its inventory number."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from django.db import transaction

from accounts import trail
from accounts.domain.errors import FieldProblem, Invalid, Refused, invalid
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from instruments.attachments.services.attachments import attachment_add
from instruments.capabilities.models import Capability
from instruments.capabilities.selectors.capabilities import parameter_named
from instruments.capabilities.services.capabilities import capability_add, capability_change
from instruments.exchange.adapters.table import read_small
from instruments.exchange.domain.many import (
    MOST_PHOTOS,
    MOST_STATEMENTS,
    Numbered,
    PhotoOutcome,
    StatementOutcome,
    decimal_of,
    numbered,
    plain_number,
    statement_columns,
    statements_line,
)
from instruments.exchange.selectors.numbers import load_numbered, photos_match
from instruments.reading.domain.delimited import FileRefused, RowProblem
from instruments.vocabulary.domain.parameters import stated_of


def photos_add(
    by: By, *, organisation: Organisation, files: Sequence[tuple[str, bytes]]
) -> list[PhotoOutcome]:
    """Add photos to the instruments whose inventory numbers are their file names, for the organisation's
    managers. Each is added or left out by itself, and the outcome says which. `Invalid` (too-many)."""
    require(by.actor, "manage-instruments", place_of(organisation))
    if len(files) > MOST_PHOTOS:
        raise invalid("files", "too-many", most=MOST_PHOTOS)
    matched = photos_match(organisation, [name for name, _ in files])
    return [_added(by, outcome, content) for outcome, (_, content) in zip(matched, files, strict=True)]


def _added(by: By, outcome: PhotoOutcome, content: bytes) -> PhotoOutcome:
    instrument = outcome.instrument
    if instrument is None:
        return outcome
    try:
        attachment_add(
            By(by.actor, by.now),
            instrument_id=instrument.id,
            content=content,
            title=instrument.name,
            title_zh=instrument.name_zh,
        )
    except Refused as refused:
        return PhotoOutcome(outcome.file, instrument, _problems_of(refused)[0])
    return outcome


def _problems_of(refused: Refused) -> tuple[FieldProblem, ...]:
    if isinstance(refused, Invalid):
        return tuple(refused.problems)
    return (FieldProblem("", refused.code, dict(refused.numbers)),)


def capabilities_bring(
    by: By,
    *,
    organisation: Organisation,
    content: bytes,
    file_name: str = "",
    header_row: int = 0,
    dry_run: bool = False,
) -> list[StatementOutcome]:
    """State what many instruments can do from a table: inventory number, parameter, minimum, maximum, unit,
    condition. For the organisation's managers. A row replaces what is stated of its parameter under the same
    condition; one that is refused changes nothing and says why. `header_row`: the line that names the
    columns; 0 finds it. `dry_run`: only find out. `FileRefused`."""
    require(by.actor, "manage-instruments", place_of(organisation))
    header, records = read_small(content, statements_line, header_row)
    columns = statement_columns(header)
    rows: list[tuple[int, dict[str, str]]] = []
    outcomes: dict[int, StatementOutcome] = {}
    for line, record in records:
        if len(rows) + len(outcomes) >= MOST_STATEMENTS:
            raise FileRefused("too-many-rows", most=MOST_STATEMENTS)
        if isinstance(record, RowProblem):
            problem = FieldProblem("", record.reason, dict(record.numbers))
            outcomes[line] = StatementOutcome(line, "", "", "refused", problems=(problem,))
        else:
            rows.append((line, {name: record[column].strip() for name, column in columns.items()}))
    known = load_numbered(organisation, {plain_number(texts["number"]) for _, texts in rows})
    if dry_run:
        outcomes |= _stated(by, rows, known, dry_run=True)
        return [outcomes[line] for line in sorted(outcomes)]
    with transaction.atomic():
        outcomes |= _stated(by, rows, known, dry_run=False)
        stated = [outcome for outcome in outcomes.values() if outcome.result in ("added", "changed")]
        if stated:
            after = {"file": file_name[:200], "rows": len(stated)}
            trail.record(by, "import.capabilities", organisation, after=after)
    return [outcomes[line] for line in sorted(outcomes)]


def columns_unread(content: bytes, header_row: int = 0) -> list[str]:
    """Return the named columns of a table of capabilities that `capabilities_bring` does not read.
    `FileRefused`."""
    header, _ = read_small(content, statements_line, header_row)
    read = statement_columns(header).values()
    return [column for column in header if column and column not in read]


def _stated(
    by: By,
    rows: Sequence[tuple[int, dict[str, str]]],
    known: Mapping[str, Sequence[Numbered]],
    *,
    dry_run: bool,
) -> dict[int, StatementOutcome]:
    """State the rows of a table and return their outcomes by line. Instruments are locked in the order of
    their ids; with `dry_run` one after another, each only until its rows are undone."""
    outcomes = {}

    def place(row: tuple[int, dict[str, str]]) -> str:
        found = known.get(plain_number(row[1]["number"]), ())
        return str(found[0].id) if len(found) == 1 else ""

    for _, some in groupby(sorted(rows, key=place), key=place):
        with transaction.atomic():
            for line, texts in some:
                outcomes[line] = _outcome(by, line, texts, known)
            transaction.set_rollback(dry_run)
    return outcomes


def _outcome(
    by: By, line: int, texts: dict[str, str], known: Mapping[str, Sequence[Numbered]]
) -> StatementOutcome:
    instrument: Numbered | None = None
    problems: tuple[FieldProblem, ...] = ()
    try:
        with transaction.atomic():
            if not texts["number"]:
                raise invalid("number", "required")
            instrument = numbered([plain_number(texts["number"])], known)
            result = _state(By(by.actor, by.now), instrument, texts)
    except Refused as refused:
        result, problems = "refused", _problems_of(refused)
    return StatementOutcome(line, texts["number"], texts["parameter"], result, instrument, problems)


def _state(by: By, instrument: Numbered, texts: dict[str, str]) -> str:
    """State one row of an instrument; return its result. `Invalid` and others: as `capability_add`."""
    terms = parameter_named(texts["parameter"])
    values: dict[str, Any] = {
        "minimum": decimal_of("minimum", texts.get("minimum", "")),
        "maximum": decimal_of("maximum", texts.get("maximum", "")),
        "unit": texts.get("unit", ""),
        "condition": texts.get("condition", ""),
    }
    stated, spelt = stated_of(terms, **values)
    there = Capability.objects.filter(
        instrument_id=instrument.id, parameter__code=terms.code, condition=stated.condition
    ).first()
    if there is None:
        capability_add(by, instrument_id=instrument.id, parameter=terms.code, **values)
        return "added"
    same = (there.minimum, there.maximum, there.unit, there.is_available)
    if same == (stated.minimum, stated.maximum, spelt, True):
        return "unchanged"
    capability_change(by, capability_id=there.pk, changes={**values, "is_available": True})
    return "changed"
