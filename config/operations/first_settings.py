"""Ask what a first installation needs and write its settings, for `install.sh --ask`.

It needs no settings itself. Each answer is checked by the rules of config/env.py, by which the processes read
it later. Without a terminal the answers come from a file of `NAME=value` lines.
"""

import grp
import os
import re
import secrets
import shlex
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from getpass import getpass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from config import env

REFUSED, WRONG, INTERRUPTED = 1, 2, 130
SETTINGS = "instrument-commons.env"
MOST_NAME = 100  # as of the site in `setup`
# One process of the web takes some 300 MB: below this much memory one is enough.
SMALL_BYTES = 3 << 30


@dataclass(frozen=True)
class Question:
    """A setting that is asked for. `check` reads it from the environment and raises `Misconfigured`; it is
    `needed` unless the answers before it make it meaningless."""

    name: str
    words: str
    default: str | None
    check: Callable[[], object]
    needed: Callable[[Mapping[str, str]], bool] = lambda _: True
    is_secret: bool = False


def _named(name: str) -> Callable[[], None]:
    def check() -> None:
        if not 0 < len(os.environ[name]) <= MOST_NAME:
            raise env.Misconfigured(f"{name} must be a name of at most {MOST_NAME} characters.")

    return check


def _administrator() -> None:
    try:
        validate_email(os.environ["ADMINISTRATOR_EMAIL"])
    except ValidationError:
        raise env.Misconfigured("ADMINISTRATOR_EMAIL must be an e-mail address.") from None


def _database() -> None:
    place = os.environ["DATABASE"]
    if "@" in place or "://" in place:
        raise env.Misconfigured("DATABASE must look like 127.0.0.1:5432/commons, without user and password.")
    env.database(f"postgresql://commons_web:x@{place}", {}, "DATABASE")


def questions() -> tuple[Question, ...]:
    """Return what is asked, in order."""
    broker = f"redis://:{secrets.token_hex(16)}@127.0.0.1:6379/0"
    return (
        Question("SITE_URL", "Address of the site", None, lambda: env.site(False)),
        Question("SITE_NAME", "Name of the site, in titles and mails", None, _named("SITE_NAME")),
        Question("ADMINISTRATOR_EMAIL", "E-mail of the first administrator", None, _administrator),
        Question("ADMINISTRATOR_NAME", "Their name", "Administrator", _named("ADMINISTRATOR_NAME")),
        Question("MAIL_HOST", "Mail server", "127.0.0.1", env.mail),
        Question("MAIL_TLS", "STARTTLS there, usually at port 587? 1 or 0", "0", env.mail),
        Question("MAIL_SSL", "TLS at once, usually at port 465? 1 or 0", "0", env.mail, _starts_plain),
        Question("MAIL_PORT", "Its port", None, env.mail),
        Question("MAIL_USER", "User there; empty for none", "", env.mail),
        Question("MAIL_PASSWORD", "Password there", None, env.mail, lambda a: bool(a["MAIL_USER"]), True),
        Question("MAIL_FROM", "Sender of mails", None, env.sender),
        Question("TIME_ZONE", "Time zone; empty: of the first region", "", lambda: env.zone("TIME_ZONE", "")),
        Question("DATABASE", "PostgreSQL, as host:port/database", "127.0.0.1:5432/commons", _database),
        Question("REDIS_URL", "Valkey", broker, lambda: env.redis("REDIS_URL"), is_secret=True),
    )


def _starts_plain(given: Mapping[str, str]) -> bool:
    return given["MAIL_TLS"].strip().lower() not in {"1", "true", "yes", "on"}


def _default(question: Question, given: Mapping[str, str]) -> str | None:
    if question.name == "MAIL_PORT":
        return str(env.mail()["port"])
    if question.name == "MAIL_FROM":
        return f"{given['SITE_NAME']} <no-reply@{urlsplit(given['SITE_URL']).hostname}>"
    return question.default


def _checked(question: Question, value: str) -> str:
    """Return what is wrong with an answer, as a sentence; empty if nothing is."""
    if re.search(r"[\x00-\x1f\x7f]", value):
        return f"{question.name} must be one line without control characters."
    os.environ[question.name] = value
    try:
        question.check()
    except env.Misconfigured as wrong:
        return str(wrong)
    return ""


