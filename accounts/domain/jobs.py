"""Work that nobody watches: in which lane an effect goes, and when what failed is tried again."""

from datetime import timedelta
from hashlib import sha256

# An effect on our own books (messages written for the inbox among them) never waits behind a mail
# server, nor that behind the addresses of others: each lane has a job of its own. Mails of signing
# in share that of the letters and go before them: somebody waits for a code.
EFFECTS, SIGN_IN, LETTERS, CALLS = "effects", "sign-in", "letters", "calls"
LANES = (EFFECTS, SIGN_IN, LETTERS, CALLS)
_LANE_OF = {
    "people.sign-in": SIGN_IN,
    "letter": LETTERS,
    "digest": LETTERS,
    "people": LETTERS,
    "invoice": LETTERS,
    "webhook": CALLS,
}

MOST_ATTEMPTS = 12  # of an effect, over a little more than a day
_LONGEST = timedelta(hours=6)
_IN_HAND = timedelta(seconds=10)
_LONGEST_IN_HAND = timedelta(hours=1)


class Busy(Exception):
    """Another worker or a request has it in hand: it is passed over, and found again."""


def lane_of(kind: str) -> str:
    """Return the lane of a kind, or of what stands before its first full stop; on our own books
    where nothing else is said."""
    return _LANE_OF.get(kind) or _LANE_OF.get(kind.partition(".")[0], EFFECTS)


def again_in(attempts: int, name: str) -> timedelta:
    """Return how long to wait after the `attempts`-th failure: 2, 4, 8 ... minutes, six hours at
    most, a quarter more or less by what `name` is, so that what failed together does not come again
    together."""
    wait = min(timedelta(minutes=2 ** min(attempts, 20)), _LONGEST)
    digest = sha256(f"{name}:{attempts}".encode()).digest()
    return wait * (0.75 + 0.5 * digest[0] / 255)


def in_hand_for(attempts: int) -> timedelta:
    """Return how long nobody else asks for what a worker has taken for the `attempts`-th time. Its
    lock says so while the worker lives; if it dies, this is when the next one may try: later each
    time, so that work which kills workers does not kill them all."""
    doubled: int = 2 ** min(attempts - 1, 20)
    return min(_IN_HAND * doubled, _LONGEST_IN_HAND)
