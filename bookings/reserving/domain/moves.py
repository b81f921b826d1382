"""Changing when a booking is: what it is called, and which rules run.

Rules: docs/availability.md, "Which rules run when", and docs/fees.md, "Changing".
"""

from bookings.record.domain.periods import Period

# Who had the idea of a move that both sides want; the late fee is by it.
HOST, PERSON = "host", "person"

MOVE = "move"
EXTEND = "extend"
SHORTEN = "shorten"

# A booking that keeps its start is bound by neither.
NO_NOTICE = frozenset({"too-soon", "too-far"})


def kind_of(old: Period, new: Period) -> str:
    """A move has another start; else the booking becomes longer or shorter."""
    if old.start != new.start:
        return MOVE
    return EXTEND if new.end > old.end else SHORTEN


def may_need_approval(kind: str) -> bool:
    """Shortening takes nothing from anybody."""
    return kind != SHORTEN
