"""Storages of uploads, which all raise the same exception when they cannot be reached.

`receive` writes a file that arrives in pieces. When it returns, what it took is on the disk or with the
service; if its process is killed, the next call overwrites what is incomplete.
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
    """Uploads cannot be read or written at present. Pages and the API answer 503."""


@contextmanager
def reaching(*problems: type[Exception]) -> Iterator[None]:
    """Raise `FilesAway` in place of any of these exceptions in the block; a missing file remains
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
    """The base class of storages, which raise `FilesAway` in place of their `PROBLEMS`."""

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
    """Less of a file is stored than was acknowledged; only its sender can supply the rest again."""


class Folder(Reached, FileSystemStorage):
    """A storage in the folder `MEDIA_ROOT`."""

    def receive(self, name: str, data: bytes, *, at: int, size: int, taken: Taken = NOTHING_TAKEN) -> Taken:
        """Store the next piece of a file of `size` bytes, of which `at` are already stored. Raise `BytesLost`
        if there are fewer."""
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
        """Yield the bytes from `start` up to `end` in pieces; raise `BytesLost` if the file is shorter."""
        with self.open(name) as stream:
            stream.seek(start)
            while start < end:
                piece = stream.read(min(PIECE, end - start))
                if not piece:
                    raise BytesLost(name)
                start += len(piece)
                yield piece

    def drop(self, name: str, upload_id: str = "") -> None:
        """Delete a file that was received completely or in part."""
        self.delete(name)


def _sync_folders(path: str, root: str) -> None:
    """Flush the directory entries of a new file, and of its folders up to the root, to the disk."""
    while (path := os.path.dirname(path)).startswith(root):
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
