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

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from instruments.exchange.domain.fields import FACILITY_FIELDS, INSTRUMENT_FIELDS
from instruments.exchange.domain.imports import Row
from instruments.exchange.domain.mappings import TableMapping, parse_mapping
from instruments.reading.domain.delimited import FileRefused, Record, RowProblem

MAPPINGS = Path(__file__).parent / "mappings"
MAX_MAPPING_BYTES = 100_000
OWN, OWN_KEY = "commons", "id"
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
    write them; None for any other table."""
    fields = [name for name in (*INSTRUMENT_FIELDS, *FACILITY_FIELDS) if name in header]
    if not {OWN_KEY, "name"} <= set(header):
        return None
    entries = {"source": OWN, "key": OWN_KEY, "fields": {name: name for name in fields}}
    return parse_mapping(entries)


def _rows(mapping: TableMapping, records: Iterator[Record]) -> Iterator[Row]:
    for line, record in records:
        yield line, record if isinstance(record, RowProblem) else mapping.row(record)
