"""Decide what an import does with each row of a file, from values alone.

A row is matched to an instrument by its key, by the persistent identifier it gives, or by the id that an
export of this platform wrote. What the row said is kept as a digest in four parts: of the record, of the
facility's name, of the facility's contact and of the opening hours. What it said of each field of the record
is kept with the field (`Origin`), so that a later import overwrites only what the source has changed and
leaves alone what people have edited here since. A file never removes anything and never publishes anything.
"""

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from instruments.exchange.domain import fields
from instruments.reading.domain.delimited import RowProblem
from instruments.register.domain.provenance import HAND, Origin, value_digest

MAX_KEY = 200
RECORD, FACILITY, CONTACT, HOURS = "record", "facility", "contact", "hours"
PARTS = (RECORD, FACILITY, CONTACT, HOURS)
_PART_LENGTH = 16


@dataclass(frozen=True)
class FacilityValues:
    """The site that a row names; an empty name stands for the organisation itself. The time zone is the
    source's (empty: the region's) and matters only if the facility is created."""

    name: str = ""
    time_zone: str = ""
    contact: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RowValues:
    """The values of one row, ready to be stored.

    `record`: attributes of the instrument, with `techniques` as codes. `hours`: opening hours as JSON; None
    if the row has none. `repeats`: the source has no keys, so `key` is made from the row's content, and rows
    that say the same are several pieces of equipment. `kinds`: by list, the only kinds of items that the
    format can express; `names_only`: it gives makers and the like by name alone.
    """

    key: str
    record: Mapping[str, fields.Value]
    facility: FacilityValues = FacilityValues()
    hours: Mapping[str, object] | None = None
    repeats: bool = False
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    names_only: bool = field(default=False, compare=False)


MOST_OF_A_NAME = 200  # characters of a facility's name


def placed(name: str, address: str, of_that_name: str) -> str:
    """Return the name of the facility at an address, given the address that the facility of that name has
    (`of_that_name`). It is the same facility if either address is unknown or both are the same; else another
    one, with the address in its name."""
    if not address or not of_that_name or _plain(address) == _plain(of_that_name):
        return name
    return f"{name[: MOST_OF_A_NAME // 2]}, {address}"[:MOST_OF_A_NAME]


