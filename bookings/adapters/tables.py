"""Tables that people keep, as spreadsheets save them: CSV, and workbooks of Excel (.xlsx).

Both are read as the register reads its own (`instruments/domain/delimited`,
`instruments/adapters/workbook`) and held to the same rules.
"""

import hashlib
import io
from collections.abc import Iterator
from datetime import datetime

from accounts.domain.errors import FieldProblem
from accounts.domain.people import PEOPLE_COLUMNS, PersonRow
from bookings.domain.imports import MOST_BYTES, Table, fields_of, rows_of
from instruments.adapters import workbook
from instruments.domain.delimited import EncodingGuess, FileRefused, Record, read_records

ENCODINGS = ("utf-8", "gb18030", "big5", "cp1252")
DELIMITERS = (",", ";", "\t")
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


def read_table(content: bytes, *, encoding: str = "utf-8") -> Table:
    """The rows of a file of bookings. A formula of a workbook counts as what it came to.

    `FileRefused`: as the readers, `fields_of` and `rows_of`, and file-too-large, old-workbook.
    """
    header, records = _read(content, encoding)
    fields = fields_of(header)
    ignored = tuple(column for column in header if column not in fields)
    return Table(rows_of(fields, records), ignored, hashlib.sha256(content).hexdigest())


def read_people(content: bytes) -> list[PersonRow]:
    """The rows of a file of people to invite, in UTF-8 or GB 18030. `FileRefused` as above."""
    guess = EncodingGuess()
    guess.feed(content[: MOST_BYTES + 1], final=True)
    header, records = _read(content, guess.encoding)
    rows = rows_of(fields_of(header, PEOPLE_COLUMNS, [{"email"}]), records)
    return [
        PersonRow(
            row.line,
            *(row.texts.get(name, "") for name in ("email", "roles", "organisation")),
            FieldProblem("", row.problem.reason, row.problem.numbers) if row.problem else None,
        )
        for row in rows
    ]


def _read(content: bytes, encoding: str) -> tuple[tuple[str, ...], Iterator[Record]]:
    if len(content) > MOST_BYTES:
        raise FileRefused("file-too-large", most=MOST_BYTES // 1000)
    if content.startswith(_OLD_EXCEL):
        raise FileRefused("old-workbook")
    stream = io.BytesIO(content)
    if content.startswith(workbook.SIGNATURE):
        return workbook.read_records(stream, computed=True, text=_text)
    return read_records(stream, encoding=encoding, delimiter=_delimiter(content))


def _delimiter(content: bytes) -> str:
    """What the first line has most of."""
    first = next((line for line in content.splitlines() if line.strip()), b"")
    return max(DELIMITERS, key=lambda sign: first.count(sign.encode()))


def _text(value: object) -> str:
    """Midnight is a time here: a booking may begin then."""
    return workbook.moment_text(value) if isinstance(value, datetime) else workbook.cell_text(value)
