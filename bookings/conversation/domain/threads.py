"""Decide what may be written in a conversation, whose answer it waits for, and when people are told."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from accounts.domain.errors import WrongState, invalid

HOST, REQUESTER = "host", "requester"
LONGEST_TEXT = 4000
MOST_AN_HOUR = 30  # of a person, in one conversation
MOST_COMMENTS = 500  # of a conversation: it is read whole
MOST_FILES = 4  # of a comment
WITHDRAWABLE = timedelta(minutes=15)
# Comments of the same stretch are told of together, at its end.
TOGETHER = timedelta(minutes=5)
ANSWER_WITHIN = timedelta(days=3)  # a proposed time lapses then


def other(side: str) -> str:
    return HOST if side == REQUESTER else REQUESTER


def check_text(text: str, *, is_needed: bool) -> str:
    """Return the text of a comment, trimmed, with uniform line ends; raise `Invalid` if it is too long, or
    missing although needed."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not text and is_needed:
        raise invalid("text", "required")
    if len(text) > LONGEST_TEXT:
        raise invalid("text", "too-long", most=LONGEST_TEXT)
    return text


def check_room(there: int, in_the_hour: int) -> None:
    """Raise `WrongState` if a conversation, or its writer within the last hour, has reached the limit of
    comments."""
    if there >= MOST_COMMENTS:
        raise WrongState("conversation-full", most=MOST_COMMENTS)
    if in_the_hour >= MOST_AN_HOUR:
        raise WrongState("too-many-comments", most=MOST_AN_HOUR)


def check_withdrawable(created_at: datetime, now: datetime) -> None:
    """Raise `WrongState` if a comment is too old to be withdrawn (a quarter of an hour)."""
    if now >= created_at + WITHDRAWABLE:
        raise WrongState("too-late-to-withdraw")


def told_at(created_at: datetime) -> datetime:
    """Return when people are told of a comment: at the end of the five-minute interval it was written in,
    together with all others written in it."""
    seconds = TOGETHER.total_seconds()
    past = created_at.timestamp() % seconds
    return created_at + timedelta(seconds=seconds - past)


def answer_until(now: datetime, moments: Iterable[datetime | None]) -> datetime:
    """Return until when a proposed time can be accepted: for three days, and at most until the first of those
    moments that are still ahead (the booking or the proposed time begins or ends, the request it is for
    expires)."""
    coming = [moment for moment in moments if moment is not None and moment > now]
    return min([now + ANSWER_WITHIN, *coming])


def state_of(state: str, *, until: datetime, proposed_for: int, version: int, now: datetime) -> str:
    """Return the state of a proposed time at a moment: an open one has lapsed once its time is over or the
    booking has changed."""
    if state == "open" and (until <= now or proposed_for != version):
        return "lapsed"
    return state
