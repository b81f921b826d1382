"""Write an archive of working papers: a ZIP whose index names each file with its size and SHA-256."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import BinaryIO, Self
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from bookings.record.adapters.figures import csv_pieces

INDEX, SUMS, README = "index.csv", "SHA256SUMS", "README.txt"


class PapersArchive:
    """An archive to which files are added one after the other, in pieces, so that memory does not grow with
    them."""

    def __init__(self, stream: BinaryIO, now: datetime) -> None:
        self._zip = ZipFile(stream, "w", ZIP_DEFLATED)
        self._moment = now.astimezone(UTC).timetuple()[:6]
        self._index: list[tuple[str, int, str, str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def add(self, name: str, pieces: Iterable[bytes], about: str = "") -> None:
        """Add a file; `about` says in the index what it is."""
        digest, size = hashlib.sha256(), 0
        with self._zip.open(self._entry(name), "w", force_zip64=True) as out:
            for piece in pieces:
                out.write(piece)
                digest.update(piece)
                size += len(piece)
        self._index.append((name, size, digest.hexdigest(), about))

    def add_table(
        self, name: str, heads: Iterable[str], rows: Iterable[Iterable[object]], about: str = ""
    ) -> None:
        """Add a table as CSV."""
        lines = ([_cell(value) for value in row] for row in rows)
        self.add(name, csv_pieces(list(heads), lines), about)

    def close(self, readme: str) -> int:
        """Add what says how to check the archive, and end it. Return how many files it has besides."""
        self.add(README, [readme.encode()])
        heads = ["file", "bytes", "sha256", "about"]
        listed = list(self._index)
        self.add(INDEX, csv_pieces(heads, [list(line) for line in listed]))
        sums = "".join(f"{digest}  {name}\n" for name, _, digest, _ in self._index)
        self._zip.writestr(self._entry(SUMS), sums)
        self._zip.close()
        return len(listed)

    def _entry(self, name: str) -> ZipInfo:
        entry = ZipInfo(name, self._moment)
        entry.compress_type = ZIP_DEFLATED
        return entry


def _cell(value: object) -> str | int:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value if isinstance(value, int) else str(value)
