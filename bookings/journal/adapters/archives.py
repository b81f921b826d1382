"""Tables in one ZIP file, with the same bytes for the same tables."""

from collections.abc import Iterable, Sequence
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from bookings.record.adapters.figures import Cell, csv_pieces, in_transaction

MOMENT = (1980, 1, 1, 0, 0, 0)  # the files have no day of their own

type Table = tuple[str, Sequence[str], Iterable[Sequence[Cell]]]


def write_archive(stream: IO[bytes], tables: Iterable[Table]) -> None:
    """Write tables, each with its name and heads, as CSV files of a ZIP, row by row."""
    with ZipFile(stream, "w", ZIP_DEFLATED) as book:
        for name, heads, rows in tables:
            info = ZipInfo(f"{name}.csv", MOMENT)
            info.compress_type = ZIP_DEFLATED
            with book.open(info, "w", force_zip64=True) as out:
                for piece in in_transaction(csv_pieces(heads, rows)):
                    out.write(piece)
