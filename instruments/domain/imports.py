"""What an import does with each row of a file, decided from values alone.

A row is known again by its key. What the row said is kept as a digest in four parts, of the
record, of the facility's name, of the facility's contact and of the opening hours, so that a
later import overwrites only the parts that the source changed and leaves alone what people
edited here since. A file never removes anything and never publishes anything.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from instruments.domain.delimited import RowProblem
from instruments.domain.import_fields import (
    FACILITY_FIELDS,
    INSTRUMENT_FIELDS,
    SEVERAL_LINES,
    Unusable,
    Value,
    clean,
    clean_lines,
    compose,
    is_name,
)

MAX_KEY = 200
RECORD, FACILITY, CONTACT, HOURS = "record", "facility", "contact", "hours"
PARTS = (RECORD, FACILITY, CONTACT, HOURS)
_PART_LENGTH = 16


@dataclass(frozen=True)
class FacilityValues:
    """The site a row names; an empty name stands for the organisation itself. The time zone is
    the source's (empty: the region's) and matters only where the facility is made."""

    name: str = ""
    time_zone: str = ""
    contact: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RowValues:
    """One row, ready to be stored.

    `repeats`: the source has no key of its own, `key` is made of the row's content, and
    several rows that say the same are several pieces of equipment. `record` are attributes
    of the instrument; `hours` is the JSON of opening hours, None where the row has none.
    """

    key: str
    record: Mapping[str, Value]
    facility: FacilityValues = FacilityValues()
    hours: Mapping[str, object] | None = None
    repeats: bool = False


type Row = tuple[int, RowValues | RowProblem]


class Result(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What becomes of one row. `values` only where something is to be stored."""

    line: int
    result: Result
    key: str = ""
    digest: str = ""
    changes: frozenset[str] = frozenset()
    values: RowValues | None = None
    problem: RowProblem | None = None


@dataclass(frozen=True)
class ImportReport:
    """Every row of the file with its outcome. `absent`: instruments of earlier imports of this
    source that are not in this file; `hours_kept`: rows whose changed opening hours were not
    taken over, because the instrument is past drafting and its hours are people's business."""

    outcomes: tuple[RowOutcome, ...]
    absent: int
    hours_kept: int

    def count(self, result: Result) -> int:
        return sum(outcome.result is result for outcome in self.outcomes)


def read_row(
    texts: Mapping[str, str],
    *,
    key: str,
    repeats: bool = False,
    time_zone: str = "",
    hours: Mapping[str, object] | None = None,
) -> RowValues | RowProblem:
    """Values from the texts of one row by field (`import_fields`), or why they are refused:
    no-name, no-key, too-long, bad-value."""
    values: dict[str, Value] = {}
    contact: dict[str, str] = {}
    for name, text in texts.items():
        cleaned = clean_lines(text) if name in SEVERAL_LINES else clean(text)
        try:
            if name in FACILITY_FIELDS:
                contact[name] = FACILITY_FIELDS[name](cleaned)
            else:
                values[name] = INSTRUMENT_FIELDS[name](cleaned)
        except Unusable as error:
            return _unusable(name, len(cleaned), error.most)
    if not is_name(str(values.get("name", ""))):
        return RowProblem("no-name")
    if not key:
        return RowProblem("no-key")
    facility = FacilityValues(contact.pop("facility", ""), time_zone, contact)
    return RowValues(key, compose(values), facility, hours, repeats)


def _unusable(name: str, length: int, most: int) -> RowProblem:
    if most:
        return RowProblem("too-long", {"field": name, "length": length, "most": most})
    return RowProblem("bad-value", {"field": name})


def content_key(*texts: str) -> str:
    """A key for rows of a source without keys: a digest of what the row is about."""
    return "row-" + _sha256([clean_lines(text) for text in texts])[:32]


def digest(values: RowValues) -> str:
    """What the row said: 64 hexadecimal characters, 16 for each of `PARTS`."""
    parts = (values.record, values.facility.name, values.facility.contact, values.hours)
    return "".join(_sha256(part)[:_PART_LENGTH] for part in parts)


def _sha256(content: object) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def changed_parts(before: str, after: str) -> frozenset[str]:
    """Which of `PARTS` differ between two digests."""
    return frozenset(
        part
        for at, part in enumerate(PARTS)
        if before[at * _PART_LENGTH :][:_PART_LENGTH] != after[at * _PART_LENGTH :][:_PART_LENGTH]
    )


def plan(existing: Mapping[str, str], rows: Iterable[Row]) -> Iterator[RowOutcome]:
    """One outcome per row, in order, as the rows come: `existing` is key -> digest of what
    earlier imports of the same source stored."""
    lines: dict[str, int] = {}  # where each key was first seen
    repeated: dict[str, int] = {}
    for line, row in rows:
        if isinstance(row, RowProblem):
            yield RowOutcome(line, Result.REFUSED, problem=row)
            continue
        if row.repeats:
            repeated[row.key] = repeated.get(row.key, 0) + 1
            row = replace(row, key=f"{row.key}-{repeated[row.key]}", repeats=False)
        yield _decide(line, row, existing, lines)


def _decide(
    line: int, row: RowValues, existing: Mapping[str, str], lines: dict[str, int]
) -> RowOutcome:
    if len(row.key) > MAX_KEY:
        problem = _unusable("key", len(row.key), MAX_KEY)
        return RowOutcome(line, Result.REFUSED, problem=problem)
    if row.key in lines:
        problem = RowProblem("duplicate-key", {"key": row.key, "first": lines[row.key]})
        return RowOutcome(line, Result.REFUSED, row.key, problem=problem)
    lines[row.key] = line
    now_says, said = digest(row), existing.get(row.key)
    if said is None:
        return RowOutcome(line, Result.CREATED, row.key, now_says, frozenset(PARTS), row)
    changes = changed_parts(said, now_says)
    if not changes:
        return RowOutcome(line, Result.UNCHANGED, row.key, now_says)
    return RowOutcome(line, Result.CHANGED, row.key, now_says, changes, row)
