"""Check a mapping of a table's columns to fields, and read one row through it.

Its form is described where mappings are loaded (`adapters/table`). All entries are texts; `FileRefused` names
the entry that is wrong: mapping-unknown-entry, mapping-missing-entry, mapping-bad-entry,
mapping-unknown-field, mapping-absent-column.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from zoneinfo import available_timezones

from instruments.exchange.domain.fields import (
    FACILITY_FIELDS,
    INSTRUMENT_FIELDS,
    LISTS,
    SEVERAL_LINES,
    clean,
    priced,
)
from instruments.exchange.domain.imports import (
    UNREADABLE,
    Remark,
    RowValues,
    bad_value,
    called,
    quoted,
    read_row,
)
from instruments.reading.domain.delimited import Cells, FileRefused, RowProblem, header_name

LONGEST_NAME = 80  # of a mapping
_DAY = 24 * 60
_SOURCE = re.compile(r"[a-z0-9][a-z0-9-]{0,33}")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_HOURS_A_DAY = re.compile(r"\d{1,2}(?:\.\d{1,2})?", re.ASCII)
_ESCAPES = {"n": "\n", "r": "\n", "t": "\t", "\\": "\\"}


@dataclass(frozen=True)
class ColumnPart:
    """A column whose values are translated by `values`, if given; a value that is not empty gets `prefix` in
    front."""

    column: str
    prefix: str = ""
    values: Mapping[str, str] | None = None
    otherwise: str | None = None

    def text(self, cells: Cells) -> str | None:
        """Return the text for a row's cells; None if the mapping does not know the value."""
        text: str | None = cells[self.column]
        if self.values is not None:
            text = self.values.get(" ".join(cells[self.column].split()), self.otherwise)
        return f"{self.prefix}{text}" if text and clean(text) else text


@dataclass(frozen=True)
class HoursRule:
    """A column with the number of open hours a day. 24: every day round the clock; fewer: that long from
    `opens` (minutes of the day) on `weekdays`; 0 or empty: no opening hours."""

    column: str
    opens: int
    weekdays: tuple[int, ...]
    observes_holidays: bool

    def hours(self, cells: Cells) -> dict[str, object] | Remark | None:
        text = clean(cells[self.column])
        if not text:
            return None
        minutes = float(text) * 60 if _HOURS_A_DAY.fullmatch(text) else -1.0
        if not 0 <= minutes <= _DAY or minutes != int(minutes):
            return Remark("opening_hours", quoted(text), UNREADABLE)
        if minutes == 0:
            return None
        weekdays, opens = self.weekdays, self.opens
        if minutes == _DAY:
            weekdays, opens = tuple(range(1, 8)), 0
        closes = opens + int(minutes)
        closes = closes if closes <= _DAY else closes - _DAY
        return {
            "weekly": [
                {"weekday": weekday, "opens": _clock(opens), "closes": _clock(closes)} for weekday in weekdays
            ],
            "overrides": [],
            "observes_holidays": self.observes_holidays,
        }


@dataclass(frozen=True)
class Exclusion:
    """A condition for rows that are not instruments of the organisation, and the reason."""

    column: str
    values: frozenset[str]
    containing: str
    because: str

    def holds(self, cells: Cells) -> bool:
        text = clean(cells[self.column]).casefold()
        return text in self.values or bool(self.containing and self.containing in text)


