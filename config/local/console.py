"""Short plain lines about what is going on."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Failed(Exception):
    """Something that the reader must know and mend; the sentence is shown without a trace."""


def say(text: str = "") -> None:
    """Prints at once. A terminal that has gone must not keep us from stopping what runs."""
    with suppress(OSError):
        print(text, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Says what begins, and how long it took if that was noticeable."""
    say(f"{text} ...")
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    if took >= 2:
        say(f"  done in {took:.0f} s")
