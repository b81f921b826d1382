"""What an import does with each row of a file, decided from values alone.

A row is known again by its key, by the persistent identifier it gives, or by the id that an
export of ours wrote. What the row said is kept as a digest in four parts, of the record, of the
facility's name, of the facility's contact and of the opening hours; what it said of each field of
the record is kept with the field (`Origin`), so that a later import overwrites only
what the source changed and leaves alone what people edited here since. A file never removes
anything and never publishes anything.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from instruments.domain.delimited import RowProblem
from instruments.domain.import_fields import (
    ALTERNATE_IDENTIFIERS,
    DATES,
    FACILITY_FIELDS,
    INSTRUMENT_FIELDS,
    NAMED,
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
    of the instrument, and `techniques`, the codes of its techniques; `hours` is the JSON of
    opening hours, None where the row has none. `kinds`: for lists of which the format knows
    only items of some kinds, which; `names_only`: it knows makers and the like by name alone.
    """

    key: str
    record: Mapping[str, Value]
    facility: FacilityValues = FacilityValues()
    hours: Mapping[str, object] | None = None
    repeats: bool = False
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    names_only: bool = field(default=False, compare=False)


type Row = tuple[int, RowValues | RowProblem]


class Result(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What becomes of one row, for a report."""

    line: int
    result: Result
    key: str = ""
    problem: RowProblem | None = None


@dataclass(frozen=True)
class ImportReport:
    """What became, or would become, of a file. `refused`: the rows that were, in order.
    `absent`: instruments of earlier imports of this source that are not in this file; `kept`:
    rows of which something was not taken over, because a person wrote it or because what is
    published keeps its hours."""

    counts: Mapping[Result, int]
    refused: tuple[RowOutcome, ...]
    absent: int
    kept: int

    @property
    def rows(self) -> int:
        return sum(self.counts.values())


def read_row(
    texts: Mapping[str, str],
    *,
    key: str,
    repeats: bool = False,
    time_zone: str = "",
    hours: Mapping[str, object] | None = None,
) -> RowValues | RowProblem:
    """Return the values from the texts of one row by field (`import_fields`), or why they are
    refused: no-name, no-key, too-long, bad-value."""
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
    kinds = {
        "dates": tuple(kind for name, kind in DATES.items() if name in values),
        "alternate_identifiers": tuple(
            kind for name, kind in ALTERNATE_IDENTIFIERS.items() if name in values
        ),
    }
    return RowValues(key, compose(values), facility, hours, repeats, kinds, names_only=True)


def _unusable(name: str, length: int, most: int) -> RowProblem:
    if most:
        return RowProblem("too-long", {"field": name, "length": length, "most": most})
    return RowProblem("bad-value", {"field": name})


def key_kept(key: str) -> str:
    """Return a key as it is stored: one too long for its column by its digest."""
    return key if len(key) <= MAX_KEY else f"sha256:{_sha256(key)}"


def values_json(values: RowValues) -> dict[str, object]:
    """Return a row as it waits to be applied."""
    record = {
        name: str(value) if isinstance(value, (Decimal, date)) else value
        for name, value in values.record.items()
    }
    return {
        "record": record,
        "facility": values.facility.name,
        "time_zone": values.facility.time_zone,
        "contact": dict(values.facility.contact),
        "hours": values.hours,
        "kinds": {name: list(kinds) for name, kinds in values.kinds.items()},
        "names_only": values.names_only,
    }


def values_of(key: str, waiting: Mapping[str, Any]) -> RowValues:
    """Return what `values_json` was given."""
    record: dict[str, Value] = dict(waiting["record"])
    if record.get("acquisition_cost") is not None:
        record["acquisition_cost"] = Decimal(str(record["acquisition_cost"]))
    if record.get("acquisition_date") is not None:
        record["acquisition_date"] = date.fromisoformat(str(record["acquisition_date"]))
    return RowValues(
        key,
        record,
        FacilityValues(waiting["facility"], waiting["time_zone"], waiting["contact"]),
        waiting["hours"],
        kinds={name: tuple(kinds) for name, kinds in waiting["kinds"].items()},
        names_only=waiting["names_only"],
    )


def content_key(*texts: str) -> str:
    """Return a key for rows of a source without keys: a digest of what the row is about."""
    return "row-" + _sha256([clean_lines(text) for text in texts])[:32]


def digest(values: RowValues) -> str:
    """Return what the row said: 64 hexadecimal characters, 16 for each of `PARTS`."""
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


@dataclass
class Keys:
    """The keys of a file so far: a file may name none twice. Memory holds the keys alone."""

    lines: dict[str, int] = field(default_factory=dict)  # where each was first seen
    again: dict[str, int] = field(default_factory=dict)  # where one came a second time
    repeated: dict[str, int] = field(default_factory=dict)

    def admit(self, line: int, row: RowValues) -> RowValues | RowProblem:
        """Return the row under the key it is stored by; `RowProblem` (too-long, duplicate-key).
        Both rows of a key are refused, as nobody can tell which is right: the first one is found in
        `again` when all have been seen."""
        if row.repeats:
            self.repeated[row.key] = self.repeated.get(row.key, 0) + 1
            row = replace(row, key=f"{row.key}-{self.repeated[row.key]}", repeats=False)
        if len(row.key) > MAX_KEY:
            return _unusable("key", len(row.key), MAX_KEY)
        if row.key in self.lines:
            self.again.setdefault(row.key, line)
            return RowProblem("duplicate-key", {"key": row.key, "first": self.lines[row.key]})
        self.lines[row.key] = line
        return row


IMPORT, HAND = "import", "hand"
# Why a difference is not taken over.
BY_HAND, PUBLISHED = "by-hand", "published"
NOT_UNDERSTOOD = "not-understood"  # what a row states of the instrument in words nobody can read
OPENING_HOURS = "opening_hours"


@dataclass(frozen=True)
class Origin:
    """Who wrote a field last: `by` an import (`job`, its `line`) or a hand (`user`), `at` an
    instant in RFC 3339. `source`, `said`: what an import said of it last, as a digest, also when
    a hand wrote afterwards."""

    by: str
    at: str
    job: str = ""
    line: int = 0
    user: str = ""
    source: str = ""
    said: str = ""


@dataclass(frozen=True)
class Difference:
    """A field a file would change; `kept` says why it stays as it is."""

    field: str
    before: Any
    after: Any
    kept: str = ""


def origins_of(stored: Mapping[str, Mapping[str, Any]]) -> dict[str, Origin]:
    return {name: Origin(**origin) for name, origin in stored.items()}


def origin_json(origin: Origin) -> dict[str, Any]:
    """As it is stored: what is empty is left out."""
    return {name: value for name, value in asdict(origin).items() if value}


def value_digest(value: object) -> str:
    """Return sixteen hexadecimal characters that stand for a value."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def by_hand(
    stored: Mapping[str, Mapping[str, Any]], names: Sequence[str], *, user: str, at: str
) -> dict[str, dict[str, Any]]:
    """Return the stored origins after a person wrote these fields."""
    after = {name: dict(origin) for name, origin in stored.items()}
    for name in names:
        before = after.get(name, {})
        kept = {word: before[word] for word in ("source", "said") if word in before}
        after[name] = origin_json(Origin(HAND, at, user=user)) | kept
    return after