@dataclass(frozen=True)
class TableMapping:
    source: str
    key: tuple[str, ...]
    fields: Mapping[str, tuple[ColumnPart, ...]]
    constants: Mapping[str, str]
    time_zone: str = ""
    delimiter: str = ","
    backslash_escapes: bool = False
    hours: HoursRule | None = None
    exclusions: tuple[Exclusion, ...] = ()
    header_row: int = 1  # the line with the column names

    @property
    def columns(self) -> list[str]:
        """Return the columns that are used, in the order of the mapping."""
        named = [*self.key, *(part.column for parts in self.fields.values() for part in parts)]
        named += [exclusion.column for exclusion in self.exclusions]
        return [*named, self.hours.column] if self.hours else named

    def check_columns(self, header: Collection[str]) -> None:
        """Raise `FileRefused` (mapping-absent-column) unless the table has every column of the mapping."""
        for column in self.columns:
            if column not in header:
                raise FileRefused("mapping-absent-column", column=column)

    def row(self, cells: Cells) -> RowValues | RowProblem:
        """Return the values of one row, given as texts by column, or the problem for which it is refused: one
        of those of `read_row`, or that the mapping leaves the row out."""
        if self.backslash_escapes:
            cells = {column: _unescaped(cell) for column, cell in cells.items()}
        read = self._row(cells)
        if isinstance(read, RowProblem) and not read.name:
            parts = [part.text(cells) for part in self.fields["name"]]
            return called(read, " ".join(filter(None, parts)))
        return read

    def _row(self, cells: Cells) -> RowValues | RowProblem:
        for exclusion in self.exclusions:
            if exclusion.holds(cells):
                return RowProblem("left-out", {"because": exclusion.because})
        texts = dict(self.constants)
        for name, parts in self.fields.items():
            values = [part.text(cells) for part in parts]
            if None in values:
                return bad_value(name, clean(cells[parts[values.index(None)].column]))
            text = _joiner(name).join(text for text in values if text and clean(text))
            texts[name] = text or texts.get(name, "")
        if cost := texts.get("acquisition_cost"):
            named = "".join(part.column for part in self.fields.get("acquisition_cost", ()))
            texts["acquisition_cost"], currency = priced(named, cost)
            if currency and "acquisition_currency" not in texts:
                texts["acquisition_currency"] = currency
        hours = self.hours.hours(cells) if self.hours else None
        unread = [hours] if isinstance(hours, Remark) else []
        keys = [clean(cells[column]) for column in self.key]
        key = "/".join(keys) if all(keys) else ""
        week = None if isinstance(hours, Remark) else hours
        return read_row(texts, key=key, time_zone=self.time_zone, hours=week, unread=unread)


def _joiner(field: str) -> str:
    return "\n" if field in SEVERAL_LINES else "; " if field in LISTS else " "


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _unescaped(cell: str) -> str:
    return re.sub(r"\\([nrt\\])", lambda match: _ESCAPES[match[1]], cell)


def parse_mapping(data: object) -> TableMapping:
    """Return a mapping from the texts, lists and dicts of its YAML file."""
    top = _Entries(data, "")
    top.only(
        *("source", "key", "time_zone", "delimiter", "backslash_escapes", "header_row"),
        *("fields", "constants", "opening_hours", "leave_out"),
    )
    fields, constants = top.inner("fields"), top.inner("constants")
    for name in (*fields.data, *constants.data):
        if name not in INSTRUMENT_FIELDS and name not in FACILITY_FIELDS:
            raise FileRefused("mapping-unknown-field", field=name)
    if "name" not in fields.data:
        raise FileRefused("mapping-missing-entry", entry="fields.name")
    time_zone = top.text("time_zone", "")
    if time_zone and time_zone not in available_timezones():
        raise FileRefused("mapping-bad-entry", entry="time_zone")
    delimiter = top.text("delimiter", ",").replace("tab", "\t")
    if delimiter not in (",", ";", "\t", "|"):
        raise FileRefused("mapping-bad-entry", entry="delimiter")
    header_row = top.text("header_row", "1")
    if not re.fullmatch(r"[1-9][0-9]?", header_row, re.ASCII):
        raise FileRefused("mapping-bad-entry", entry="header_row")
    source = top.text("source")
    if not _SOURCE.fullmatch(source):
        raise FileRefused("mapping-bad-entry", entry="source")
    return TableMapping(
        source=source,
        key=tuple(map(header_name, top.texts("key"))),
        fields={name: tuple(map(_part, fields.many(name))) for name in fields.data},
        constants={name: constants.text(name) for name in constants.data},
        time_zone=time_zone,
        delimiter=delimiter,
        backslash_escapes=top.flag("backslash_escapes"),
        hours=_hours_rule(top.inner("opening_hours")) if "opening_hours" in top.data else None,
        exclusions=tuple(map(_exclusion, top.many("leave_out"))) if "leave_out" in top.data else (),
        header_row=int(header_row),
    )


