"""Parts of a file, as readers request them by RFC 9110, one byte range at a time; and the union of all parts
that were taken."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_RANGE = re.compile(r"bytes[ \t]*=[ \t]*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))[ \t]*", re.ASCII)
MOST_PARTS = 64  # parts that are stored for one reader of a file


@dataclass(frozen=True)
class ByteRange:
    """The bytes from `start` up to, but not including, `end`."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


def parse_range(header: str, size: int) -> ByteRange | None:
    """Return the part of a file of this size that a `Range` header asks for; the whole file if it asks for
    none or several, or is not valid by RFC 9110; None if it asks for bytes beyond the end (status 416)."""
    whole = ByteRange(0, size)
    asked = _RANGE.fullmatch(header)
    if asked is None:
        return whole
    first, last, suffix = asked.groups()
    if suffix is not None:
        return ByteRange(max(0, size - int(suffix)), size) if int(suffix) and size else None
    if last and int(last) < int(first):
        return whole  # not a valid range, so it is ignored
    if int(first) >= size:
        return None
    return ByteRange(int(first), min(int(last) + 1, size) if last else size)


type Parts = Sequence[Sequence[int]]
"""What of a file was taken: start and end of each part, in order, none touching another."""


def joined(*taken: Parts) -> list[list[int]]:
    """Return the union of parts, in order, with as few parts as possible."""
    union: list[list[int]] = []
    for start, end in sorted((start, end) for parts in taken for start, end in parts):
        if start >= end:
            continue
        if union and start <= union[-1][1]:
            union[-1][1] = max(union[-1][1], end)
        else:
            union.append([start, end])
    return union


def covered(parts: Parts) -> int:
    """Return how many bytes these parts have in all."""
    return sum(end - start for start, end in parts)


def is_scattered(parts: Parts, part: ByteRange) -> bool:
    """Say whether the taken parts of a file would be too many separate pieces with another one added. A part
    at the beginning of the file is always allowed, since one can always ask for the whole file."""
    pieces = len(joined(parts, [[part.start, part.end]]))
    return part.start > 0 and pieces > max(MOST_PARTS, len(parts))
