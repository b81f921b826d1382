"""Store results in Django's default storage, under names that reveal nothing of their contents."""

import hashlib
import zlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.core.files.base import File
from django.core.files.storage import default_storage

from accounts.domain.errors import WrongState
from bookings.results.models import ResultFile

_PIECE = 1 << 20
_store: Any = default_storage  # `receive` and `drop`: config/files


def name_of(hand_off_id: UUID, file_id: UUID) -> str:
    """Return the name of a file in the store."""
    return f"results/{hand_off_id}/{file_id}"


def file_receive(row: ResultFile, data: bytes) -> None:
    """Append a piece to a file durably, and update `row`, which the caller saves. Raise `WrongState`
    (upload-lost) if the store has fewer bytes than were acknowledged."""
    taken = row.upload_id, row.parts
    try:
        taken = _store.receive(row.storage, data, at=row.received, size=row.size, taken=taken)
    except LookupError:
        raise WrongState("upload-lost") from None
    row.upload_id, row.parts = taken
    row.received += len(data)


def file_open(row: ResultFile) -> "File[bytes]":
    """Open a file for reading; raise `FileNotFoundError` if it does not exist."""
    return default_storage.open(row.storage)


def file_read(storage: str, start: int, end: int) -> Iterator[bytes]:
    """Yield a part of a stored file, piece by piece."""
    yield from _store.read(storage, start, end)


def file_lend(storage: str, disposition: str, seconds: int) -> str:
    """Return an address at the bucket's service under which a file can be read for some seconds."""
    address: str = _store.lend(storage, disposition, seconds)
    return address


def file_drop(storage: str, upload_id: str) -> None:
    """Delete everything that the store has of a file."""
    _store.drop(storage, upload_id)


def sums_of(row: ResultFile) -> tuple[str, int]:
    """Return the SHA-256 and the CRC-32 of a stored file, reading it piece by piece."""
    digest, crc = hashlib.sha256(), 0
    with file_open(row) as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
            crc = zlib.crc32(piece, crc)
    return digest.hexdigest(), crc
