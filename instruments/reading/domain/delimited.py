"""Read delimited text (RFC 4180) into records and report where it is malformed; and mark cells so that no
spreadsheet takes them for formulas.

The stream is read twice: once to see that it is text of an acceptable size, so that a file that is no table
at all is refused before anything else happens; then row by row, so that a large one never lies in memory as a
whole.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from accounts.domain.errors import Refused

MAX_BYTES = 50 * 1024 * 1024
MAX_CELL = 10_000
MAX_LINE = 1_000_000  # characters between two line ends
MAX_ROWS = 250_000
MAX_COLUMNS = 500
_CHUNK = 1 << 16
# Python codecs that no register uses for files. They can produce invalid characters.
_NO_FILES = frozenset(("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"))


# Stands for an encoding that is to be guessed from the content.
RECOGNISED = "auto"


class FileRefused(Refused):
    """The file as a whole cannot be read, and nothing of it is used."""

    code = "file-refused"


@dataclass(frozen=True)
class RowProblem:
    """The reason why one row is refused: a code, with the numbers and names behind it; what the row calls
    itself, as far as it could be read; and `more` reasons, if there are several."""

    reason: str
    numbers: Mapping[str, str | int] = field(default_factory=dict)
    name: str = field(default="", compare=False)
    more: "tuple[RowProblem, ...]" = ()


type Cells = dict[str, str]
type Record = tuple[int, Cells | RowProblem]

# What makes a spreadsheet take a cell for a formula (OWASP, "CSV injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def text_cell(text: object) -> str:
    """Return the text of a cell, with an apostrophe in front if a spreadsheet would take it for a formula."""
    shown = str(text)
    return f"'{shown}" if shown.lstrip("'").startswith(FORMULA) else shown


def plain_cell(cell: str) -> str:
    """Return the text of a cell without the apostrophe that `text_cell` added."""
    return cell[1:] if cell[:1] == "'" and cell.lstrip("'").startswith(FORMULA) else cell


def header_name(text: str) -> str:
    """Return a column's name in the form in which names are compared: lower case, single spaces."""
    return " ".join(text.casefold().split())


class EncodingGuess:
    """A guess at the encoding of a text that is fed piece by piece. UTF-8 if all of it is valid; GB18030 if
    all of it is valid and nearly all non-ASCII characters are in GB 2312 (those of a Western text that
    happens to be valid are not); else UTF-8, as reading it then reports where it fails."""

    def __init__(self) -> None:
        self._decoders: dict[str, codecs.IncrementalDecoder] = {
            name: codecs.getincrementaldecoder(name)() for name in ("utf-8", "gb18030")
        }
        self._common = self._others = 0

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        """Take the next piece. Set `final` with the last one, which may be empty."""
        for name, decoder in list(self._decoders.items()):
            try:
                text = decoder.decode(chunk, final)
            except UnicodeDecodeError:
                del self._decoders[name]
                continue
            if name == "gb18030":
                wide = [character for character in text if not character.isascii()]
                common = len("".join(wide).encode("gb2312", "ignore")) // 2
                self._common += common
                self._others += len(wide) - common

    @property
    def encoding(self) -> str:
        is_chinese = self._common > 9 * self._others
        if "utf-8" not in self._decoders and "gb18030" in self._decoders and is_chinese:
            return "gb18030"
        return "utf-8"


def read_records(
    stream: BinaryIO, *, encoding: str = "utf-8", delimiter: str = ",", header_row: int = 1
) -> tuple[tuple[str, ...], Iterator[Record]]:
    """Return the column names and, for each row, the physical line on which it begins (from 1) with its cells
    by column name or its problem. Blank lines, columns without a name and everything before line `header_row`
    are skipped. `stream` must be seekable and is used up.

    `FileRefused`: unknown-encoding, file-too-large, not-text, nul-byte, line-too-long, empty-file,
    too-many-rows, no-header, duplicate-header, too-many-columns and, while rows are read, unclosed-quote.
    """
    check_text(stream, encoding)
    stream.seek(0)
    lines = io.TextIOWrapper(stream, encoding=_with_mark(encoding), newline="")
    # Cells are measured below, so that one that is too long refuses its row and not the file.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_BYTES))
    rows = _rows(lines, delimiter)
    heads = (cells for line, _last, cells in rows if line >= header_row)
    cells = next(heads, None)
    header = header_of(cells or ())
    return tuple(name for name in header if name), _records(header, rows)


