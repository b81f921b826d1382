"""Storages of uploads, which say with one exception that they cannot be reached."""

import logging
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


class Folder(Reached, FileSystemStorage):
    """`MEDIA_ROOT`."""
