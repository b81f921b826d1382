"""Rules of the actions agreed on a finding, and of when the finding may be closed."""

from collections.abc import Mapping
from datetime import date, timedelta

from accounts.domain.errors import WrongState
from bookings.audit.domain.audit import REMIND_BEFORE

AGREED, DONE, VERIFIED, WITHDRAWN = "agreed", "done", "verified", "withdrawn"
# What becomes of an action: its owner says that it is done, the auditor verifies it or sends it back.
ACTION_MOVES: Mapping[str, frozenset[str]] = {
    AGREED: frozenset({DONE, WITHDRAWN}),
    DONE: frozenset({AGREED, VERIFIED, WITHDRAWN}),
    VERIFIED: frozenset(),
    WITHDRAWN: frozenset(),
}
UNFINISHED = frozenset({AGREED, DONE})
# Unfinished actions of one finding at once, some of which are left to the auditor; and all that the audited
# side may ever add.
MOST_ACTIONS, MOST_OF_AUDITED, MOST_EVER = 50, 40, 200
MOST_TEXT = 2000
MOST_FILES = 4  # in one request


def may_move(state: str, new: str) -> bool:
    """Return whether an action may go from one state to another."""
    return new in ACTION_MOVES[state]


def require_room(*, unfinished: int, ever: int, is_auditor: bool) -> None:
    """Raise `WrongState` (`too-many-actions`) if a finding has as many unfinished actions as the side that
    adds one may have. Those that are verified or withdrawn leave room; the audited side also has
    a limit for all that were `ever` added."""
    most = MOST_ACTIONS if is_auditor else MOST_OF_AUDITED
    if unfinished >= most or (not is_auditor and ever >= MOST_EVER):
        raise WrongState("too-many-actions", most=most)


def require_closable(
    *, is_answered: bool, due: date, unfinished: int, follow_up: date | None, today: date
) -> None:
    """Raise `WrongState` unless a finding may be closed: somebody has answered it, or the auditor has stated
    that no answer was received, which is possible from the day after the one by which to answer; each of its
    actions is verified or withdrawn; and the day of its follow-up, if it has one, has come."""
    if not is_answered:
        raise WrongState("finding-unanswered", day=(due + timedelta(days=1)).isoformat())
    if unfinished:
        raise WrongState("actions-unfinished", count=unfinished)
    if follow_up is not None and today < follow_up:
        raise WrongState("follow-up-ahead", day=follow_up.isoformat())


def reminder_week(due: date, today: date) -> int | None:
    """Return which reminder is due on a day: -1 in the week before the due day, then 0, 1, 2, ... for each
    week since then; None earlier."""
    late = today - due
    if late < -REMIND_BEFORE:
        return None
    return -1 if late <= timedelta(0) else (late.days - 1) // 7
