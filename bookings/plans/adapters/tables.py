"""Tables that people keep, as spreadsheets save them: CSV, and workbooks of Excel (.xlsx).

Both are read as the register reads its own (`instruments/domain/delimited`,
`instruments/adapters/workbook`) and held to the same rules.
"""

import hashlib
import io
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from accounts.domain.errors import FieldProblem
from accounts.domain.people import PEOPLE_COLUMNS, PersonRow
from bookings.plans.domain.imports import MOST_BYTES, Table, fields_of, rows_of
from instruments.adapters import workbook
from instruments.domain.delimited import RECOGNISED, EncodingGuess, FileRefused, read_records

type Fields = Callable[[Sequence[str]], dict[str, str]]

ENCODINGS = ("utf-8", "gb18030", "big5", "cp1252")
DELIMITERS = (",", ";", "\t")
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


def read_table(content: bytes, *, encoding: str = "utf-8", fields: Fields = fields_of) -> Table:
    """The rows of a file of bookings, or of what else `fields` finds columns for. A formula of a
    workbook counts as what it came to; the encoding `auto` is recognised.

    `FileRefused`: as the readers, `fields_of` and `rows_of`, and file-too-large, old-workbook.
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
    """The rows of a file of people to invite. `FileRefused` as above."""
    fields = partial(fields_of, fields=PEOPLE_COLUMNS, needed=[{"email"}])
    return [
        PersonRow(
            row.line,
            email=row.texts.get("email", ""),
            roles=row.texts.get("roles", ""),
            organisation=row.texts.get("organisation", ""),
            problem=FieldProblem("", row.problem.reason, row.problem.numbers)
            if row.problem
            else None,
        )
        for row in read_table(content, encoding=RECOGNISED, fields=fields).rows
    ]


def _delimiter(content: bytes) -> str:
    """What the first line has most of."""
    first = next((line for line in content.splitlines() if line.strip()), b"")
    return max(DELIMITERS, key=lambda sign: first.count(sign.encode()))


def _text(value: object) -> str:
    """Midnight is a time here: a booking may begin then."""
    return workbook.moment_text(value) if isinstance(value, datetime) else workbook.cell_text(value)