def _plain(address: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", address).casefold().split()).strip(" .,;")


type Row = tuple[int, RowValues | RowProblem]


class Result(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """The outcome of one row in a report."""

    line: int
    result: Result
    key: str = ""
    problem: RowProblem | None = None


@dataclass(frozen=True)
class ImportReport:
    """The actual or expected outcome of a file. `refused`: the refused rows, in order. `absent`: how many
    instruments of earlier imports from this source are not in this file. `kept`: how many rows were not taken
    over entirely, because a person wrote a value or because published instruments keep their hours."""

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
    """Return the values of one row from its texts by field (`domain/fields`), or the problem for which it is
    refused: no-name, no-key, too-long, bad-value."""
    values: dict[str, fields.Value] = {}
    contact: dict[str, str] = {}
    for name, text in texts.items():
        cleaned = fields.clean_lines(text) if name in fields.SEVERAL_LINES else fields.clean(text)
        try:
            if name in fields.FACILITY_FIELDS:
                contact[name] = fields.FACILITY_FIELDS[name](cleaned)
            else:
                values[name] = fields.INSTRUMENT_FIELDS[name](cleaned)
        except fields.Unusable as error:
            return _unusable(name, len(cleaned), error.most)
    if not fields.is_name(str(values.get("name", ""))):
        return RowProblem("no-name")
    if not key:
        return RowProblem("no-key")
    facility = FacilityValues(contact.pop("facility", ""), time_zone, contact)
    kinds = {
        "dates": tuple(kind for name, kind in fields.DATES.items() if name in values),
        "alternate_identifiers": tuple(
            kind for name, kind in fields.ALTERNATE_IDENTIFIERS.items() if name in values
        ),
    }
    return RowValues(key, fields.compose(values), facility, hours, repeats, kinds, names_only=True)


def _unusable(name: str, length: int, most: int) -> RowProblem:
    if most:
        return RowProblem("too-long", {"field": name, "length": length, "most": most})
    return RowProblem("bad-value", {"field": name})


def key_kept(key: str) -> str:
    """Return a key as it is stored; one that is too long for its column is replaced by its digest."""
    return key if len(key) <= MAX_KEY else f"sha256:{_sha256(key)}"


def values_json(values: RowValues) -> dict[str, object]:
    """Return the values of a row as JSON, to be stored until the import is applied."""
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
    """Return the values of a row from the JSON that `values_json` made."""
    record: dict[str, fields.Value] = dict(waiting["record"])
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
    """Return a key for a row of a source without keys: a digest of the texts that identify its content."""
    return "row-" + _sha256([fields.clean_lines(text) for text in texts])[:32]


def digest(values: RowValues) -> str:
    """Return a digest of the row's values: 64 hexadecimal characters, 16 for each of `PARTS`."""
    parts = (values.record, values.facility.name, values.facility.contact, values.hours)
    return "".join(_sha256(part)[:_PART_LENGTH] for part in parts)


def _sha256(content: object) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def changed_parts(before: str, after: str) -> frozenset[str]:
    """Return the parts (`PARTS`) in which two digests differ."""
    return frozenset(
        part
        for at, part in enumerate(PARTS)
        if before[at * _PART_LENGTH :][:_PART_LENGTH] != after[at * _PART_LENGTH :][:_PART_LENGTH]
    )


@dataclass
class Keys:
    """The keys of a file seen so far; each may occur only once. Only the keys are held in memory."""

    lines: dict[str, int] = field(default_factory=dict)  # key -> the line where it was first seen
    again: dict[str, int] = field(default_factory=dict)  # key -> the line where it was seen a second time
    repeated: dict[str, int] = field(default_factory=dict)

    def admit(self, line: int, row: RowValues) -> RowValues | RowProblem:
        """Return the row with the key under which it is stored, or a `RowProblem` (too-long, duplicate-key).
        Both rows with the same key are refused, as nobody can tell which is right: the caller refuses the
        first by `again`, after the last row."""
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


# Reasons why a difference is not taken over.
BY_HAND, PUBLISHED = "by-hand", "published"
NOT_UNDERSTOOD = "not-understood"  # capabilities of the row that could not be parsed


@dataclass(frozen=True)
class Difference:
    """A field that a file would change. If `kept` is not empty the field stays as it is, and `kept` is the
    reason."""

    field: str
    before: Any
    after: Any
    kept: str = ""


def differences(
    row: RowValues,
    current: Mapping[str, fields.Value],
    origins: Mapping[str, Origin],
    *,
    source: str,
    is_of_source: bool,
    keep_hand: bool,
) -> list[Difference]:
    """Return the changes that a row's record makes to an instrument with the attributes `current`.
    `is_of_source`: the instrument came through an earlier import of `source`; else it was matched by its id
    or identifier."""
    result = []
    for name, value in row.record.items():
        after, before = carried(name, value, current[name], row), current[name]
        if after == before:
            continue
        origin = origins.get(name)
        last = origin.said if origin and origin.source == source else ""
        is_by_hand = origin.by == HAND if origin else not is_of_source
        if last == value_digest(value) and (keep_hand or not is_by_hand):
            continue  # the source has not changed its value
        if after in ("", None, []) and not last and not (is_of_source and origin is None):
            continue  # the source never gave a value
        result.append(Difference(name, before, after, BY_HAND if is_by_hand and keep_hand else ""))
    return result


def carried(name: str, value: fields.Value, before: fields.Value, row: RowValues) -> fields.Value:
    """Return the new value of a field if the row's value is taken over. Parts that the row's format cannot
    express (identifiers of makers, dates of other kinds) stay as they were."""
    if not isinstance(value, list) or not isinstance(before, list):
        return value
    items: list[Any] = list(value)
    if row.names_only and name in fields.NAMED:
        known = {item.get("name"): item for item in before if isinstance(item, dict)}
        return [known.get(item["name"], item) for item in items]
    if row.names_only and name in row.kinds:
        kinds = row.kinds[name]
        there = {_named(item): item for item in before if isinstance(item, dict)}
        items = [there.get(_named(item), item) for item in items]
        items += [i for i in before if isinstance(i, dict) and _kind(i) not in kinds]
        # Keep the old order, so that an order that only the format produced is not a difference.
        at = {json.dumps(item, sort_keys=True): place for place, item in enumerate(before)}
        items.sort(key=lambda item: at.get(json.dumps(item, sort_keys=True), len(before)))
    return items


def _named(item: Mapping[str, Any]) -> tuple[str, str]:
    return _kind(item), str(item.get("date") or item.get("identifier"))


def _kind(item: Mapping[str, Any]) -> str:
    return str(item.get("date_type") or item.get("identifier_type") or "")
