"""Sample items: their codes, and the steps they go through."""

import secrets
from collections.abc import Iterable, Mapping

from accounts.domain.errors import WrongState, invalid

# Digits and letters that nobody reads as another: no 0 O, no 1 I, no U beside V. Thirty-one of
# them, a prime, so that the check character tells every wrong and every swapped character.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTVWXYZ"
LENGTH = 8  # with the check character
MOST_AT_ONCE = 100  # samples of an act, or of a booking

OWNER, HOST = "owner", "host"
BOTH = frozenset({OWNER, HOST})
_OWNER, _HOST = frozenset({OWNER}), frozenset({HOST})

# From a state to another, and whose step that is. A step to the state it has already corrects what
# the last one said; one that leads back corrects a mistake: nothing is ever edited.
STEPS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "announced": {
        "shipped": _OWNER,
        "received": _HOST,
        "refused": _HOST,
        "cancelled": _OWNER,
    },
    "shipped": {
        "received": _HOST,
        "refused": _HOST,
        "shipped": _OWNER,
        "announced": _OWNER,
        "returned": _OWNER,
        "lost": BOTH,
    },
    "received": {
        "in_work": _HOST,
        "measured": _HOST,
        "return_shipped": _HOST,
        "returned": BOTH,
        "kept": _HOST,
        "discarded": _HOST,
        "refused": _HOST,
        "received": _HOST,
        "shipped": _HOST,
        "lost": _HOST,
    },
    "refused": {
        "return_shipped": _HOST,
        "returned": BOTH,
        "discarded": _HOST,
        "received": _HOST,
        "lost": _HOST,
    },
    "in_work": {
        "measured": _HOST,
        "received": _HOST,
        "discarded": _HOST,
        "lost": _HOST,
    },
    "measured": {
        "return_shipped": _HOST,
        "returned": BOTH,
        "kept": _HOST,
        "discarded": _HOST,
        "in_work": _HOST,
        "lost": _HOST,
    },
    "return_shipped": {
        "returned": BOTH,
        "return_shipped": _HOST,
        "measured": _HOST,
        "received": _HOST,
        "lost": BOTH,
    },
    "returned": {
        "announced": _OWNER,
        "return_shipped": _HOST,
    },
    "discarded": {"received": _HOST, "measured": _HOST},
    "kept": {
        "in_work": _HOST,
        "return_shipped": _HOST,
        "returned": BOTH,
        "discarded": _HOST,
        "lost": _HOST,
    },
    "lost": {"shipped": BOTH, "received": _HOST, "returned": BOTH},
    "cancelled": {"announced": _OWNER},
}
COMING = frozenset({"announced", "shipped"})
HERE = frozenset({"received", "in_work", "measured", "kept"})
TO_RETURN = frozenset({"measured", "refused"})
# What the owner may still change, and take off a booking: it lies with nobody else.
WITH_OWNER = frozenset({"announced", "returned", "cancelled"})
# What can be measured no more.
GONE = frozenset({"discarded", "lost", "cancelled"})
NEEDS_NOTE = frozenset({"refused", "lost", "discarded"})
CARRIED = frozenset({"shipped", "return_shipped"})


def new_code() -> str:
    """A code by chance, of characters that cannot be mistaken, with its check character."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
    return body + check_character(body)


def check_character(body: str) -> str:
    """The character that makes the sum of all, each times its place, nought modulo 31."""
    total = sum(place * ALPHABET.index(one) for place, one in enumerate(body, start=1))
    # The check character stands at place 8, whose inverse modulo 31 is 4: 8 · 4 = 32.
    return ALPHABET[-total * 4 % len(ALPHABET)]


def code_in(text: str) -> str:
    """A code as it was typed or scanned, an address of ours too: without spaces and dashes, in
    capitals. `Invalid` where it is none, or mistyped."""
    last = text.strip().rstrip("/").rpartition("/")[2]
    code = "".join(one for one in last.upper() if one.isalnum())
    if len(code) != LENGTH or not set(code) <= set(ALPHABET):
        raise invalid("code", "not-a-sample-code")
    if check_character(code[:-1]) != code[-1]:
        raise invalid("code", "mistyped-code")
    return code


def code_text(code: str) -> str:
    """A code as people read it: `ABCD-EFGH`."""
    return f"{code[:4]}-{code[4:]}"


def next_states(state: str, sides: Iterable[str]) -> list[str]:
    """What somebody on these sides may make of a sample, in the order of the table."""
    own = set(sides)
    return [new for new, whose in STEPS[state].items() if whose & own]


def require_step(code: str, state: str, new: str, sides: Iterable[str]) -> None:
    """`WrongState` unless somebody on these sides may make the step; it names the sample."""
    if new not in next_states(state, sides):
        raise WrongState("sample-step", sample=code_text(code), state=state, wanted=new)
