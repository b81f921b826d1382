"""Files that the launcher keeps in this checkout, among them the one that settings read."""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from config.local import stopping

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
LOGS = LOCAL / "log"
ENV_FILE = LOCAL / "env"


def shown(path: Path) -> str:
    """Return a path as people in the checkout would type it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def read_env(path: Path) -> dict[str, str]:
    """Return the variables in a file by name, written as `NAME=value`; other lines are comments."""
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def write_env(path: Path, values: Mapping[str, str]) -> None:
    """Replace a file of variables in one step, readable by its owner only, because it holds passwords."""
    lines = ["# Written by the launcher at every start; settings read it."]
    lines += [f"{name}={value}" for name, value in values.items()]
    write_private(path, "\n".join(lines) + "\n")


def write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def kept_secret(path: Path) -> str:
    """Return a random word that is created once and then kept, so that sessions survive a restart."""
    if not path.is_file():
        write_private(path, secrets.token_hex(32) + "\n")
    return path.read_text(encoding="utf-8").strip()


def try_lock(file: IO[str], how: int) -> bool:
    """Try to take the lock, and return whether it worked. The system releases it when the process ends in any
    way."""
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def locked(path: Path, when_busy: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock `path` exclusively during the block. If it must wait, call `when_busy` once before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        if not try_lock(file, fcntl.LOCK_EX):
            if when_busy:
                when_busy()
            while not try_lock(file, fcntl.LOCK_EX):
                stopping.nap(0.2)
        yield
