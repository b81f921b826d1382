"""Run a command of manage.py as systemd runs the units: with the same settings, as the same user
(`deploy/manage` calls it)."""

import os
import pwd
import sys
from collections.abc import Sequence
from pathlib import Path

ETC = Path("/etc/instrument-commons")
USER = "instrument-commons"
SETTINGS = "instrument-commons"
# What a command is given besides, as its unit is.
BESIDES = {"migrate": "owner", "file_search": "owner", "backup": "backup", "restore": "restore"}
KEPT = ("PATH", "TERM", "LANG", "LC_ALL")  # of the caller's environment
# Only web processes count for /metrics.
DROPPED = ("METRICS_TOKEN", "METRICS_TOKEN_FILE")


def environment_file(text: str) -> dict[str, str]:
    """Return what a file of settings holds, read as systemd reads an EnvironmentFile: nothing is expanded,
    quotes may enclose spaces and lines, a backslash takes the next character as it is."""
    values: dict[str, str] = {}
    rest = text.replace("\r\n", "\n")
    while rest:
        line, _, after = rest.partition("\n")
        name, is_one, _ = line.partition("=")
        if not is_one or line.lstrip()[:1] in {"#", ";"}:
            rest = after
            continue
        value, rest = _value(rest[len(name) + 1 :])
        values[name.strip()] = value
    return values


def _value(text: str) -> tuple[str, str]:
    """Return the value at the beginning of a text, and the lines after it."""
    out, quote, kept, at = "", "", 0, 0
    text = text.lstrip(" \t")
    while at < len(text):
        letter, following = text[at], text[at + 1 : at + 2]
        at += 1
        if not quote and letter == "\n":
            break
        if letter == "\\" and quote != "'" and following:
            at += 1
            if following != "\n":
                out += following if not quote or following in '"\\`$' else letter + following
            kept = len(out)
        elif quote and letter == quote:
            quote = ""
        elif not quote and letter in "\"'":
            quote = letter
        else:
            out += letter
            kept = kept if not quote and letter in " \t" else len(out)
    return out[:kept], text[at:]


def settings_of(words: Sequence[str], etc: Path) -> tuple[dict[str, str], list[str]]:
    """Return the environment of a command and its words. The files of settings count in the order in which
    units read them, and nothing else of the caller's environment does."""
    besides = BESIDES.get(words[0], "") if words else ""
    if words[:1] == ["--with"] and len(words) > 1:
        besides, words = words[1], words[2:]
    env = {name: os.environ[name] for name in KEPT if name in os.environ}
    for name in filter(None, (SETTINGS, besides)):
        env |= environment_file((etc / f"{name}.env").read_text(encoding="utf-8"))
    return {name: value for name, value in env.items() if name not in DROPPED}, list(words)


def become(name: str) -> None:
    """Go on as the user of the units, with what their processes may do and no more."""
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        sys.exit(
            f"There is no user {name}: useradd --system {name}, or name another in INSTRUMENT_COMMONS_USER."
        )
    os.initgroups(name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.umask(0o027)


def main(script: str, words: list[str]) -> None:
    etc = Path(os.environ.get("INSTRUMENT_COMMONS_ETC", ETC))
    env = dict(os.environ)
    env.pop("PYTHONPATH", None)
    if not (etc / f"{SETTINGS}.env").exists() and {"DATABASE_URL", "DATABASE_URL_FILE"} & env.keys():
        os.execve(sys.executable, [sys.executable, script, *words], env)  # noqa: S606 (the command itself)
    try:
        env, words = settings_of(words, etc)
    except OSError as problem:
        remedy = ": call it as root" if isinstance(problem, PermissionError) else ""
        sys.exit(f"{problem.filename} cannot be read ({problem.strerror}){remedy}.")
    if os.geteuid() == 0:
        become(os.environ.get("INSTRUMENT_COMMONS_USER", USER))
    os.execve(sys.executable, [sys.executable, script, *words], env)  # noqa: S606 (the command itself)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
