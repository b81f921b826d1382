"""Changing the time of a booking: the kind of change, and the rules that apply.

Rules: docs/availability.md, "Which rules run when", and docs/fees.md, "Changing".
"""

from decimal import Decimal

from bookings.record.domain.periods import Period

# The side that proposed a move on which both agree; the late fee depends on it.
HOST, PERSON = "host", "person"

MOVE = "move"
EXTEND = "extend"
SHORTEN = "shorten"

# Rules that do not apply to a booking that keeps its start.
NO_NOTICE = frozenset({"too-soon", "too-far"})


def kind_of(old: Period, new: Period) -> str:
    """Return the kind of a change of time: a move if the start changes, otherwise extending or shortening."""
    if old.start != new.start:
        return MOVE
    return EXTEND if new.end > old.end else SHORTEN


def least_percent(
    before: Decimal, reached: Decimal, *, old: Period, new: Period, waits: bool = False, is_free: bool = False
) -> Decimal:
    """Return the minimum percent that cancelling costs after a change of time.

    A late tier that was `reached` stays with a booking that is moved to a later start, so that nobody avoids
    a late fee by moving first, and with one that `waits` for an approval, which may never come. An earlier
    start only shortens the notice. `before`: the minimum so far, which stays as it is if the change
    `is_free`: proposed by the host, or on second thoughts.
    """
    if is_free or not (waits or new.start > old.start):
        return before
    return max(before, reached)


def may_need_approval(kind: str) -> bool:
    """Say whether a change of time may need the host's approval. Shortening never does, since it takes
    nothing from anybody."""
    return kind != SHORTEN
