"""Positions in the list of events, as programs keep them."""

import hashlib
import re
from dataclasses import dataclass

_WRITTEN = re.compile(r"(\d{1,18})-([0-9a-f]{8})", re.ASCII)


@dataclass(frozen=True)
class Position:
    """A place behind an event, by its number, with a mark of the event: after a backup is restored, the same
    number may be another event's. Number 0 is the beginning."""

    number: int
    mark: str

    def __str__(self) -> str:
        return f"{self.number}-{self.mark}"


BEGINNING = Position(0, "0" * 8)


def position_of(number: int, cause: str) -> Position:
    return Position(number, hashlib.sha256(cause.encode()).hexdigest()[:8])


def parse_position(text: str) -> Position | None:
    """Return the position that a text states; None if it states none."""
    found = _WRITTEN.fullmatch(text)
    return Position(int(found[1]), found[2]) if found else None
