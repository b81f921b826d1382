"""Tables as files: workbooks, and CSV in UTF-8 with the byte order mark that Excel needs. Workbooks, and CSV
of figures, state the filters and the meaning of the columns; CSV of lists has nothing but its rows. No text
cell can be taken for a formula."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO, StringIO
from typing import IO

import openpyxl
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils import get_column_letter
from openpyxl.writer.excel import save_workbook

from accounts.domain.errors import invalid
from accounts.replica import streamed
from bookings.record.adapters.definitions import MEANINGS
from instruments.reading.adapters.workbook import sheet_text
from instruments.reading.domain.delimited import text_cell

type Cell = str | int | Decimal | date | None

CSV, XLSX = "csv", "xlsx"
# The formats of a list as a file, and their types.
FILES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
MOST_IN_WORKBOOK = 20_000  # rows; more take longer than a request may
NO_FILTERS = ("format", "page", "after", "limit", "cursor")  # parameters that choose a page or a format


def file_answer(
    name: str,
    format: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    asked: Mapping[str, str],
    *,
    has_figures: bool = False,
) -> HttpResponseBase:
    """Return the answer with all rows of a table as a file, in one of `FILES`. A workbook states the filters
    among the parameters `asked`, and so does a CSV that `has_figures`; the CSV of a list has only heading and
    rows, so that programs of book-keeping read it. CSV is sent row by row as they are read, in a transaction,
    since a cursor needs one."""
    notes = [(key, str(value)) for key, value in asked.items() if value and key not in NO_FILTERS]
    headers = {
        "Content-Type": FILES[format],
        "Content-Disposition": f'attachment; filename="{name}.{format}"',
    }
    if format == XLSX:
        return HttpResponse(workbook(heads, rows, notes), headers=headers)
    pieces = csv_pieces(heads, rows, notes if has_figures else None)
    return StreamingHttpResponse(streamed(in_transaction(pieces)), headers=headers)


def csv_pieces(
    heads: Sequence[str], rows: Iterable[Sequence[Cell]], notes: Sequence[tuple[str, str]] | None = None
) -> Iterator[bytes]:
    """Yield the table as CSV; unless `notes` (the filters) is None, these and the meaning of the columns
    follow after an empty line."""
    yield b"\xef\xbb\xbf"
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(heads)
    for row in rows:
        writer.writerow([_csv_cell(cell) for cell in row])
        if out.tell() > 1 << 16:
            yield _drained(out)
    if notes is not None:
        writer.writerow([])
        for name, text in [*notes, *_meanings(heads)]:
            writer.writerow([text_cell(name), text_cell(text)])
    yield _drained(out)


def in_transaction(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the pieces inside a transaction, so that a database cursor stays open, even behind a connection
    pooler."""
    with transaction.atomic():
        yield from pieces


def write_workbook(
    stream: IO[bytes], heads: Sequence[str], rows: Iterable[Sequence[Cell]], notes: Sequence[tuple[str, str]]
) -> None:
    """Write a workbook of three sheets: figures, filters, definitions. Numbers, dates and yes or no are
    stored as such, an amount with the decimals that it has, an instant as the local time of its zone; ids and
    codes are texts, whatever they look like."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("figures")
    sheet.freeze_panes = "A2"
    for number in range(1, len(heads) + 1):  # in a narrow column an instant is a row of signs
        sheet.column_dimensions[get_column_letter(number)].width = 20
    sheet.append([_sheet_cell(sheet, head) for head in heads])
    for row in rows:
        sheet.append([_sheet_cell(sheet, cell) for cell in row])
    for title, pairs in (("filters", notes), ("definitions", _meanings(heads))):
        sheet = book.create_sheet(title)
        for pair in pairs:
            sheet.append([_sheet_cell(sheet, text) for text in pair])
    save_workbook(book, stream)


def workbook(heads: Sequence[str], rows: Iterable[Sequence[Cell]], notes: Sequence[tuple[str, str]]) -> bytes:
    """Return a workbook of rows that a cursor gives. Raises `Invalid` (`too-many-for-workbook`) if there are
    more rows than can be written in time."""
    with transaction.atomic():
        read = list(_limited(rows))
    stream = BytesIO()
    write_workbook(stream, heads, read, notes)
    return stream.getvalue()


def _limited(rows: Iterable[Sequence[Cell]]) -> Iterator[Sequence[Cell]]:
    for number, row in enumerate(rows):
        if number == MOST_IN_WORKBOOK:
            raise invalid("format", "too-many-for-workbook")
        yield row


def _meanings(heads: Sequence[str]) -> list[tuple[str, str]]:
    # Of money "net" is the amount before tax, not the balance of hours between regions.
    of_money = {"net"} if "currency" in heads else set()
    return [(head, str(MEANINGS[head])) for head in heads if head in MEANINGS and head not in of_money]


def _csv_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(timespec="seconds")
    return text_cell(cell) if isinstance(cell, str) else str(cell)


def _sheet_cell(sheet: object, cell: Cell) -> object:
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=None, microsecond=0)  # workbooks know no zones
    if isinstance(cell, Decimal):
        number = WriteOnlyCell(sheet, cell)
        places = max(0, -int(cell.as_tuple().exponent))
        number.number_format = "#,##0" + ("." + "0" * places if places else "")
        return number
    if not isinstance(cell, str):
        return cell
    styled = WriteOnlyCell(sheet, sheet_text(text_cell(cell)))
    styled.data_type = "s"
    return styled


def _drained(out: StringIO) -> bytes:
    content = out.getvalue().encode()
    out.seek(0)
    out.truncate()
    return content
