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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from instruments.exchange.domain import fields, terms
from instruments.reading.domain.delimited import RowProblem
from instruments.register.domain.provenance import HAND, Origin, value_digest

MAX_KEY = 200
RECORD, FACILITY, CONTACT, HOURS = "record", "facility", "contact", "hours"
PARTS = (RECORD, FACILITY, CONTACT, HOURS)
_PART_LENGTH = 16
MOST_CALLED = 250  # characters of the name of a refused row
UNREADABLE = "unreadable"  # a text that is no value of its field, which stays as it is
DAY_NUMBER = "day-number"  # a date that is written as the day number of a spreadsheet
MOST_QUOTED = 80  # characters of a value that a sentence quotes


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
    format can express; `names_only`: it gives makers and the like by name alone. `unknown`: by field, the
    row's values that are no known terms (`domain/terms`), which `record` lacks. `remarks`: texts that
    cannot be read, whose fields stay as they are, and those that are read in an unusual way.
    """

    key: str
    record: Mapping[str, fields.Value]
    facility: FacilityValues = FacilityValues()
    hours: Mapping[str, object] | None = None
    repeats: bool = False
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    names_only: bool = field(default=False, compare=False)
    unknown: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    remarks: "tuple[Remark, ...]" = field(default=(), compare=False)


@dataclass(frozen=True)
class Remark:
    """A text of a row that cannot be read (`UNREADABLE`), or that is read in an unusual way as a value."""

    field: str
    text: str
    because: str
    value: str = ""


MOST_OF_A_NAME = 200  # characters of a facility's name


def is_one_place(address: str, other: str) -> bool:
    """Say whether two addresses can be those of one facility: either is unknown, or they are the same."""
    return not address or not other or plain_address(address) == plain_address(other)


def apart(name: str, address: str, *, is_marked: bool = False) -> str:
    """Return the name of a separate facility at an address that the facility `name` does not have. A name
    that has to be cut, or that is taken (`is_marked`), ends in a mark, so that no two are the same."""
    called = f"{name}, {address}"
    if len(called) <= MOST_OF_A_NAME and not is_marked:
        return called
    mark = f" #{_sha256([name, plain_address(address)])[:8]}"
    return f"{name[: MOST_OF_A_NAME // 2]}, {address}"[: MOST_OF_A_NAME - len(mark)] + mark


def plain_address(address: str) -> str:
    """Return an address in the form in which addresses are compared: case, width, blanks and the signs at its
    ends do not count."""
    return " ".join(unicodedata.normalize("NFKC", address).casefold().split()).strip(" .,;。")


type Row = tuple[int, RowValues | RowProblem]


class Result(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """The outcome of one row in a report."""

    line: int
    result: Result
    key: str = ""
    problem: RowProblem | None = None


@dataclass(frozen=True, slots=True)
class RowRemark:
    """A value of a row that is not imported, or is read in an unusual way (`because`, a reason), or the
    separate facility to which the row goes (`because` is empty)."""

    line: int
    field: str
    before: Any
    after: Any
    because: str = ""


@dataclass(frozen=True)
class ImportReport:
    """The actual or expected outcome of a file. `refused`: the refused rows, in order. `absent`: how many
    instruments of earlier imports from this source are not in this file. `kept`: how many rows were not taken
    over entirely, because a person wrote a value or because published instruments keep their hours. `apart`:
    how many go to a facility of their own. `remarks`: what is said of each of both, in order."""

    counts: Mapping[Result, int]
    refused: tuple[RowOutcome, ...]
    absent: int
    kept: int
    apart: int = 0
    remarks: tuple[RowRemark, ...] = ()

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
    unread: Sequence[Remark] = (),
) -> RowValues | RowProblem:
    """Return the values of one row from its texts by field (`domain/fields`), or the problems for which it is
    refused: no-name, no-key, too-long; then also bad-value for whatever else is wrong with it. The text of an
    optional field that cannot be read becomes a remark; `unread`: those that the caller could not read."""
    values: dict[str, fields.Value] = {}
    contact: dict[str, str] = {}
    unknown: dict[str, tuple[str, ...]] = {}
    problems: list[RowProblem] = []
    remarks = list(unread)
    for name, text in texts.items():
        cleaned = fields.clean_lines(text) if name in fields.SEVERAL_LINES else fields.clean(text)
        if name in terms.CHOSEN:
            cleaned, others = terms.split(name, cleaned)
            if others:
                unknown[name] = tuple(others)
                if not cleaned:
                    continue
        try:
            if name in fields.FACILITY_FIELDS:
                contact[name] = fields.FACILITY_FIELDS[name](cleaned)
            else:
                values[name] = fields.INSTRUMENT_FIELDS[name](cleaned)
        except fields.Unusable as error:
            if name in fields.DAYS and (day := fields.serial_day(cleaned)):
                values[name] = day
                remarks.append(Remark(name, cleaned, DAY_NUMBER, str(day)))
            elif error.most or name in fields.REQUIRED:
                problems.append(_unusable(name, cleaned, error.most))
            else:
                remarks.append(Remark(name, quoted(cleaned), UNREADABLE))
    is_named = any(problem.numbers.get("field") in fields.REQUIRED for problem in problems)
    if not fields.is_name(str(values.get("name", ""))):
        # Registers leave the English name empty; the Chinese one is a name, too.
        if fields.is_name(str(values.get("name_zh", ""))):
            values["name"] = values["name_zh"]
        elif not is_named:
            problems.append(RowProblem("no-name"))
    if not key:
        problems.append(RowProblem("no-key"))
    if problems:
        problems += [bad_value(r.field, r.text) for r in remarks if r.because == UNREADABLE]
        first = replace(problems[0], more=tuple(problems[1:]))
        return first if first.reason == "no-name" else called(first, texts.get("name", ""))
    facility = FacilityValues(contact.pop("facility", ""), time_zone, contact)
    kinds = {
        "dates": tuple(kind for name, kind in fields.DATES.items() if name in values),
        "alternate_identifiers": tuple(
            kind for name, kind in fields.ALTERNATE_IDENTIFIERS.items() if name in values
        ),
    }
    return RowValues(
        key,
        fields.compose(values),
        facility,
        hours,
        repeats,
        kinds,
        names_only=True,
        unknown=unknown,
        remarks=tuple(remarks),
    )


def _unusable(name: str, text: str, most: int) -> RowProblem:
    if most:
        return RowProblem("too-long", {"field": name, "length": len(text), "most": most})
    return bad_value(name, text)


def bad_value(name: str, text: str) -> RowProblem:
    """Return the problem of a field whose text is no value of it; the sentence quotes the text."""
    return RowProblem("bad-value", {"field": name, "value": quoted(text)})


def quoted(text: str) -> str:
    """Return a text as a sentence quotes it, cut if it is long."""
    return text if len(text) <= MOST_QUOTED else f"{text[: MOST_QUOTED - 1]}…"


def called(problem: RowProblem, name: str) -> RowProblem:
    """Return the problem of a row with the name that the row gives, cut to what is stored."""
    return replace(problem, name=fields.clean(name)[:MOST_CALLED])


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
        "unknown": {name: list(texts) for name, texts in values.unknown.items()},
        "remarks": [[r.field, r.text, r.because, r.value] for r in values.remarks],
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
        unknown={name: tuple(texts) for name, texts in waiting.get("unknown", {}).items()},
        remarks=tuple(Remark(*parts) for parts in waiting.get("remarks", ())),
    )


_FIRST_SHOWN = (
    *("name", "name_zh", "techniques", "facility", "address", "room", "manufacturers", "model"),
    *("serial_number", "inventory_number", "kind", "service_modes"),
)


def given(waiting: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the fields that a row fills with their values, the best known first, from the JSON that
    `values_json` made."""
    filled = dict(waiting["record"])
    for name, parts in (("dates", fields.DATES), ("alternate_identifiers", fields.ALTERNATE_IDENTIFIERS)):
        items = filled.get(name) or []
        for part, kind in parts.items():
            texts = [item.get("date") or item.get("identifier") for item in items if _kind(item) == kind]
            if texts:
                filled[part] = texts[0]
        filled[name] = [item for item in items if _kind(item) not in parts.values()]
    contact = {name: text for name, text in waiting["contact"].items() if name in fields.FACILITY_FIELDS}
    filled |= {"facility": waiting["facility"], **contact, "opening_hours": waiting["hours"]}
    order = [*_FIRST_SHOWN, *(name for name in filled if name not in _FIRST_SHOWN)]
    return [(name, filled[name]) for name in order if filled.get(name)]


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
            return _unusable("key", row.key, MAX_KEY)
        if row.key in self.lines:
            self.again.setdefault(row.key, line)
            problem = RowProblem("duplicate-key", {"key": row.key, "first": self.lines[row.key]})
            return called(problem, str(row.record.get("name", "")))
        self.lines[row.key] = line
        return row


# Reasons why a difference is not taken over.
BY_HAND, PUBLISHED = "by-hand", "published"
NOT_UNDERSTOOD = "not-understood"  # capabilities of the row that could not be parsed
UNKNOWN = "unknown"  # values that are no known terms
OF_FACILITY = "of-facility"  # a contact other than that of the facility
NO_FACILITY = "no-facility"  # a person that a row names without a facility
NEW_CONTACT = "new-contact"  # a person who becomes the contact of a new facility
ONE_FACILITY = "one-facility"  # what a row says of its facility, if one was chosen for all rows


@dataclass(frozen=True)
class Difference:
    """A field that a file would change. If `kept` is not empty the field stays as it is, and `kept` is the
    reason. `is_apart`: the row goes to a facility of its own, as the one that it names has another
    address."""

    field: str
    before: Any
    after: Any
    kept: str = ""
    is_apart: bool = False


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
