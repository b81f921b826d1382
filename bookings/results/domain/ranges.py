"""Parts of a file, as RFC 9110 has readers ask for them: one range of bytes at a time."""

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes[ \t]*=[ \t]*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))[ \t]*", re.ASCII)


@dataclass(frozen=True)
class Part:
    """The bytes from `start` up to, and without, `end`."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


def parse_range(header: str, size: int) -> Part | None:
    """Return the part of a file of this size that a `Range` header asks for; the whole where it
    asks for none, for several, or in words that RFC 9110 does not know; None where it asks for
    bytes beyond the end (status 416)."""
    whole = Part(0, size)
    asked = _RANGE.fullmatch(header)
    if asked is None:
        return whole
    first, last, suffix = asked.groups()
    if suffix is not None:
        return Part(max(0, size - int(suffix)), size) if int(suffix) and size else None
    if last and int(last) < int(first):
        return whole  # no valid range: as if none were asked for
    if int(first) >= size:
        return None
    return Part(int(first), min(int(last) + 1, size) if last else size)
