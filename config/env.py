"""The environment, typed: what the process was given, else what the launcher wrote.

The launcher (`config/local`) starts bundled servers and writes their addresses to
`.local/env`. Reading this module starts nothing.
"""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
LOCAL_ENV = ROOT / ".local" / "env"


class Misconfigured(RuntimeError):
    """A setting is missing or cannot be read; the sentence says which and how to set it."""


def read_env_file(path: Path) -> dict[str, str]:
    """`NAME=value` lines; blank lines and lines that start with # are passed over."""
    if not path.is_file():
        return {}
    pairs = (
        line.split("=", 1)
        for line in path.read_text(encoding="utf-8").splitlines()
        if "=" in line and not line.lstrip().startswith("#")
    )
    return {name.strip(): value.strip() for name, value in pairs}


# The launcher's file counts only while no real server is named: half of one and half of
# the other would be a demonstration world with production data, or the other way round.
_written = {} if os.environ.get("DATABASE_URL") else read_env_file(LOCAL_ENV)


def text(name: str, default: str | None = None) -> str:
    """The value of `name`; `Misconfigured` if it is absent and has no default."""
    value = os.environ.get(name, _written.get(name, default))
    if value is None:
        raise Misconfigured(f"{name} is not set. See docs/operations.md.")
    return value


def flag(name: str, default: bool = False) -> bool:
    """1, true, yes, on (any case) are true; 0, false, no, off and empty are false."""
    value = text(name, "1" if default else "0").strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off", ""}:
        return False
    raise Misconfigured(f"{name} must be 1 or 0, not {value!r}.")


def number(name: str, default: int) -> int:
    value = text(name, str(default))
    try:
        return int(value)
    except ValueError:
        raise Misconfigured(f"{name} must be a whole number, not {value!r}.") from None


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def require_bundled(*urls: str) -> None:
    """`Misconfigured` unless every address is of a server that the launcher of this checkout
    started on loopback: it alone knows their passwords, which lie beside their files."""
    passwords = {path.read_text().strip() for path in LOCAL_ENV.parent.glob("*/password")}
    for url in urls:
        parts = urlsplit(url)
        if parts.hostname != "127.0.0.1" or parts.password not in passwords or parts.query:
            raise Misconfigured(
                "LOCAL_MODE is for the bundled servers alone: it opens demonstration accounts and "
                f"everybody's mail. A server at {parts.hostname} is named: unset LOCAL_MODE."
            )


def database(url: str) -> dict[str, object]:
    """Django's settings of a `postgresql://user:password@host:port/name` address."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise Misconfigured("DATABASE_URL must look like postgresql://user:password@host:5432/name")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
    }
