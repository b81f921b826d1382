"""A ZIP file whose every byte is known before it is written.

Files are stored, not compressed, and their CRC-32 is known; so the length can be given in advance, a download
can resume in the middle, and the bytes are the same each time. Beyond 4 GB, or 65,535 files, ZIP64 is used
(PKWARE's APPNOTE 6.3.10, sections 4.3 to 4.5).
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

LARGEST, MOST = 0xFFFFFFFF, 0xFFFF  # the largest values of fields with 4 and 2 bytes; beyond: ZIP64
_UTF8 = 1 << 11
_PLAIN, _ZIP64 = 20, 45  # versions needed to read it
_UNIX, _RIGHTS = 3 << 8, 0o100644 << 16


@dataclass(frozen=True)
class Stored:
    """A file in a ZIP file: its `content`, or the `key` by which its content is read."""

    name: str
    size: int
    crc: int
    content: bytes | None = None
    key: Any = None

    @classmethod
    def of(cls, name: str, content: bytes) -> "Stored":
        return cls(name, len(content), zlib.crc32(content), content)


type Piece = bytes | Stored


def pieces(files: Sequence[Stored], at: datetime) -> list[Piece]:
    """Return the parts of the ZIP file in their order: bytes, or a file whose content goes there. All files
    get the same time."""
    stamp = _stamp(at)
    result: list[Piece] = []
    central: list[bytes] = []
    offset = 0
    for each in files:
        name = each.name.encode()
        flags = 0 if each.name.isascii() else _UTF8
        is_large = each.size >= LARGEST
        sizes = struct.pack("<HHQQ", 1, 16, each.size, each.size) if is_large else b""
        header = struct.pack(
            "<4sHHHIIIIHH",
            b"PK\x03\x04",
            _ZIP64 if is_large else _PLAIN,
            flags,
            0,
            stamp,
            each.crc,
            LARGEST if is_large else each.size,
            LARGEST if is_large else each.size,
            len(name),
            len(sizes),
        )
        result += [header + name + sizes, each]
        central.append(_entry(each, name, flags, stamp, offset))
        offset += len(header) + len(name) + len(sizes) + each.size
    directory = b"".join(central)
    return [*result, directory + _end(len(files), len(directory), offset)]


def length(parts: Sequence[Piece]) -> int:
    """Return the number of bytes of a ZIP file."""
    return sum(_size(part) for part in parts)


def cut(parts: Sequence[Piece], start: int, end: int) -> Iterator[tuple[Piece, int, int]]:
    """Yield the parts between two positions, each with the range of its bytes."""
    position = 0
    for part in parts:
        size = _size(part)
        first, last = max(start - position, 0), min(end - position, size)
        if first < last:
            yield part, first, last
        position += size
        if position >= end:
            return


def _size(part: Piece) -> int:
    return len(part) if isinstance(part, bytes) else part.size


def _entry(each: Stored, name: bytes, flags: int, stamp: int, offset: int) -> bytes:
    """Return a file's entry in the central directory."""
    large = [each.size, each.size] if each.size >= LARGEST else []
    if offset >= LARGEST:
        large.append(offset)
    extra = struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
    size = min(each.size, LARGEST)
    return (
        struct.pack(
            "<4sHHHHIIIIHHHHHII",
            b"PK\x01\x02",
            _UNIX | (_ZIP64 if large else _PLAIN),
            _ZIP64 if large else _PLAIN,
            flags,
            0,
            stamp,
            each.crc,
            size,
            size,
            len(name),
            len(extra),
            0,
            0,
            0,
            _RIGHTS,
            min(offset, LARGEST),
        )
        + name
        + extra
    )


def _end(number: int, size: int, offset: int) -> bytes:
    """Return the end of the central directory, which has this size and begins at this offset."""
    end = struct.pack(
        "<4sHHHHIIH",
        b"PK\x05\x06",
        0,
        0,
        min(number, MOST),
        min(number, MOST),
        min(size, LARGEST),
        min(offset, LARGEST),
        0,
    )
    if number < MOST and size < LARGEST and offset < LARGEST:
        return end
    large = struct.pack(
        "<4sQHHIIQQQQ",
        b"PK\x06\x06", 44, _UNIX | _ZIP64, _ZIP64, 0, 0, number, number, size, offset,
    )  # fmt: skip
    return large + struct.pack("<4sIQI", b"PK\x06\x07", 0, offset + size, 1) + end


def _stamp(at: datetime) -> int:
    """Return a moment in UTC in the format of MS-DOS, to two seconds; the earliest possible one for years
    that it cannot store."""
    at = at.astimezone(UTC)
    if not 1980 <= at.year <= 2107:
        return 1 << 21 | 1 << 16
    date = (at.year - 1980) << 9 | at.month << 5 | at.day
    return date << 16 | at.hour << 11 | at.minute << 5 | at.second // 2