def ask(before: Mapping[str, str]) -> dict[str, str]:
    """Ask for everything at the terminal, each question until its answer is right. `before`: earlier answers,
    which are offered."""
    given: dict[str, str] = {}
    for question in questions():
        if not question.needed(given):
            continue
        usual = before[question.name] if question.name in before else _default(question, given)
        is_new = question.name == "REDIS_URL" and question.name not in before
        shown = "a new password" if is_new else usual or ""
        shown = "as it is" if question.is_secret and question.name in before else shown
        words = f"{question.words}{f' [{shown}]' if shown else ''}: "
        while True:
            value = (getpass if question.is_secret else input)(words).strip() or usual or ""
            if not (wrong := _checked(question, value)):
                break
            _say(wrong)
        given[question.name] = value
    return given


def answers(lines: str, before: Mapping[str, str]) -> dict[str, str]:
    """Return the answers in `NAME=value` lines, completed by earlier ones and defaults. Raise `Misconfigured`
    with all that is wrong."""
    said, problems = dict(before), []
    asked = questions()
    for number, line in enumerate(lines.splitlines(), 1):
        name, _, words = line.partition("=")
        if name.strip() in {question.name for question in asked}:
            said[name.strip()] = _bare(words.strip())
        elif line.strip() and not line.lstrip().startswith("#"):
            problems.append(f"line {number}: {name.strip()} is not asked for.")
    given: dict[str, str] = {}
    for question in asked:
        if question.name == "MAIL_FROM" and problems and "MAIL_FROM" not in said:
            continue  # its default follows from what is wrong
        if not question.needed(given):
            continue
        value = said.get(question.name)
        if value is None and not problems:
            value = _default(question, given)
        elif value is None:
            value = question.default if question.name != "MAIL_PORT" else "25"
        if value is None:
            problems.append(f"{question.name} is missing: {question.words[0].lower()}{question.words[1:]}.")
        elif wrong := _checked(question, value):
            problems.append(wrong)
        given[question.name] = value or ""
    if problems:
        raise env.Misconfigured("\n".join(dict.fromkeys(problems)))
    return given


def _bare(value: str) -> str:
    with suppress(ValueError):
        return "".join(shlex.split(value)) if value[:1] in {"'", '"'} else value
    return value


def files(given: Mapping[str, str], old: Mapping[str, Mapping[str, str]], text: str) -> dict[str, str]:
    """Return the files of settings with their contents, the first as `text` with the answers in it. The key
    and the passwords of `old` files are kept: what is encrypted with them, and roles of the database, exist
    already."""
    was = old.get(SETTINGS, {})
    url = {role: _url(role, given["DATABASE"], old.get(name, {})) for role, name in ROLES.items()}
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    processes = 1 if memory < SMALL_BYTES else os.cpu_count() or 1
    values = {
        "SITE_URL": given["SITE_URL"],
        "SECRET_KEY": was.get("SECRET_KEY") or secrets.token_hex(32),
        "DATABASE_URL": url["web"],
        "REDIS_URL": given["REDIS_URL"],
        "GRANIAN_WORKERS": was.get("GRANIAN_WORKERS") or str(processes),
        **{name: value for name, value in given.items() if name.startswith(("MAIL_", "TIME_"))},
    }
    for name, value in values.items():
        line = f"{name}={shlex.quote(value)}" if value else f"#{name}="
        escaped = line.replace("\\", r"\\")  # nothing in a value is a reference to a group
        text, number = re.subn(rf"^#?{name}=.*$", escaped, text, count=1, flags=re.M)
        text += "" if number or not value else f"{line}\n"
    roles = (env.ROOT / "deploy/postgresql/1-superuser.sql").read_text("utf-8")
    for role in ROLES:
        password = unquote(urlsplit(url[role]).password or "").replace("'", "''")
        head = f"commons_{role} LOGIN PASSWORD "
        roles = roles.replace(f"{head}'choose-one'", f"{head}'{password}'")
    person = {"email": given["ADMINISTRATOR_EMAIL"], "name": given["ADMINISTRATOR_NAME"]}
    first = {"site": {"name": given["SITE_NAME"]}, "administrator": person}
    return {
        SETTINGS: text,
        "owner.env": f"DATABASE_URL={shlex.quote(url['owner'])}\n",
        "backup.env": f"DATABASE_URL={shlex.quote(url['backup'])}\n",
        "roles.sql": roles,
        "setup.yaml": yaml.safe_dump(first, allow_unicode=True, sort_keys=False),
    }


ROLES = {"owner": "owner.env", "web": SETTINGS, "backup": "backup.env"}


def _url(role: str, place: str, old: Mapping[str, str]) -> str:
    password = urlsplit(old.get("DATABASE_URL", "")).password or secrets.token_hex(16)
    return f"postgresql://commons_{role}:{password}@{place}"