class _Entries:
    """A reader of one dict of a mapping's file, at `path`, entry by entry."""

    def __init__(self, data: object, path: str) -> None:
        self.path = path
        if not isinstance(data, dict):
            raise FileRefused("mapping-bad-entry", entry=path or "the whole file")
        self.data: dict[str, object] = {str(name): value for name, value in data.items()}

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def only(self, *known: str) -> None:
        for name in self.data:
            if name not in known:
                raise FileRefused("mapping-unknown-entry", entry=self.at(name))

    def text(self, name: str, default: str | None = None) -> str:
        value = self.data.get(name, default)
        if value is None:
            raise FileRefused("mapping-missing-entry", entry=self.at(name))
        if not isinstance(value, str):
            raise FileRefused("mapping-bad-entry", entry=self.at(name))
        return value

    def texts(self, name: str) -> list[str]:
        """Return the texts of the entry `name`, which is a list of texts or a single one."""
        value = self.data.get(name)
        if not isinstance(value, list):
            return [self.text(name)]
        if not value or not all(isinstance(item, str) for item in value):
            raise FileRefused("mapping-bad-entry", entry=self.at(name))
        return value

    def flag(self, name: str) -> bool:
        text = self.text(name, "false").lower()
        if text not in ("true", "false"):
            raise FileRefused("mapping-bad-entry", entry=self.at(name))
        return text == "true"

    def inner(self, name: str) -> "_Entries":
        return _Entries(self.data.get(name, {}), self.at(name))

    def many(self, name: str) -> list["_Entries"]:
        """Return an entry that is a list of dicts; a text stands for a dict with only that column."""
        value = self.data[name]
        items = value if isinstance(value, list) else [value]
        return [
            _Entries({"column": item} if isinstance(item, str) else item, self.at(name)) for item in items
        ]


def _part(entry: _Entries) -> ColumnPart:
    entry.only("column", "prefix", "values", "otherwise")
    values = entry.inner("values")
    return ColumnPart(
        column=header_name(entry.text("column")),
        prefix=entry.text("prefix", ""),
        values={name: values.text(name) for name in values.data} or None,
        otherwise=entry.text("otherwise") if "otherwise" in entry.data else None,
    )


def _hours_rule(entry: _Entries) -> HoursRule:
    entry.only("column", "opens", "weekdays", "observes_holidays")
    opens = _CLOCK.fullmatch(entry.text("opens"))
    weekdays = entry.texts("weekdays")
    if opens is None:
        raise FileRefused("mapping-bad-entry", entry=entry.at("opens"))
    if not set(weekdays) <= set("1234567"):
        raise FileRefused("mapping-bad-entry", entry=entry.at("weekdays"))
    return HoursRule(
        column=header_name(entry.text("column")),
        opens=int(opens[1]) * 60 + int(opens[2]),
        weekdays=tuple(sorted(set(map(int, weekdays)))),
        observes_holidays=entry.flag("observes_holidays"),
    )


def _exclusion(entry: _Entries) -> Exclusion:
    entry.only("column", "values", "containing", "because")
    values = entry.texts("values") if "values" in entry.data else []
    containing = entry.text("containing", "").casefold()
    if not values and not containing:
        raise FileRefused("mapping-missing-entry", entry=entry.at("values"))
    return Exclusion(
        column=header_name(entry.text("column")),
        values=frozenset(clean(value).casefold() for value in values),
        containing=containing,
        because=entry.text("because"),
    )
