"""Tables that people keep, as spreadsheets save them: CSV, and workbooks of Excel (.xlsx).

There is one reader of tables (`instruments/domain/delimited`): the first sheet of a workbook is
put before it as text, line for line, so that both are held to the same rules.
"""

import csv
import hashlib
import io
import zipfile
import zlib
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from bookings.domain.imports import MOST_BYTES, MOST_ROWS, Table, fields_of, rows_of
from instruments.domain.delimited import FileRefused, read_records

ENCODINGS = ("utf-8", "gb18030", "big5", "cp1252")
DELIMITERS = (",", ";", "\t")
MOST_COLUMNS = 100
MOST_UNPACKED = 30_000_000  # bytes
_ZIP, _OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
# What reading a file raises that is no workbook, or a broken or locked one.
_BROKEN = (
    zipfile.BadZipFile, zlib.error, InvalidFileException, ParseError, LookupError, ValueError,
    TypeError, AttributeError, EOFError, OSError, RuntimeError,
)  # fmt: skip


def read_table(content: bytes, *, encoding: str = "utf-8") -> Table:
    """The rows of a file of bookings. A formula of a workbook counts as what it came to.

    `FileRefused`: as `read_records`, `fields_of` and `rows_of`, and file-too-large, old-workbook,
    workbook-unreadable.
    """
    if len(content) > MOST_BYTES:
        raise FileRefused("file-too-large", most=MOST_BYTES // 1000)
    if content.startswith(_OLD_EXCEL):
        raise FileRefused("old-workbook")
    digest = hashlib.sha256(content).hexdigest()
    if content.startswith(_ZIP):
        content, encoding, delimiter = _workbook_text(content), "utf-8", ","
    else:
        delimiter = _delimiter(content)
    header, records = read_records(io.BytesIO(content), encoding=encoding, delimiter=delimiter)
    fields = fields_of(header)
    ignored = tuple(column for column in header if column not in fields)
    return Table(rows_of(fields, records), ignored, digest)


def _delimiter(content: bytes) -> str:
    """What the first line has most of."""
    first = next((line for line in content.splitlines() if line.strip()), b"")
    return max(DELIMITERS, key=lambda sign: first.count(sign.encode()))


def _workbook_text(content: bytes) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            # What is read of a part never exceeds the size it is said to have.
            if sum(part.file_size for part in parts.infolist()) > MOST_UNPACKED:
                raise FileRefused("file-too-large", most=MOST_BYTES // 1000)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet: Any = book.worksheets[0]
        sheet.reset_dimensions()  # what a file says of its own size is often wrong
        width = 0
        for number, cells in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True)):
            if number > 4 * MOST_ROWS:
                raise FileRefused("too-many-rows", most=MOST_ROWS)
            texts = [_text(cell) for cell in cells]
            while texts and not texts[-1].strip():
                texts.pop()
            width = width or len(texts)  # of the header; what is empty behind it is no cell
            if texts:
                texts += [""] * (width - len(texts))
            writer.writerow(texts)
    except _BROKEN:
        raise FileRefused("workbook-unreadable") from None
    return out.getvalue().encode("utf-8", "replace")


def _text(cell: object) -> str:
    """A cell as somebody would type it, on one line."""
    match cell:
        case None:
            return ""
        case datetime():
            # A spreadsheet counts days in fractions: 09:00 may be a microsecond less.
            return (cell + timedelta(microseconds=500_000)).strftime("%Y-%m-%d %H:%M:%S")
        case date() | time():
            return cell.isoformat()
        case float() if cell.is_integer():
            return str(int(cell))
        case _:
            return " ".join(str(cell).split())
