"""Start processes with a log, recognise them after a restart, and stop them reliably."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.local import stopping
from config.local.checkout import LOGS, ROOT, shown, write_private
from config.local.console import Failed, say

PROC = Path("/proc")
_LOG_LIMIT = 5_000_000


def identity(pid: int) -> str | None:
    """Return a text that distinguishes this process from any other that had or will have its number.

    It is None if the process is gone, or has ended and only waits for its parent to collect its status.
    """
    if PROC.joinpath("self/stat").exists():
        try:
            # The name, in brackets, may hold anything; fields are counted after it.
            fields = PROC.joinpath(str(pid), "stat").read_text().rsplit(")", 1)[1].split()
            boot = PROC.joinpath("sys/kernel/random/boot_id").read_text().strip()
        except OSError:
            return None
        state, started = fields[0], fields[19]
        return None if state in "ZX" else f"{boot} {started}"
    answer = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, started = answer.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip()


@dataclass(frozen=True)
class Running:
    """A process that we, or an earlier launcher of this checkout, started."""

    pid: int
    identity: str
    place: str
    port: int = 0

    def is_alive(self) -> bool:
        return identity(self.pid) == self.identity

    def stop(self, *signals_and_patience: tuple[signal.Signals, float]) -> None:
        """Send each signal in turn and wait; finally kill everything that the process has started."""
        with stopping.holding_back():
            for number, patience in signals_and_patience:
                if not self.is_alive():
                    break
                _send(self.pid, number)
                deadline = time.monotonic() + patience
                while self.is_alive() and time.monotonic() < deadline:
                    time.sleep(0.05)
            if self.is_alive():
                _send(self.pid, signal.SIGKILL)
            for pid in orphans_of(self.pid):
                _send(pid, signal.SIGKILL)


class Record:
    """The pid file of a process. It outlives the launcher, and distinguishes the process from a later one
    with the same number."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, pid: int, port: int = 0) -> Running:
        running = Running(pid, identity(pid) or "gone", str(self.path), port)
        write_private(self.path, json.dumps(vars(running)))
        return running

    def last(self) -> Running | None:
        """Return the process that was written last, whether or not it runs; None if the file was copied from
        another checkout."""
        try:
            last = Running(**json.loads(self.path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return last if last.place == str(self.path) else None

    def read(self) -> Running | None:
        """Return the process if it is alive and still the one that was written, otherwise None."""
        last = self.last()
        return last if last and last.is_alive() else None

    def clear(self) -> None:
        self.path.unlink(missing_ok=True)


def orphans_of(pid: int) -> list[int]:
    """Return the processes of the group led by `pid` that work in this checkout.

    A server that was killed abruptly leaves its workers behind, which keep its port.
    """
    orphans = []
    for entry in PROC.glob("[0-9]*"):
        try:
            fields = entry.joinpath("stat").read_text().rsplit(")", 1)[1].split()
            ours = int(fields[2]) == pid and entry.joinpath("cwd").readlink() == ROOT
        except OSError:
            continue
        if ours and fields[0] not in "ZX":
            orphans.append(int(entry.name))
    return orphans


def start(
    command: Sequence[str | Path], log: Path, env: Mapping[str, str], cwd: Path = ROOT, **options: Any
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, so that Ctrl-C reaches only us; it writes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.is_file() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".old.log"))
    with log.open("ab") as sink:
        sink.write(f"--- {time.strftime('%Y-%m-%d %H:%M:%S')}\n".encode())
        sink.flush()
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
            **options,
        )


def run_to_end(
    what: str,
    command: Sequence[str | Path],
    env: Mapping[str, str],
    log: Path = LOGS / "prepare.log",
    **options: Any,
) -> None:
    """Run a command that must succeed; report now and then that it is alive, and show its log if it fails."""
    with running_beside(what, command, env, log, **options):
        pass


@contextmanager
def running_beside(
    what: str, command: Sequence[str | Path], env: Mapping[str, str], log: Path, **options: Any
) -> Iterator[None]:
    """Run a process beside the block: start it at once and wait for it at the end."""
    child = start(command, log, env, **options)
    try:
        yield
        began = told = time.monotonic()
        while child.poll() is None:
            stopping.nap(0.05)
            if time.monotonic() - told > 15:
                told = time.monotonic()
                say(f"  still running after {told - began:.0f} s")
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    if child.returncode:
        raise Failed(f"{what} failed (exit {child.returncode}). {last_lines(log)}")


def last_lines(log: Path, count: int = 20) -> str:
    """Return the end of a log for people to read, at most since the last start."""
    text = log.read_text(encoding="utf-8", errors="replace")[-20_000:] if log.is_file() else ""
    lines = text.rsplit("\n--- ", 1)[-1].splitlines()[1:][-count:]
    return "\n".join([f"The end of {shown(log)}:", *(f"    {line}" for line in lines)])


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
