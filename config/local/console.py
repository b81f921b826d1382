"""Print short plain lines about what is going on."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Failed(Exception):
    """A problem that the user must know and fix; its sentence is shown without a traceback."""


def say(text: str = "") -> None:
    """Print at once. If the terminal is gone, ignore that, so that stopping what runs can continue."""
    with suppress(OSError):
        print(text, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Print what begins, and afterwards how long it took if that was noticeable."""
    say(f"{text} ...")
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    if took >= 2:
        say(f"  done in {took:.0f} s")
