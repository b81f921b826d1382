"""Read tables from workbooks (XLSX, the first sheet) row by row, and write them row by row.

A workbook is a ZIP of XML. Before anything is unpacked its directory is checked against limits, and every
part is read once without being kept, so that a small file cannot become a large one and no document type can
define entities.
"""

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import IO, Any, BinaryIO
from xml.parsers import expat

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.writer.excel import save_workbook

from instruments.reading.domain.delimited import (
    MAX_BYTES,
    MAX_ROWS,
    FileRefused,
    Record,
    RowProblem,
    cells_of,
    cells_problem,
    header_of,
    text_cell,
)

SIGNATURE = b"PK\x03\x04"
MAX_PARTS = 1000
MAX_UNPACKED = 400 * 1024 * 1024
MAX_STRINGS = 100 * 1024 * 1024  # all of them are held in memory
MAX_PART = 20 * 1024 * 1024  # any part but a sheet is held in memory as a whole, as objects
MAX_ROW = 4 * 1024 * 1024  # a sheet's rows are held one by one
MAX_RATIO = 120  # real workbooks shrink to a tenth, a bomb to a thousandth
_SMALL = 1024 * 1024  # a part smaller than this is harmless, whatever its ratio
_DEEPEST = 40
# Elements outside rows stay in memory; a table of 100,000 rows may well have two million strings.
_LOOSE, _LOOSE_STRINGS = 300_000, 5_000_000
_STRINGS, _SHEETS, _TYPES = "xl/sharedStrings.xml", "xl/worksheets/", "[Content_Types].xml"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml."
_NOT_IN_XML = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\ud800-\\udfff\\ufffe\\uffff]")


