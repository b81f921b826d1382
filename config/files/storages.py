"""Storages of uploads, which say with one exception that they cannot be reached.

A file that comes in pieces is written by `receive`: what it has taken is on the disk, or with the
service, before it returns, and what it had not (its process was killed) is written over.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from django.core.files import File
from django.core.files.storage import FileSystemStorage, Storage

log = logging.getLogger(__name__)


class FilesAway(OSError):
    """Uploads cannot be read or written just now. Doors answer 503."""


@contextmanager
def reaching(*problems: type[Exception]) -> Iterator[None]:
    """Raise `FilesAway` for any of these problems; a file that is not there stays
    `FileNotFoundError`."""
    try:
        yield
    except (FileNotFoundError, FilesAway):
        raise
    except problems as problem:
        log.error("uploads cannot be reached: %s", problem)
        raise FilesAway(str(problem)) from problem


type Taken = tuple[str, list[list[Any]]]
"""What a service that takes files in parts has of one: the id of its upload, and number, tag and
size of each part."""
NOTHING_TAKEN: Taken = ("", [])
PIECE = 1 << 17  # of what is read to be sent


class Reached(Storage):
    """A storage whose `PROBLEMS` are told as `FilesAway`."""

    PROBLEMS: tuple[type[Exception], ...] = (OSError,)

    def open(self, name: str, mode: str = "rb") -> "File[Any]":
        with reaching(*self.PROBLEMS):
            return super().open(name, mode)

    def save(self, name: str | None, content: IO[Any], max_length: int | None = None) -> str:
        with reaching(*self.PROBLEMS):
            return super().save(name, content, max_length)

    def delete(self, name: str) -> None:
        with reaching(*self.PROBLEMS):
            super().delete(name)

    def exists(self, name: str) -> bool:
        with reaching(*self.PROBLEMS):
            return super().exists(name)


class BytesLost(LookupError):
    """Less of a file is stored than was acknowledged: only its sender can give it again."""


class Folder(Reached, FileSystemStorage):
    """`MEDIA_ROOT`."""

    def receive(
        self, name: str, data: bytes, *, at: int, size: int, taken: Taken = NOTHING_TAKEN
    ) -> Taken:
        """Write a piece of a file of a size behind the `at` bytes that it has; `BytesLost` where it
        has fewer."""
        path = self.path(name)
        with reaching(OSError):
            if is_new := not os.path.exists(path):
                os.makedirs(os.path.dirname(path), exist_ok=True)
            target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o640)
            try:
                if os.fstat(target).st_size < at:
                    raise BytesLost(name)
                os.ftruncate(target, at)
                piece, begin = memoryview(data), at
                while piece:
                    written = os.pwrite(target, piece, begin)
                    piece, begin = piece[written:], begin + written
                os.fsync(target)
            finally:
                os.close(target)
            if is_new:
                _sync_folders(path, str(self.location))
        return taken

    def read(self, name: str, start: int, end: int) -> Iterator[bytes]:
        """Give the bytes from `start` up to `end`, piece by piece; `BytesLost` where the file is
        shorter."""
        with self.open(name) as stream:
            stream.seek(start)
            while start < end:
                piece = stream.read(min(PIECE, end - start))
                if not piece:
                    raise BytesLost(name)
                start += len(piece)
                yield piece

    def drop(self, name: str, upload_id: str = "") -> None:
        """Delete a file that was received, or a part of it."""
        self.delete(name)


def _sync_folders(path: str, root: str) -> None:
    """Have the disk keep the name of a new file, and those of its folders up to the root."""
    while (path := os.path.dirname(path)).startswith(root):
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
