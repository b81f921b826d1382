"""Calendars outward and inward: how far they go, and when an own calendar is read again."""

from datetime import datetime, timedelta

# What a feed holds: so much that is over, so much that lies ahead, and for how long what was
# cancelled stays in it, so that programs that look rarely learn of it.
PAST, AHEAD, CANCELLED_FOR = timedelta(days=60), timedelta(days=400), timedelta(days=30)
MOST_EVENTS = 3000

BUSY_AHEAD = timedelta(days=84)  # the weeks of an own calendar that are written out
MOST_SET, SET_WITHIN = 5, timedelta(hours=1)  # of one person: each is read out of turn
_EVERY = timedelta(hours=1)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=15), timedelta(hours=24)
MOST_FAILURES = 12  # then it is no longer read, until the person says so


def read_again_at(failures: int, now: datetime) -> datetime | None:
    """When an own calendar is read next, after so many failures in a row; None: no more."""
    if not failures:
        return now + _EVERY
    if failures >= MOST_FAILURES:
        return None
    doubled: int = 2 ** (failures - 1)
    return now + min(_FIRST_WAIT * doubled, _LONGEST_WAIT)


def must_expand(known_until: datetime | None, now: datetime) -> bool:
    """Whether so little of what is known lies ahead that it has to be read in full, changed or
    not."""
    return known_until is None or known_until < now + BUSY_AHEAD - timedelta(days=7)
