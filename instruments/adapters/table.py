"""Any table with a header, by a small YAML mapping that says which column is which.

    source: pnnl                 # names the register for ever: keys are unique within it
    key: instrument_id           # a column, or a list of columns
    time_zone: America/Los_Angeles      # of facilities this import makes; else the region's
    delimiter: ","               # or ; | tab
    backslash_escapes: true      # cells write \\n, \\t, \\\\ as a database's text export does
    fields:                      # field -> column, or parts that are joined
      name: instrument
      description:
        - description
        - {column: status, prefix: "Status: ", values: {A: active, I: idle}, otherwise: ""}
    constants:                   # for rows that say nothing themselves
      facility: Mass spectrometry
    opening_hours:               # a column with open hours a day (24: always)
      {column: hours, opens: "08:00", weekdays: [1, 2, 3, 4, 5], observes_holidays: false}
    leave_out:                   # rows that are no instrument of this organisation
      - {column: role, values: [Offsite], because: it stands elsewhere}
      - {column: name, containing: DUPLICATE, because: the register calls it a duplicate}

Fields are those of `domain/import_fields`; publication is none of them, because publishing
is a person's decision. A value that `values` does not list is refused unless there is an
`otherwise`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import yaml

from instruments.domain.delimited import Cells, FileRefused, RowProblem, read_records
from instruments.domain.import_mappings import TableMapping, parse_mapping
from instruments.domain.imports import Row

MAPPINGS = Path(__file__).parent / "mappings"
MAX_MAPPING_BYTES = 100_000
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def load_mapping(name_or_path: str) -> TableMapping:
    """One of the mappings that come with the platform, or a file. `FileRefused`: as
    `parse_mapping`, and no-mapping, mapping-unreadable."""
    is_name = bool(_NAME.fullmatch(name_or_path))
    path = MAPPINGS / f"{name_or_path}.yaml" if is_name else Path(name_or_path)
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_MAPPING_BYTES + 1)
    except OSError:
        known = ", ".join(sorted(file.stem for file in MAPPINGS.glob("*.yaml")))
        raise FileRefused("no-mapping", mapping=name_or_path, known=known) from None
    if len(content) > MAX_MAPPING_BYTES:
        raise FileRefused("mapping-unreadable", line=0)
    try:
        # Everything stays text: 08:00 is no number of base 60, "no" and "off" are no booleans.
        data = yaml.load(content, Loader=yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise FileRefused("mapping-unreadable", line=mark.line + 1 if mark else 0) from None
    return parse_mapping(data)


def source_of(mapping: TableMapping) -> str:
    """What `Instrument.source` says of rows that came through this mapping."""
    return f"table:{mapping.source}"


def read(stream: BinaryIO, mapping: TableMapping, *, encoding: str = "utf-8") -> Iterator[Row]:
    """The rows of a table with their line numbers. `FileRefused`: as `read_records`, and
    mapping-absent-column."""
    header, records = read_records(stream, encoding=encoding, delimiter=mapping.delimiter)
    mapping.check_columns(header)
    return _rows(mapping, records)


def _rows(
    mapping: TableMapping, records: Iterator[tuple[int, Cells | RowProblem]]
) -> Iterator[Row]:
    for line, record in records:
        yield line, record if isinstance(record, RowProblem) else mapping.row(record)
