"""Calendars that are given out and read: which bookings they cover, and when a person's own calendar is read
again."""

from datetime import datetime, timedelta

# What a feed contains: how much of the past and of the future, and for how long cancelled bookings stay in
# it, so that programs which rarely read it still learn of the cancellation.
PAST, AHEAD, CANCELLED_FOR = timedelta(days=60), timedelta(days=400), timedelta(days=30)
MOST_EVENTS = 3000

BUSY_AHEAD = timedelta(days=84)  # how far a person's own calendar is expanded
MOST_SET, SET_WITHIN = 5, timedelta(hours=1)  # changes of one person, since each is read at once
_EVERY = timedelta(hours=1)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=15), timedelta(hours=24)
MOST_FAILURES = 12  # then it is no longer read until the person asks for it


def read_again_at(failures: int, now: datetime) -> datetime | None:
    """Return when a person's own calendar is read next, after a number of failures in a row; None: no
    more."""
    if not failures:
        return now + _EVERY
    if failures >= MOST_FAILURES:
        return None
    doubled: int = 2 ** (failures - 1)
    return now + min(_FIRST_WAIT * doubled, _LONGEST_WAIT)


def must_expand(known_until: datetime | None, now: datetime) -> bool:
    """Say whether the events known so far end so soon that the calendar has to be read in full, changed or
    not."""
    return known_until is None or known_until < now + BUSY_AHEAD - timedelta(days=7)
