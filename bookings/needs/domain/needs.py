"""Decide the state that a need has at a moment, from what has come of it."""

from dataclasses import dataclass
from datetime import datetime

from bookings.record.domain.reservations import RELEASED

OPEN, ASKED, OFFERED, BOOKED, DONE = "open", "asked", "offered", "booked", "done"
OVER, WITHDRAWN = "over", "withdrawn"
STATES = (OPEN, ASKED, OFFERED, BOOKED, DONE, OVER, WITHDRAWN)
MET = frozenset({BOOKED, DONE})
FELL_THROUGH = RELEASED | {"no_show"}  # such a booking meets no need


@dataclass(frozen=True)
class Outcome:
    """The outcome of a need so far. booking: the state of the booking that was made for it, if that stands;
    asked_until: when its open enquiry closes; bids_until, kept_until: until when a bid for it stands, and a
    batch keeps a time for it."""

    is_withdrawn: bool
    latest: datetime
    booking: str = ""
    asked_until: datetime | None = None
    bids_until: datetime | None = None
    kept_until: datetime | None = None


def need_state(outcome: Outcome, now: datetime) -> str:
    """Return the state of a need at a moment. A booking says more than a withdrawal: who has one and
    withdraws the need still has it."""

    def lasts(until: datetime | None) -> bool:
        return until is not None and until > now

    if outcome.booking and outcome.booking not in FELL_THROUGH:
        return DONE if outcome.booking == "completed" else BOOKED
    if outcome.is_withdrawn:
        return WITHDRAWN
    if lasts(outcome.kept_until) or (lasts(outcome.asked_until) and lasts(outcome.bids_until)):
        return OFFERED
    if lasts(outcome.asked_until):
        return ASKED
    return OPEN if outcome.latest > now else OVER


def is_searching(state: str) -> bool:
    """Say whether instruments are still looked for while a need is in this state: matches are shown, and the
    need can be changed and withdrawn."""
    return state in {OPEN, ASKED, OFFERED}


def may_ask(outcome: Outcome, now: datetime) -> bool:
    """Say whether an enquiry can be made of a need with this outcome: instruments are looked for, and no
    enquiry is open."""
    is_asked = outcome.asked_until is not None and outcome.asked_until > now
    return is_searching(need_state(outcome, now)) and not is_asked and outcome.latest > now
