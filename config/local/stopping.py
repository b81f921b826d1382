"""Ctrl-C, a polite kill and a closed terminal all mean: stop what was started, in order.

The handler only takes note. Every wait of the launcher is a loop of short naps that looks
at the note, so a process is never lost between its start and the record of it.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequested(BaseException):
    """Somebody asked us to stop. Not an Exception, so that no retry swallows it."""


_received: list[int] = []
_holding_back: list[None] = []
_terminals: list[int] = []


def listen() -> None:
    """Call first. A hang-up that was being ignored (nohup) stays ignored."""
    signal.signal(signal.SIGINT, note)
    signal.signal(signal.SIGTERM, note)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, note)
        if sys.stdin and sys.stdin.isatty():
            _terminals.append(sys.stdin.fileno())


def note(signum: int, frame: FrameType | None = None) -> None:
    """Remembers a signal until a nap finds it."""
    _received.append(signum)


def take() -> list[int]:
    """The signals noted so far, which count as dealt with."""
    taken = _received.copy()
    del _received[: len(taken)]
    return taken


def check() -> None:
    """Raises `StopRequested` if somebody asked us to stop."""
    # The system tells only the first process of a terminal that it was closed; where that is
    # make itself, we would never hear of it.
    if _terminals and not os.isatty(_terminals[0]):
        _terminals.clear()
        note(signal.SIGHUP)
    if _received and not _holding_back:
        raise StopRequested


def nap(seconds: float) -> None:
    """Waits a moment, unless somebody asked us to stop."""
    check()
    time.sleep(seconds)
    check()


@contextmanager
def holding_back() -> Iterator[None]:
    """Naps inside do not raise: for stopping itself, which must run to its end."""
    _holding_back.append(None)
    try:
        yield
    finally:
        _holding_back.pop()


def exit_code() -> int:
    """As shells count: 128 and the signal that ended us."""
    return 128 + _received[0] if _received else 0