def differences(
    row: RowValues,
    current: Mapping[str, Value],
    origins: Mapping[str, Origin],
    *,
    source: str,
    is_of_source: bool,
    keep_hand: bool,
) -> list[Difference]:
    """Return what the record of a row would change of an instrument that is `current`.
    `is_of_source`: it came through an earlier import of `source`; else it is known by its id or
    identifier."""
    result = []
    for name, value in row.record.items():
        after, before = carried(name, value, current[name], row), current[name]
        if after == before:
            continue
        origin = origins.get(name)
        last = origin.said if origin and origin.source == source else ""
        is_by_hand = origin.by == HAND if origin else not is_of_source
        if last == value_digest(value) and (keep_hand or not is_by_hand):
            continue  # the source has nothing new to say
        if after in ("", None, []) and not last and not (is_of_source and origin is None):
            continue  # it never said anything
        result.append(Difference(name, before, after, BY_HAND if is_by_hand and keep_hand else ""))
    return result


def carried(name: str, value: Value, before: Value, row: RowValues) -> Value:
    """Return what a field becomes if the row is believed: with what its format cannot say
    (identifiers of makers, dates of other kinds) as it was."""
    if not isinstance(value, list) or not isinstance(before, list):
        return value
    items: list[Any] = list(value)
    if row.names_only and name in NAMED:
        known = {item.get("name"): item for item in before if isinstance(item, dict)}
        return [known.get(item["name"], item) for item in items]
    if row.names_only and name in row.kinds:
        kinds = row.kinds[name]
        there = {_named(item): item for item in before if isinstance(item, dict)}
        items = [there.get(_named(item), item) for item in items]
        items += [i for i in before if isinstance(i, dict) and _kind(i) not in kinds]
        # In the order it was: an order that only a format made is no difference.
        at = {json.dumps(item, sort_keys=True): place for place, item in enumerate(before)}
        items.sort(key=lambda item: at.get(json.dumps(item, sort_keys=True), len(before)))
    return items


def _named(item: Mapping[str, Any]) -> tuple[str, str]:
    return _kind(item), str(item.get("date") or item.get("identifier"))


def _kind(item: Mapping[str, Any]) -> str:
    return str(item.get("date_type") or item.get("identifier_type") or "")
