"""The states of a reservation and the transitions between them."""

from datetime import datetime, timedelta
from uuid import UUID

from accounts.domain.errors import WrongState
from bookings.record.domain.periods import Period

OCCUPYING = frozenset({"held", "requested", "confirmed", "in_use"})
# The states that count for quotas and shares: a missed booking counts too.
COUNTED = OCCUPYING | {"completed", "no_show"}
RELEASED = frozenset({"cancelled", "rejected", "expired", "displaced"})

# docs/availability.md, "States"
TRANSITIONS: dict[str, frozenset[str]] = {
    "held": frozenset({"requested", "confirmed", "cancelled", "expired", "displaced"}),
    "requested": frozenset({"confirmed", "rejected", "cancelled", "expired", "displaced"}),
    "confirmed": frozenset({"requested", "in_use", "completed", "cancelled", "no_show", "displaced"}),
    "in_use": frozenset({"completed"}),
    "no_show": frozenset({"completed"}),
    "completed": frozenset(),
    "cancelled": frozenset(),
    "rejected": frozenset(),
    "expired": frozenset(),
    "displaced": frozenset(),
}

CHECK_IN_BEFORE = timedelta(minutes=15)
SESSION_LEFT_OPEN = timedelta(hours=12)
POOR_RATING = 2  # of 5: the host is told of it
FOLLOWS_WITHIN = timedelta(hours=1)  # the next booking is near enough to be told of an overrun


def require_transition(state: str, new: str) -> None:
    """Raise `WrongState` unless `new` may follow `state`."""
    if new not in TRANSITIONS[state]:
        raise WrongState(state=state, wanted=new)


def effective_state(state: str, deadline_at: datetime | None, now: datetime) -> str:
    """Return the state at a moment: past its deadline a hold or a request is expired, even if no job has
    recorded that yet."""
    if state in {"held", "requested"} and deadline_at is not None and deadline_at <= now:
        return "expired"
    return state


def is_own(actor: UUID | None, *, person: UUID, maker: UUID) -> bool:
    """Say whether a booking is the actor's own: it is for them, or they made it. A host's manager ends and
    moves such a booking as anybody else would, not in the host's name and at its cost."""
    return actor in {person, maker}


def check_in_span(period: Period) -> Period:
    """Return when somebody may check in: from 15 minutes before the start until the end."""
    return Period(period.start - CHECK_IN_BEFORE, period.end)


def no_show_at(start: datetime, end: datetime, check_in_minutes: int | None) -> datetime | None:
    """Return the moment from which an unused reservation is a no-show, at the latest its end; None if it
    never becomes one."""
    if check_in_minutes is None:
        return None
    return min(start + timedelta(minutes=check_in_minutes), end)


def settled_state(start: datetime, end: datetime, check_in_minutes: int | None, now: datetime) -> str | None:
    """Return the state of a confirmed booking that nobody checked in to: `no_show` or `completed`; None while
    it can still be used."""
    missed_at = no_show_at(start, end, check_in_minutes)
    if missed_at is not None and missed_at <= now:
        return "no_show"
    return "completed" if end <= now else None


def may_still_cancel(start: datetime, end: datetime, check_in_minutes: int | None, now: datetime) -> bool:
    """Say whether a confirmed booking can still be cancelled: it is neither a no-show nor over."""
    missed_at = no_show_at(start, end, check_in_minutes)
    return now < (missed_at or end)


def used_span(*, blocked: Period, check_in: datetime, check_out: datetime, teardown_minutes: int) -> Period:
    """Return the time that a session blocks after check-out: until the end of teardown, but never longer than
    before."""
    start = min(blocked.start, check_in)
    end = min(blocked.end, check_out + timedelta(minutes=teardown_minutes))
    return Period(start, max(end, start + timedelta(seconds=1)))
