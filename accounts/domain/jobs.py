"""Rules for background work: the lane of an effect, and when a failed one is tried again."""

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256

# An effect on our own books (messages written for the inbox among them) never waits behind a mail
# server, nor that behind the addresses of others: each lane has a job of its own. Mails of signing
# in share that of the letters and go before them: somebody waits for a code.
EFFECTS, SIGN_IN, LETTERS, CALLS = "effects", "sign-in", "letters", "calls"
LANES = (EFFECTS, SIGN_IN, LETTERS, CALLS)

MOST_ATTEMPTS = 12  # of an effect, over a little more than a day
_LONGEST = timedelta(hours=6)
_IN_HAND = timedelta(seconds=10)
_LONGEST_IN_HAND = timedelta(hours=1)


class Busy(Exception):
    """Another worker or a request is working on a row: a job skips it and finds it again later."""


def lane_of(kind: str, lanes: Mapping[str, str]) -> str:
    """Return the lane of a kind of effect: its own, or that of the part before its first full stop; by
    default the lane for our own books."""
    return lanes.get(kind) or lanes.get(kind.partition(".")[0], EFFECTS)


def again_in(attempts: int, name: str) -> timedelta:
    """Return how long to wait after the `attempts`-th failure: 2, 4, 8 ... minutes, at most six hours. It
    varies by up to a quarter with `name`, so that things that failed together are not all tried again
    together."""
    wait = min(timedelta(minutes=2 ** min(attempts, 20)), _LONGEST)
    digest = sha256(f"{name}:{attempts}".encode()).digest()
    return wait * (0.75 + 0.5 * digest[0] / 255)


def in_hand_for(attempts: int) -> timedelta:
    """Return how long a row stays reserved for the worker that has taken it for the `attempts`-th time. While
    the worker lives, its lock protects the row; if it dies, another may try after this time. The time grows
    with each attempt, so that a row that kills workers does not kill all of them."""
    doubled: int = 2 ** min(attempts - 1, 20)
    return min(_IN_HAND * doubled, _LONGEST_IN_HAND)
