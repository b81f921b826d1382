"""Read any table with a header, by a small YAML mapping that says which column is which.

    source: pnnl                 # a permanent name of the register: keys are unique within it
    key: instrument_id           # a column, or a list of columns
    time_zone: America/Los_Angeles      # of facilities that this import creates; else the region's
    delimiter: ","               # or ; | tab
    backslash_escapes: true      # cells write \\n, \\t, \\\\ as a database's text export does
    fields:                      # field -> column, or parts that are joined
      name: instrument
      description:
        - description
        - {column: status, prefix: "Status: ", values: {A: active, I: idle}, otherwise: ""}
    constants:                   # for fields that a row leaves empty
      facility: Mass spectrometry
    opening_hours:               # a column with the number of open hours a day (24: always)
      {column: hours, opens: "08:00", weekdays: [1, 2, 3, 4, 5], observes_holidays: false}
    leave_out:                   # rows that are not an instrument of this organisation
      - {column: role, values: [Offsite], because: it stands elsewhere}
      - {column: name, containing: DUPLICATE, because: the register calls it a duplicate}

Fields are those of `domain/fields`. Publication is not one of them, because a person decides about
publishing. A value that `values` does not list is refused unless there is an `otherwise`.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from instruments.exchange.domain.fields import (
    EXAMPLE_KEYS,
    FACILITY_FIELDS,
    INSTRUMENT_FIELDS,
    template_fields,
)
from instruments.exchange.domain.imports import Row, RowValues
from instruments.exchange.domain.mappings import TableMapping, parse_mapping
from instruments.reading.adapters import workbook
from instruments.reading.domain.delimited import EncodingGuess, FileRefused, Record, RowProblem, read_records

MAPPINGS = Path(__file__).parent / "mappings"
MAX_MAPPING_BYTES = 100_000
_FIRST = 20  # lines in which the names of the columns are looked for
MOST_SMALL = 700_000  # bytes of a table that is carried inside a page
OWN, OWN_KEY = "commons", "id"
TEMPLATE = "template"
HEADS = (OWN_KEY, *INSTRUMENT_FIELDS, *FACILITY_FIELDS)
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def load_entries(name_or_path: str) -> Any:
    """Return the entries of a mapping: one that comes with the platform, by name, or a file, by path.
    `FileRefused`: as `read_entries`, and no-mapping."""
    is_name = bool(_NAME.fullmatch(name_or_path))
    path = MAPPINGS / f"{name_or_path}.yaml" if is_name else Path(name_or_path)
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_MAPPING_BYTES + 1)
    except OSError:
        known = ", ".join(own_mappings())
        raise FileRefused("no-mapping", mapping=name_or_path, known=known) from None
    return read_entries(content)


def own_mappings() -> list[str]:
    """Return the names of the mappings that come with the platform."""
    return sorted(file.stem for file in MAPPINGS.glob("*.yaml"))


def read_entries(content: bytes) -> Any:
    """Return the entries of a mapping written in YAML. `FileRefused`: mapping-unreadable."""
    if len(content) > MAX_MAPPING_BYTES:
        raise FileRefused("mapping-unreadable", line=0)
    try:
        # All scalars stay text: 08:00 is not a number in base 60, "no" and "off" are not booleans.
        return yaml.load(content, Loader=yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise FileRefused("mapping-unreadable", line=mark.line + 1 if mark else 0) from None


def source_of(mapping: TableMapping) -> str:
    """Return what is stored as `Instrument.source` for rows read through this mapping."""
    return f"table:{mapping.source}"


def rows_of(mapping: TableMapping, header: tuple[str, ...], records: Iterator[Record]) -> Iterator[Row]:
    """Yield the rows of a table with their line numbers. `FileRefused`: mapping-absent-column."""
    mapping.check_columns(header)
    return _rows(mapping, records)


def own_mapping(header: tuple[str, ...]) -> TableMapping | None:
    """Return the mapping of a table whose columns (`header`) have the platform's own field names, as exports
    write them, or the heads of the template; None for any other table."""
    if filled := template_fields(header):
        return parse_mapping({"source": TEMPLATE, "key": filled["inventory_number"], "fields": filled})
    fields = [name for name in (*INSTRUMENT_FIELDS, *FACILITY_FIELDS) if name in header]
    if not {OWN_KEY, "name"} <= set(header):
        return None
    entries = {"source": OWN, "key": OWN_KEY, "fields": {name: name for name in fields}}
    return parse_mapping(entries)


def read_small(
    content: bytes, find: Callable[[Sequence[Sequence[str]]], int] | None = None, header_row: int = 0
) -> tuple[tuple[str, ...], Iterator[Record]]:
    """Read a table that is sent as a whole, CSV or the first sheet of a workbook; its encoding and delimiter
    are recognised. Its columns are named in line `header_row`, or in the one that `find` chooses of the first
    lines. `FileRefused`: file-too-large, and those of the readers."""
    if len(content) > MOST_SMALL:
        raise FileRefused("file-too-large", most=MOST_SMALL // 1000)
    stream = io.BytesIO(content)
    if content.startswith(workbook.SIGNATURE):
        if not header_row and find:
            header_row = find(workbook.first_rows(stream, _FIRST))
        return workbook.read_records(stream, header_row=header_row or 1)
    guess = EncodingGuess()
    guess.feed(content, final=True)
    text = content.decode(guess.encoding, errors="ignore").lstrip("\ufeff")
    lines = re.split(r"\r\n|\r|\n", text)[:_FIRST]
    delimiter = max((",", ";", "\t"), key=lambda sign: max(line.count(sign) for line in lines))
    if not header_row and find:
        header_row = find([_cells(line, delimiter) for line in lines])
    return read_records(stream, encoding=guess.encoding, delimiter=delimiter, header_row=header_row or 1)


def _cells(line: str, delimiter: str) -> list[str]:
    """Return the cells of a line; none of one that cannot be read, which the reader of the table refuses."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _rows(mapping: TableMapping, records: Iterator[Record]) -> Iterator[Row]:
    for line, record in records:
        row = record if isinstance(record, RowProblem) else mapping.row(record)
        if mapping.source == TEMPLATE and isinstance(row, RowValues) and row.key in EXAMPLE_KEYS:
            row = RowProblem("example-row")
        yield line, row
