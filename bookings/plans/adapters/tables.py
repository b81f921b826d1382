"""Tables that people keep, as spreadsheets save them: CSV, and Excel workbooks (.xlsx).

Both are read as the register's own files are (`instruments/reading/domain/delimited`,
`instruments/reading/adapters/workbook`), by the same rules.
"""

import hashlib
import io
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from accounts.domain.errors import FieldProblem
from accounts.domain.people import PEOPLE_COLUMNS, PersonRow
from bookings.plans.domain.imports import MOST_BYTES, Table, fields_of, rows_of
from instruments.reading.adapters import workbook
from instruments.reading.domain.delimited import RECOGNISED, EncodingGuess, FileRefused, read_records

type Fields = Callable[[Sequence[str]], dict[str, str]]

ENCODINGS = ("utf-8", "gb18030", "big5", "cp1252")
DELIMITERS = (",", ";", "\t")
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


def read_table(content: bytes, *, encoding: str = "utf-8", fields: Fields = fields_of) -> Table:
    """Read the rows of a file of bookings, or of another kind of rows if `fields` finds its columns. A
    formula in a workbook counts as its result; the encoding `auto` is recognised.

    Raises `FileRefused` (file-too-large, old-workbook, and what the readers, `fields_of` and `rows_of`
    raise).
    """
    if len(content) > MOST_BYTES:
        raise FileRefused("file-too-large", most=MOST_BYTES // 1000)
    if content.startswith(_OLD_EXCEL):
        raise FileRefused("old-workbook")
    stream = io.BytesIO(content)
    if content.startswith(workbook.SIGNATURE):
        header, records = workbook.read_records(stream, computed=True, text=_text)
    else:
        if encoding == RECOGNISED:
            guess = EncodingGuess()
            guess.feed(content, final=True)
            encoding = guess.encoding
        header, records = read_records(stream, encoding=encoding, delimiter=_delimiter(content))
    known = fields(header)
    ignored = tuple(column for column in header if column not in known)
    return Table(rows_of(known, records), ignored, hashlib.sha256(content).hexdigest())


def read_people(content: bytes) -> list[PersonRow]:
    """Return the rows of a file of people to invite. Raises `FileRefused` as `read_table` does."""
    fields = partial(fields_of, fields=PEOPLE_COLUMNS, needed=[{"email"}])
    return [
        PersonRow(
            row.line,
            email=row.texts.get("email", ""),
            roles=row.texts.get("roles", ""),
            organisation=row.texts.get("organisation", ""),
            problem=FieldProblem("", row.problem.reason, row.problem.numbers) if row.problem else None,
        )
        for row in read_table(content, encoding=RECOGNISED, fields=fields).rows
    ]


def _delimiter(content: bytes) -> str:
    """Return the delimiter that is most frequent in the first line of a text table."""
    first = next((line for line in content.splitlines() if line.strip()), b"")
    return max(DELIMITERS, key=lambda sign: first.count(sign.encode()))


def _text(value: object) -> str:
    """Return a cell as text. A date at midnight keeps its time, as a booking may begin then."""
    return workbook.moment_text(value) if isinstance(value, datetime) else workbook.cell_text(value)
