"""Run one command that uses the terminal: a shell, a debugger in a test, a long import."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from config.local import stopping
from config.local.checkout import ROOT

PATIENCE = 15.0


def run(command: Sequence[str], env: Mapping[str, str]) -> int:
    """Run a command to its end and return its exit code. Raise `StopRequested` if we were asked to stop
    meanwhile; Ctrl-C that only interrupts something in a shell does not count."""
    child = subprocess.Popen(command, env=dict(env), cwd=ROOT)
    heard: list[int] = []
    asked_at = None
    try:
        while child.poll() is None:
            time.sleep(0.05)
            for number in stopping.take():
                heard.append(number)
                if number == signal.SIGINT and _terminal_told_it_too():
                    continue
                asked_at = asked_at or time.monotonic()
                child.send_signal(signal.SIGINT if number == signal.SIGINT else signal.SIGTERM)
            if asked_at and time.monotonic() - asked_at > PATIENCE:
                child.kill()
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
    code = child.returncode
    if heard and (code or asked_at):
        stopping.note(heard[0])
        stopping.check()
    return 128 - code if code < 0 else code


def _terminal_told_it_too() -> bool:
    """Return whether Ctrl-C went to our child too: a terminal sends it to all processes in its foreground,
    whereas other senders signal us alone."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False