def cell_text(value: object) -> str:
    """Return a cell's value as a person reads it: whole numbers without a point, dates without midnight."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case datetime() if value.time() == time(0):
            return value.date().isoformat()
        case datetime():
            return moment_text(value)
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)


def moment_text(value: datetime) -> str:
    """Return `2026-03-09 09:00:00`, rounded to seconds, as a spreadsheet's fraction of a day may be a
    microsecond short of 09:00."""
    return (value + timedelta(microseconds=500_000)).strftime("%Y-%m-%d %H:%M:%S")


def read_records(
    stream: BinaryIO,
    *,
    computed: bool = False,
    text: Callable[[object], str] = cell_text,
    header_row: int = 1,
) -> tuple[tuple[str, ...], Iterator[Record]]:
    """Read a workbook's first sheet; the result is that of `domain/delimited.read_records`. A row with a
    formula is refused, as its stored result may be out of date, unless `computed`: then that result is read.
    `text` turns a cell's value into text.

    `FileRefused`: not-a-workbook, zip-bomb, xml-doctype, xml-too-deep, xml-too-many, line-too-long,
    file-too-large, empty-file, no-header, duplicate-header, too-many-columns, too-many-rows.
    """
    _check(stream)
    stream.seek(0)
    try:
        book = openpyxl.load_workbook(stream, read_only=True, keep_links=False, data_only=computed)
        rows: Iterator[Any] = iter(())
        if book.worksheets:
            sheet: Any = book.worksheets[0]
            sheet.reset_dimensions()  # the size that a file states is often wrong
            rows = sheet.iter_rows(min_row=header_row)
        first = next(rows, None)
        while first is not None and all(cell.value is None for cell in first):
            first = next(rows, None)
    except FileRefused:
        raise
    except Exception:  # openpyxl raises many exceptions for files that it cannot read
        raise FileRefused("not-a-workbook") from None
    if first is None:
        raise FileRefused("empty-file")
    header = header_of([text(cell.value) for cell in first])
    return tuple(name for name in header if name), _records(header, rows, text, header_row)


def first_rows(stream: BinaryIO, most: int) -> list[list[str]]:
    """Return the texts of the first rows of a workbook's first sheet, empty ones included. `FileRefused`: as
    `read_records`."""
    _check(stream)
    stream.seek(0)
    try:
        book = openpyxl.load_workbook(stream, read_only=True, keep_links=False)
        sheet: Any = book.worksheets[0] if book.worksheets else None
        if sheet is None:
            return []
        sheet.reset_dimensions()  # the size that a file states is often wrong
        return [[cell_text(cell.value) for cell in row] for row in sheet.iter_rows(max_row=most)]
    except Exception:  # openpyxl raises many exceptions for files that it cannot read
        raise FileRefused("not-a-workbook") from None


def _check(stream: BinaryIO) -> None:
    size = stream.seek(0, 2)
    if size > MAX_BYTES:
        raise FileRefused("file-too-large", most=MAX_BYTES // 1000)
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = archive.infolist()
            unpacked = sum(part.file_size for part in parts)
            bomb = FileRefused("zip-bomb", megabytes=unpacked // 1024**2, parts=len(parts))
            if len(parts) > MAX_PARTS or unpacked > MAX_UNPACKED:
                raise bomb
            if _TYPES not in archive.namelist():
                raise FileRefused("not-a-workbook")
            if archive.getinfo(_TYPES).file_size > MAX_PART:
                raise bomb
            with archive.open(_TYPES) as opened:
                sheets, strings = _large_ones(opened)
            if any(_is_bomb(part, sheets, strings) for part in parts):
                raise bomb
            for part in parts:
                with archive.open(part) as opened:
                    _check_part(
                        opened,
                        is_sheet=part.filename in sheets,
                        loose=_LOOSE_STRINGS if part.filename in strings else _LOOSE,
                        is_xml=part.filename.endswith((".xml", ".rels")),
                    )
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError):
        raise FileRefused("not-a-workbook") from None


def _large_ones(types: IO[bytes]) -> tuple[set[str], set[str]]:
    """Return the names of the parts that may be large: the sheets and the shared strings. They must have
    their usual names and only that content type, as the library finds parts by content type."""
    kinds: dict[str, set[str]] = {}

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "Override":
            called = attributes.get("PartName", "").lstrip("/")
            kinds.setdefault(called, set()).add(attributes.get("ContentType", ""))

    check_xml(types, told=start)
    sheets = {name for name, kind in kinds.items() if kind == {f"{_KIND}worksheet+xml"}}
    strings = {name for name, kind in kinds.items() if kind == {f"{_KIND}sharedStrings+xml"}}
    sheets = {s for s in sheets if s.startswith(_SHEETS) and "/" not in s.removeprefix(_SHEETS)}
    return sheets, strings & {_STRINGS}


def _is_bomb(part: zipfile.ZipInfo, sheets: set[str], strings: set[str]) -> bool:
    most = MAX_STRINGS if part.filename in strings else MAX_PART
    if part.filename not in sheets and part.file_size > most:
        return True
    return part.file_size > _SMALL and part.file_size > MAX_RATIO * max(1, part.compress_size)


def _check_part(stream: IO[bytes], *, is_sheet: bool, loose: int, is_xml: bool) -> None:
    """Check a part like `check_xml`, even if its name does not end in .xml, as the library ignores names. A
    part that is not XML then passes."""
    try:
        check_xml(stream, is_sheet=is_sheet, loose=loose)
    except FileRefused as refused:
        if is_xml or refused.code != "not-a-workbook":
            raise


def check_xml(
    stream: IO[bytes],
    *,
    is_sheet: bool = False,
    loose: int = _LOOSE,
    told: Callable[[str, dict[str, str]], None] | None = None,
) -> None:
    """Raise `FileRefused` (xml-doctype, xml-too-deep, xml-too-many, line-too-long, not-a-workbook) unless the
    XML is well-formed, shallow, without a document type (which alone can define entities) and small where the
    library keeps it in memory: all but the rows of a sheet, which are read one by one. `told` is called with
    the name and attributes of each element."""
    parser = expat.ParserCreate()
    depth, rows, begun, row_depth, in_rows, others = 0, 0, 0, 0, 0, 0

    def doctype(*_args: Any) -> None:
        raise FileRefused("xml-doctype")

    def start(name: str, attributes: Any) -> None:
        nonlocal depth, rows, begun, row_depth, others
        depth += 1
        if depth > _DEEPEST:
            raise FileRefused("xml-too-deep", most=_DEEPEST)
        if told is not None:
            told(name, attributes)
        if row_depth:
            return
        if is_sheet and name.rpartition(":")[2] == "row":
            rows, begun, row_depth = rows + 1, parser.CurrentByteIndex, depth
            return
        others += 1
        if others > loose or (is_sheet and parser.CurrentByteIndex - in_rows > MAX_PART):
            raise FileRefused("xml-too-many", most=loose)

    def end(_name: str) -> None:
        nonlocal depth, row_depth, in_rows
        if depth == row_depth:
            row_depth, size = 0, parser.CurrentByteIndex - begun
            in_rows += size
            if size > MAX_ROW:
                raise FileRefused("line-too-long", line=rows, most=MAX_ROW)
        elif depth == 1 and is_sheet and parser.CurrentByteIndex - in_rows > MAX_PART:
            raise FileRefused("xml-too-many", most=loose)
        depth -= 1

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        parser.ParseFile(stream)
    except expat.ExpatError:
        raise FileRefused("not-a-workbook") from None


def _records(
    header: tuple[str, ...], rows: Iterator[Any], text: Callable[[object], str], header_row: int
) -> Iterator[Record]:
    try:
        for number, cells in enumerate(rows, start=header_row + 1):
            if number > MAX_ROWS + header_row:
                raise FileRefused("too-many-rows", most=MAX_ROWS)
            if all(cell.value is None for cell in cells):
                continue
            yield _line(cells, number), _record(header, cells, text)
    except FileRefused:
        raise
    except Exception:
        raise FileRefused("not-a-workbook") from None


def _line(cells: Sequence[Any], number: int) -> int:
    return next((cell.row for cell in cells if getattr(cell, "row", None)), number)


def _record(header: tuple[str, ...], cells: Sequence[Any], text: Callable[[object], str]) -> Any:
    for name, cell in zip(header, cells, strict=False):
        if name and cell.value is not None and cell.data_type == "f":
            return RowProblem("formula-cell", {"column": name})
        if name and cell.value is not None and cell.data_type == "e":
            return RowProblem("error-cell", {"column": name})
    texts = [text(cell.value) for cell in cells]
    while len(texts) > len(header) and not texts[-1].strip():
        texts.pop()
    texts += [""] * (len(header) - len(texts))
    return cells_problem(header, texts) or cells_of(header, texts)


type Sheet = tuple[str, Sequence[str], Iterable[Sequence[str]]]  # its name, heads and rows


def write(stream: IO[bytes], heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a workbook of one sheet, in which every cell is text, even one that looks like a formula."""
    write_sheets(stream, [("instruments", heads, rows)])


def write_sheets(stream: IO[bytes], sheets: Iterable[Sheet]) -> None:
    """Write a workbook of several sheets, in which every cell is text, even one that looks like a formula."""
    book = openpyxl.Workbook(write_only=True)
    for name, heads, rows in sheets:
        sheet = book.create_sheet(name)
        sheet.append([_text_cell(sheet, head) for head in heads])
        for texts in rows:
            sheet.append([_text_cell(sheet, text_cell(text)) if text else None for text in texts])
    save_workbook(book, stream)


def sheet_text(text: str) -> str:
    """Return a text without characters that XML cannot hold, cut to the longest that a cell can be."""
    return _NOT_IN_XML.sub("", text)[:32_767]


def _text_cell(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, sheet_text(text))
    cell.data_type = "s"
    return cell
