"""Tables of figures as files: CSV in UTF-8 with the mark that Excel needs, and workbooks. Both say
what was asked for and what the columns mean; no cell of text begins like a formula."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from io import StringIO
from typing import IO

import openpyxl
from django.db import transaction
from openpyxl.cell import WriteOnlyCell
from openpyxl.writer.excel import save_workbook

from bookings.record.adapters.definitions import MEANINGS
from instruments.domain.delimited import text_cell

type Cell = str | int | Decimal | None


def csv_pieces(
    heads: Sequence[str], rows: Iterable[Sequence[Cell]], notes: Sequence[tuple[str, str]]
) -> Iterator[bytes]:
    """The table; behind an empty line `notes` (what was asked for) and the meaning of columns."""
    yield b"\xef\xbb\xbf"
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(heads)
    for row in rows:
        writer.writerow([_csv_cell(cell) for cell in row])
        if out.tell() > 1 << 16:
            yield _drained(out)
    writer.writerow([])
    for name, text in [*notes, *_meanings(heads)]:
        writer.writerow([text_cell(name), text_cell(text)])
    yield _drained(out)


def in_transaction(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Within, a cursor of the database stays open, also behind a pooler."""
    with transaction.atomic():
        yield from pieces


def write_workbook(
    stream: IO[bytes],
    heads: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    notes: Sequence[tuple[str, str]],
) -> None:
    """Write a workbook of three sheets: figures, filters, definitions. Numbers are numbers."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("figures")
    sheet.freeze_panes = "A2"
    sheet.append([_sheet_cell(sheet, head) for head in heads])
    for row in rows:
        sheet.append([_sheet_cell(sheet, cell) for cell in row])
    for title, pairs in (("filters", notes), ("definitions", _meanings(heads))):
        sheet = book.create_sheet(title)
        for pair in pairs:
            sheet.append([_sheet_cell(sheet, text) for text in pair])
    save_workbook(book, stream)


def _meanings(heads: Sequence[str]) -> list[tuple[str, str]]:
    return [(head, str(MEANINGS[head])) for head in heads if head in MEANINGS]


def _csv_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    return text_cell(cell) if isinstance(cell, str) else str(cell)


def _sheet_cell(sheet: object, cell: Cell) -> object:
    if not isinstance(cell, str):
        return cell
    text = openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", text_cell(cell))
    styled = WriteOnlyCell(sheet, text[:32_767])
    styled.data_type = "s"
    return styled


def _drained(out: StringIO) -> bytes:
    content = out.getvalue().encode()
    out.seek(0)
    out.truncate()
    return content
