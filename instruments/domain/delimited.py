"""Reads delimited text (RFC 4180) into records, and says where it is not what it should be.

The stream is read twice: once to see that it is text of an acceptable size, so that a file
that is no table at all is refused before anything else happens; then row by row, so that a
large one never lies in memory whole.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from accounts.domain.errors import Refused

MAX_BYTES = 50 * 1024 * 1024
MAX_CELL = 10_000
_CHUNK = 1 << 16


class FileRefused(Refused):
    """The file as a whole cannot be read; nothing of it is used."""

    code = "file-refused"


@dataclass(frozen=True)
class RowProblem:
    """Why one row is refused: a code, and the numbers and names behind it."""

    reason: str
    numbers: Mapping[str, str | int] = field(default_factory=dict)


type Cells = dict[str, str]


def header_name(text: str) -> str:
    """A column's name as it is compared: lower case, single spaces."""
    return " ".join(text.casefold().split())


def read_records(
    stream: BinaryIO, *, encoding: str = "utf-8", delimiter: str = ","
) -> tuple[tuple[str, ...], Iterator[tuple[int, Cells | RowProblem]]]:
    """The column names and, for each row, the physical line it begins on (from 1) with its
    cells by column name or the problem with it. Blank lines are no rows; columns without a
    name are left out. `stream` must be seekable and is used up.

    `FileRefused`: unknown-encoding, file-too-large, not-text, nul-byte, empty-file,
    no-header, duplicate-header and, while rows are read, unclosed-quote.
    """
    check_text(stream, encoding)
    stream.seek(0)
    lines = io.TextIOWrapper(stream, encoding=_with_mark(encoding), newline="")
    # Cells are measured below, where one that is too long costs its row and not the file.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_BYTES))
    rows = _rows(lines, delimiter)
    _first, _last, cells = next(rows, (0, 0, None))
    header = tuple(header_name(cell) for cell in cells or ())
    named = [name for name in header if name]
    if not named:
        raise FileRefused("no-header")
    for name in named:
        if named.count(name) > 1:
            raise FileRefused("duplicate-header", column=name)
    return tuple(named), _records(header, rows)


def check_text(stream: BinaryIO, encoding: str) -> None:
    """`FileRefused` unless the whole stream is text in `encoding`, not empty, not too large."""
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=encoding)  # knows codecs that are no text
        decoder = codecs.getincrementaldecoder(encoding)()
    except (LookupError, ValueError):
        raise FileRefused("unknown-encoding", encoding=encoding) from None
    size, line, is_blank = 0, 1, True
    while True:
        chunk = stream.read(_CHUNK)
        if size + len(chunk) > MAX_BYTES:
            raise FileRefused("file-too-large", most=MAX_BYTES)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            # The decoder's object is what it had kept of the chunk before, and this chunk.
            offset = size + len(chunk) - len(error.object) + error.start
            raise FileRefused("not-text", encoding=encoding, offset=offset) from None
        except UnicodeError:
            raise FileRefused("not-text", encoding=encoding, offset=size) from None
        nul = text.find("\0")
        if nul >= 0:
            raise FileRefused("nul-byte", line=line + text.count("\n", 0, nul))
        line += text.count("\n")
        is_blank = is_blank and not text.strip("\ufeff \t\r\n")
        size += len(chunk)
        if not chunk:
            break
    if is_blank:
        raise FileRefused("empty-file")


def _with_mark(encoding: str) -> str:
    return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding


def _rows(lines: io.TextIOWrapper, delimiter: str) -> Iterator[tuple[int, int, list[str] | None]]:
    """First and last physical line of each row with its cells; None where quotes make no sense."""
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


def _records(
    header: tuple[str, ...], rows: Iterator[tuple[int, int, list[str] | None]]
) -> Iterator[tuple[int, Cells | RowProblem]]:
    for line, last, row in rows:
        problem = _problem(header, row)
        if row is not None and problem is None:
            yield line, {name: cell for name, cell in zip(header, row, strict=True) if name}
        elif problem is not None:
            # A stray quote swallows lines: say which.
            swallowed: dict[str, str | int] = {"until": last} if last > line else {}
            yield line, RowProblem(problem.reason, {**problem.numbers, **swallowed})


def _problem(header: tuple[str, ...], row: list[str] | None) -> RowProblem | None:
    if row is None:
        return RowProblem("malformed-quotes")
    if len(row) != len(header):
        return RowProblem("wrong-cells", {"cells": len(row), "columns": len(header)})
    longest = max(range(len(row)), key=lambda at: len(row[at]))
    if len(row[longest]) > MAX_CELL:
        column = header[longest] or str(longest + 1)
        return RowProblem(
            "cell-too-long", {"column": column, "length": len(row[longest]), "most": MAX_CELL}
        )
    return None
