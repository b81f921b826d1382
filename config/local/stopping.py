"""Treat Ctrl-C, a kill and a closed terminal alike: stop in order what was started.

The signal handler only notes the signal. Every wait of the launcher is a loop of short naps that check the
note, so that no process is lost between its start and the writing of its pid file.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequested(BaseException):
    """Somebody asked us to stop. It is not an Exception, so that no retry swallows it."""


_received: list[int] = []
_holding_back: list[None] = []
_terminals: list[int] = []


def listen() -> None:
    """Install the signal handlers; to be called first. A hang-up signal that is being ignored (nohup) stays
    ignored."""
    signal.signal(signal.SIGINT, note)
    signal.signal(signal.SIGTERM, note)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, note)
        if sys.stdin and sys.stdin.isatty():
            _terminals.append(sys.stdin.fileno())


def note(signum: int, frame: FrameType | None = None) -> None:
    """Remember a signal until a nap finds it."""
    _received.append(signum)


def take() -> list[int]:
    """Return the signals noted so far, and forget them."""
    taken = _received.copy()
    del _received[: len(taken)]
    return taken


def check() -> None:
    """Raise `StopRequested` if somebody asked us to stop."""
    # The system tells only the first process of a terminal that it was closed; where that is
    # make itself, we would never hear of it.
    if _terminals and not os.isatty(_terminals[0]):
        _terminals.clear()
        note(signal.SIGHUP)
    if _received and not _holding_back:
        raise StopRequested


def nap(seconds: float) -> None:
    """Wait for some seconds; raise `StopRequested` if somebody asks us to stop."""
    check()
    time.sleep(seconds)
    check()


@contextmanager
def holding_back() -> Iterator[None]:
    """Keep `nap` and `check` inside the block from raising `StopRequested`, so that stopping itself runs to
    its end."""
    _holding_back.append(None)
    try:
        yield
    finally:
        _holding_back.pop()


def exit_code() -> int:
    """Return the exit code by the convention of shells: 128 plus the number of the signal that ended us."""
    return 128 + _received[0] if _received else 0