def header_of(cells: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns, empty for a column without one. `FileRefused`: too-many-columns,
    no-header, duplicate-header."""
    if len(cells) > MAX_COLUMNS:
        raise FileRefused("too-many-columns", columns=len(cells), most=MAX_COLUMNS)
    header = tuple(header_name(plain_cell(cell)) for cell in cells)
    named = [name for name in header if name]
    if not named:
        raise FileRefused("no-header")
    for name in named:
        if named.count(name) > 1:
            raise FileRefused("duplicate-header", column=name)
    return header


def check_text(stream: BinaryIO, encoding: str) -> None:
    """Raise `FileRefused` unless the whole stream is text in `encoding`, and neither empty nor too large."""
    try:
        if codecs.lookup(encoding).name in _NO_FILES:
            raise LookupError(encoding)
        io.TextIOWrapper(io.BytesIO(), encoding=encoding)  # refuses codecs that are not for text
        decoder = codecs.getincrementaldecoder(encoding)()
    except (LookupError, ValueError):
        raise FileRefused("unknown-encoding", encoding=encoding) from None
    size, line, open_line, is_blank = 0, 1, 0, True
    while True:
        chunk = stream.read(_CHUNK)
        if size + len(chunk) > MAX_BYTES:
            raise FileRefused("file-too-large", most=MAX_BYTES // 1000)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            # The error's object is the decoder's rest of the chunk before, and this chunk.
            offset = size + len(chunk) - len(error.object) + error.start
            raise FileRefused("not-text", encoding=encoding, offset=offset) from None
        except UnicodeError:
            raise FileRefused("not-text", encoding=encoding, offset=size) from None
        nul = text.find("\0")
        if nul >= 0:
            raise FileRefused("nul-byte", line=line + text.count("\n", 0, nul))
        *ended, rest = re.split(r"[\r\n]", text)
        lengths = [open_line + len(ended[0]), *map(len, ended[1:])] if ended else []
        open_line = len(rest) if ended else open_line + len(rest)
        if max([*lengths, open_line]) > MAX_LINE:
            raise FileRefused("line-too-long", line=line, most=MAX_LINE)
        line += text.count("\n")
        if line > MAX_ROWS * 4:
            raise FileRefused("too-many-rows", most=MAX_ROWS)
        is_blank = is_blank and not text.strip("\ufeff \t\r\n")
        size += len(chunk)
        if not chunk:
            break
    if is_blank:
        raise FileRefused("empty-file")


def _with_mark(encoding: str) -> str:
    return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding


def _rows(lines: io.TextIOWrapper, delimiter: str) -> Iterator[tuple[int, int, list[str] | None]]:
    """Yield the first and last physical line of each row with its cells; None for the cells if the quotes are
    malformed."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells: list[str] | None = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                raise FileRefused("unclosed-quote", line=line) from None
            cells = None
        if cells != []:
            yield line, reader.line_num, cells


def _records(header: tuple[str, ...], rows: Iterator[tuple[int, int, list[str] | None]]) -> Iterator[Record]:
    for number, (line, last, row) in enumerate(rows, start=1):
        if number > MAX_ROWS:
            raise FileRefused("too-many-rows", most=MAX_ROWS)
        problem = cells_problem(header, row)
        if row is not None and problem is None:
            yield line, cells_of(header, row)
        elif problem is not None:
            # A stray quote swallows lines: report how many.
            swallowed: dict[str, str | int] = {"until": last} if last > line else {}
            yield line, RowProblem(problem.reason, {**problem.numbers, **swallowed})


def cells_of(header: tuple[str, ...], row: Sequence[str]) -> Cells:
    """Return the cells of a row by column name."""
    return {name: plain_cell(cell) for name, cell in zip(header, row, strict=True) if name}


def cells_problem(header: tuple[str, ...], row: Sequence[str] | None) -> RowProblem | None:
    """Return the problem with a row's cells, or None. `row` is None if its quotes are malformed."""
    if row is None:
        return RowProblem("malformed-quotes")
    if len(row) != len(header):
        return RowProblem("wrong-cells", {"cells": len(row), "columns": len(header)})
    longest = max(range(len(row)), key=lambda at: len(row[at]))
    if len(row[longest]) > MAX_CELL:
        column = header[longest] or str(longest + 1)
        return RowProblem("cell-too-long", {"column": column, "length": len(row[longest]), "most": MAX_CELL})
    return None