def _read(folder: Path) -> dict[str, dict[str, str]]:
    pairs = {path.name: env.read_env_file(path) for path in folder.glob("*.env")}
    return {name: {key: _bare(value) for key, value in file.items()} for name, file in pairs.items()}


def _before(old: Mapping[str, Mapping[str, str]], folder: Path) -> dict[str, str]:
    """Return what was answered earlier, from the files that were written then."""
    told = {q.name: old[SETTINGS][q.name] for q in questions() if q.name in old.get(SETTINGS, {})}
    if url := old.get(SETTINGS, {}).get("DATABASE_URL"):
        told["DATABASE"] = url.rpartition("@")[2]
    if (path := folder / "setup.yaml").is_file():
        first = yaml.safe_load(path.read_text("utf-8"))
        told["SITE_NAME"] = first["site"]["name"]
        told |= {f"ADMINISTRATOR_{key.upper()}": value for key, value in first["administrator"].items()}
    return told


def _write(folder: Path, made: Mapping[str, str]) -> None:
    """Write all files, readable by root alone; `setup.yaml`, which has no secret, by the service, too."""
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    for name, text in made.items():
        new = folder / f".{name}.new"
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as f:
            f.write(text)
            if name == "setup.yaml":
                with suppress(LookupError, PermissionError):  # where there is no user yet, root hands it over
                    os.fchown(f.fileno(), -1, grp.getgrnam("instrument-commons").gr_gid)
                    os.fchmod(f.fileno(), 0o640)
    for name in made:
        (folder / f".{name}.new").replace(folder / name)
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fchmod(here, 0o711)
    finally:
        os.close(here)


NEXT = """Written to {folder}: {names}. Next, as root (deploy/README.md explains each):

  runuser -u postgres -- psql -v ON_ERROR_STOP=1 < {folder}/roles.sql    # where PostgreSQL is here
{valkey}  migrate, grants, units and proxy: deploy/README.md, from "cp -r systemd/*" on
  manage setup {folder}/setup.yaml    # the first administrator gets a mail
  manage doctor                       # what is missing or set wrong
"""
# The password is not shown.
VALKEY = """  sed -n 's/^REDIS_URL=.*:\\([0-9A-Za-z]*\\)@.*/requirepass \\1/p' \\
      {folder}/instrument-commons.env >> /etc/valkey/valkey.conf && systemctl restart valkey-server
"""


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")


def _complain(words: str) -> None:
    sys.stderr.write(f"{words}\n")


def main() -> int:
    """Ask, or read the answers, and write the files; 0 if all are written, and nothing is written else."""
    parser = ArgumentParser(prog="install.sh --ask")
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "answers", nargs="?", help="NAME=value lines in place of questions; - is standard input"
    )
    parser.add_argument("--overwrite", action="store_true", help="with answers: replace settings that exist")
    options = parser.parse_args()
    folder: Path = options.folder
    names = (*ROLES.values(), "roles.sql", "setup.yaml")
    try:
        there = [name for name in names if (folder / name).exists()]
        if there and not options.overwrite:
            words = f"{folder} has {', '.join(there)} already."
            if options.answers or input(f"{words} Replace (key and passwords stay)? y or n [n]: ") != "y":
                _complain(f"{words} Nothing was written; --overwrite replaces them.")
                return REFUSED
        old = _read(folder)
        before = _before(old, folder)
        if options.answers:
            text = sys.stdin.read() if options.answers == "-" else Path(options.answers).read_text("utf-8")
            given = answers(text, before)
        else:
            given = ask(before)
        start = folder / SETTINGS if SETTINGS in old else env.ROOT / "deploy" / SETTINGS
        _write(folder, files(given, old, start.read_text("utf-8")))
    except (KeyboardInterrupt, EOFError):
        _complain("\nNothing was written.")
        return INTERRUPTED
    except env.Misconfigured as wrong:
        _complain(f"{wrong}\nNothing was written.")
        return WRONG
    except (OSError, UnicodeDecodeError) as problem:
        _complain(f"{problem}. Run it as root, with a file that can be read.")
        return REFUSED
    is_near = re.fullmatch(r"redis://:[0-9A-Za-z]+@(127\.0\.0\.1|localhost)\b.*", given["REDIS_URL"])
    valkey = VALKEY.format(folder=folder) if is_near else ""
    _say(NEXT.format(folder=folder, names=", ".join(names), valkey=valkey))
    return 0


if __name__ == "__main__":
    sys.exit(main())
