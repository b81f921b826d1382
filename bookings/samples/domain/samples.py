"""Sample items: their codes, and the steps that they go through."""

import secrets
from collections.abc import Iterable, Mapping, Sequence

from accounts.domain.errors import WrongState, invalid

# Digits and letters that cannot be confused: no 0 or O, no 1 or I, no U beside V. There are thirty-one, a
# prime, so that the check character detects every wrong and every swapped character.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTVWXYZ"
LENGTH = 8  # with the check character
MOST_AT_ONCE = 100  # samples in one act, or on one booking

OWNER, HOST = "owner", "host"
BOTH = frozenset({OWNER, HOST})
_OWNER, _HOST = frozenset({OWNER}), frozenset({HOST})

# The steps from a state to another, and whose they are. A step to the present state corrects the details of
# the last one; one that leads back corrects a mistake: nothing is ever edited.
STEPS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "announced": {"shipped": _OWNER, "received": _HOST, "refused": _HOST, "cancelled": _OWNER},
    "shipped": {
        "received": _HOST,
        "refused": _HOST,
        "announced": _OWNER,
        "returned": _OWNER,
        "lost": BOTH,
        "shipped": _OWNER,
    },
    "received": {
        "in_work": _HOST,
        "measured": _HOST,
        "return_shipped": _HOST,
        "returned": BOTH,
        "kept": _HOST,
        "discarded": _HOST,
        "refused": _HOST,
        "shipped": _HOST,
        "lost": _HOST,
        "received": _HOST,
    },
    "refused": {
        "return_shipped": _HOST,
        "returned": BOTH,
        "discarded": _HOST,
        "received": _HOST,
        "lost": _HOST,
    },
    "in_work": {"measured": _HOST, "received": _HOST, "discarded": _HOST, "lost": _HOST},
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
        "measured": _HOST,
        "received": _HOST,
        "lost": BOTH,
        "return_shipped": _HOST,
    },
    "returned": {"announced": _OWNER, "return_shipped": _HOST},
    "discarded": {"received": _HOST, "measured": _HOST},
    "kept": {"in_work": _HOST, "return_shipped": _HOST, "returned": BOTH, "discarded": _HOST, "lost": _HOST},
    "lost": {"shipped": BOTH, "received": _HOST, "returned": BOTH},
    "cancelled": {"announced": _OWNER},
}
# What usually comes after a state, which forms suggest; never the state itself.
NEXT: Mapping[str, tuple[str, ...]] = {
    "announced": ("received", "shipped"),
    "shipped": ("received",),
    "received": ("in_work",),
    "in_work": ("measured",),
    "measured": ("return_shipped",),
    "refused": ("return_shipped",),
    "return_shipped": ("returned",),
}
COMING = frozenset({"announced", "shipped"})
HERE = frozenset({"received", "in_work", "measured", "kept"})
UNDER_WAY = frozenset(
    {"announced", "shipped", "received", "in_work", "measured", "refused", "return_shipped"}
)
TO_RETURN = frozenset({"measured", "refused"})
# States in which the owner may still change a sample and remove it from a booking, as nobody else has it.
WITH_OWNER = frozenset({"announced", "returned", "cancelled"})
# States in which it can be chosen for a booking: on its way to a host, or there. A sample that came back is
# announced again first.
USABLE = frozenset({"announced", "shipped", "received", "in_work", "measured", "kept"})
NEEDS_NOTE = frozenset({"refused", "lost", "discarded"})
CARRIED = frozenset({"shipped", "return_shipped"})


def new_code() -> str:
    """Return a random code of characters that cannot be confused, with its check character."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
    return body + check_character(body)


def check_character(body: str) -> str:
    """Return the check character, with which the sum of all characters, each times its position, is 0 modulo
    31."""
    total = sum(place * ALPHABET.index(one) for place, one in enumerate(body, start=1))
    # The check character stands at place 8, whose inverse modulo 31 is 4: 8 · 4 = 32.
    return ALPHABET[-total * 4 % len(ALPHABET)]


def code_in(text: str) -> str:
    """Return the code in a text that was typed or scanned, possibly as an address of this platform: in
    capitals, without spaces and dashes. Raise `Invalid` if it is not a code, or mistyped."""
    last = text.strip().rstrip("/").rpartition("/")[2]
    code = "".join(one for one in last.upper() if one.isalnum())
    if len(code) != LENGTH or not set(code) <= set(ALPHABET):
        raise invalid("code", "not-a-sample-code")
    if check_character(code[:-1]) != code[-1]:
        raise invalid("code", "mistyped-code")
    return code


def code_text(code: str) -> str:
    """Return a code as people read it: `ABCD-EFGH`."""
    return f"{code[:4]}-{code[4:]}"


def next_states(state: str, sides: Iterable[str]) -> list[str]:
    """Return the states that somebody on these sides may give a sample, in the order of the table."""
    own = set(sides)
    return [new for new, whose in STEPS[state].items() if whose & own]


def expected_state(state: str, sides: Iterable[str]) -> str:
    """Return the state that usually follows a state of a sample, if somebody on these sides may give it; else
    nothing."""
    return next((new for new in NEXT.get(state, ()) if new in next_states(state, sides)), "")


def awaited_state(state: str, sides: Iterable[str]) -> str:
    """Return the state that usually follows and that only the other side may give; else nothing."""
    return "" if expected_state(state, sides) else next(iter(NEXT.get(state, ())), "")


def require_step(code: str, state: str, new: str, sides: Iterable[str]) -> None:
    """Raise `WrongState`, naming the sample, unless somebody on these sides may record the step."""
    if new not in next_states(state, sides):
        raise WrongState("sample-step", sample=code_text(code), state=state, wanted=new)


# How many days it takes from posting until work can begin, where the facility has not said, and at most.
USUAL_DAYS, MOST_DAYS = 3, 14


def is_sent_in(offered: Sequence[str], mode: str | None) -> bool:
    """Say whether samples are sent in: in this way of working or, if none is chosen, as an instrument offers
    no other."""
    return mode == "entrusted" if mode else list(offered) == ["entrusted"]
