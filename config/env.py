"""Typed access to environment variables: those of the process, else those that the launcher wrote.

The launcher (`config/local`) starts bundled servers and writes their addresses to `.local/env`. Importing
this module starts nothing.
"""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from email.utils import parseaddr
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit
from zoneinfo import available_timezones

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

ROOT = Path(__file__).resolve().parent.parent
LOCAL_ENV = ROOT / ".local" / "env"
DEVELOPED = "+dev"  # what a checkout appends to the version that it becomes


class Misconfigured(SystemExit):
    """A setting is missing or cannot be read; the sentence says which and how to set it. It ends the process
    with that sentence alone, whatever the process is: a command, a web process, a worker."""


# What is wrong, while settings are read: all of it is told at once. None outside.
_problems: list[str] | None = None


def begin() -> None:
    """Note from now on what is wrong, in place of stopping at the first: the readers below return something
    of the right type instead."""
    global _problems
    _problems = []


def end() -> None:
    """Raise `Misconfigured` if anything was wrong since `begin`, with a sentence for each setting."""
    global _problems
    told, _problems = _problems or [], None
    if told:
        lines = "".join(f"\n- {words}" for words in told)
        raise Misconfigured(told[0] if len(told) == 1 else f"{len(told)} settings are wrong:{lines}")


def reader[**P, T, S](stand_in: S) -> Callable[[Callable[P, T]], Callable[P, T | S]]:
    """Let a function that raises `Misconfigured` note the sentence and return `stand_in` while settings are
    read. Of each setting the first sentence counts: what follows from it is no news."""

    def wrap(read: Callable[P, T]) -> Callable[P, T | S]:
        @wraps(read)
        def told(*args: P.args, **kwargs: P.kwargs) -> T | S:
            try:
                return read(*args, **kwargs)
            except Misconfigured as wrong:
                if _problems is None:
                    raise
                words = str(wrong)
                if words.split()[0] not in {known.split()[0] for known in _problems}:
                    _problems.append(words)
                return stand_in

        return told

    return wrap


def version() -> str:
    """Return the version in the file VERSION of a release: that of pyproject.toml, with the commit appended
    if it was packed before the version was released. In a checkout return that of pyproject.toml, marked."""
    told = ROOT / "VERSION"
    if told.is_file():
        return told.read_text("utf-8").strip()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return f"{project['version']}{DEVELOPED}"


def read_env_file(path: Path) -> dict[str, str]:
    """Read `NAME=value` lines; blank lines and lines that start with # are skipped."""
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
_is_named = os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE")
_written = {} if _is_named else read_env_file(LOCAL_ENV)


# How those look that have no default.
REQUIRED = {
    "DATABASE_URL": "postgresql://user:password@host:5432/name",
    "REDIS_URL": "redis://:password@host:6379/0",
    "SECRET_KEY": "the output of: openssl rand -hex 32",
    "SITE_URL": "https://instruments.example.org",
}


@reader("")
def text(name: str, default: str | None = None) -> str:
    """Return the value of `name`, or the contents of the file that `name_FILE` names, the usual way to pass
    secrets to containers and units. Raise `Misconfigured` if both are set, or neither is and there is no
    default."""
    if path := os.environ.get(f"{name}_FILE"):
        if name in os.environ:
            raise Misconfigured(f"{name} and {name}_FILE are both set: which one counts?")
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as problem:
            raise Misconfigured(f"{name}_FILE cannot be read: {problem}") from None
    value = os.environ.get(name, _written.get(name, default))
    if value is None:
        wanted = f"It must look like {REQUIRED[name]}" if name in REQUIRED else "See docs/operations.md."
        raise Misconfigured(f"{name} is not set. {wanted}")
    return value


@reader(False)
def flag(name: str, default: bool = False) -> bool:
    """Return the switch in the variable `name`: 1, true, yes, on (any case) are true; 0, false, no, off and
    empty are false."""
    value = text(name, "1" if default else "0").strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off", ""}:
        return False
    raise Misconfigured(f"{name} must be 1 or 0, not {value!r}.")


@reader(0)
def number(name: str, default: int, least: int = 0) -> int:
    """Return the whole number in the variable `name`, `least` or more."""
    value = text(name, str(default))
    if not re.fullmatch(r"\s*[+-]?[0-9]{1,15}\s*", value) or int(value) < least:
        raise Misconfigured(f"{name} must be a whole number, {least} or more, not {value!r}.")
    return int(value)


@reader("INFO")
def log_level() -> str:
    """Return `LOG_LEVEL`, from which on lines are logged."""
    value, known = text("LOG_LEVEL", "INFO"), ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
    if value not in known:
        raise Misconfigured(f"LOG_LEVEL must be one of {', '.join(known)}, not {value!r}.")
    return value


@reader("1/min")
def rate(name: str, default: str) -> str:
    """Return a limit such as `600/min`."""
    value = text(name, default)
    if not re.fullmatch(r"[0-9]+/(s|sec|second|m|min|minute|h|hour|d|day)", value):
        raise Misconfigured(f"{name} must look like 600/min (s, min, hour, day), not {value!r}.")
    return value


@reader(False)
def debug(local: bool) -> bool:
    value = flag("DEBUG")
    if value and not local:
        raise Misconfigured("DEBUG shows what is in the process to everybody: in local mode only.")
    return value


@reader("")
def origin(name: str) -> str:
    """Return the address of a site without a path, or nothing."""
    value = text(name, "").rstrip("/")
    parts = _web_address(value) if value else None
    if value and (parts is None or parts.path or parts.query or parts.username):
        raise Misconfigured(f"{name} must look like https://uploads.example.org, not {value!r}.")
    return value


@reader("")
def address(name: str) -> str:
    """Return a web address, or nothing."""
    value = text(name, "")
    if value and _web_address(value) is None:
        raise Misconfigured(f"{name} must look like https://example.org/page, not {value!r}.")
    return value


@reader(list[str]())
def origins(name: str, default: str) -> list[str]:
    """Return addresses of sites, with commas between them; `*.` may begin a host."""
    values = words(name, default)
    for value in values:
        if (parts := _web_address(value)) is None or parts.path or parts.query:
            raise Misconfigured(f"{name} must look like https://a.example.org,https://b.example.org")
    return values


@reader(list[str]())
def words(name: str, default: str = "") -> list[str]:
    """Return the items of the comma-separated list in the variable `name`."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


@reader(None)
def require_bundled(*urls: str) -> None:
    """Raise `Misconfigured` unless every address is that of a bundled server, which the launcher of this
    checkout has started on loopback. Only the launcher knows their passwords, which are stored beside their
    files."""
    passwords = {path.read_text().strip() for path in LOCAL_ENV.parent.glob("*/password")}
    for url in urls:
        parts = urlsplit(url)
        if parts.hostname != "127.0.0.1" or parts.password not in passwords or parts.query:
            raise Misconfigured(
                "LOCAL_MODE is for the bundled servers alone: it opens demonstration accounts and "
                f"everybody's mail. A server at {parts.hostname} is named: unset LOCAL_MODE."
            )


ENCODED = "; in a password everything but letters and digits is written as %XX"
# What the platform sets on each connection, so that an address may not set it otherwise.
OURS = frozenset({"options", "application_name", "client_encoding"})

MOST_PORT = 65_535
# A server that lost its power or its network says nothing any more. The system would wait for it
# for a quarter of an hour, and for the answer to what arrived before for hours.
SILENCE = {"keepalives_idle": 5, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}


@reader(dict[str, object]())
def database(url: str, ours: Mapping[str, object], name: str = "DATABASE_URL") -> dict[str, object]:
    """Return Django's settings for a database address in libpq's form: postgresql://user:password@host/name,
    with several hosts and any parameter of libpq (`sslmode`, `target_session_attrs`, `host` as the folder of
    a socket). `ours` are options of every connection. Raise `Misconfigured` for a parameter that libpq does
    not know or that only the platform may set."""
    if url.partition("://")[0] not in {"postgres", "postgresql"}:
        raise Misconfigured(f"{name} must look like postgresql://user:password@host:5432/name")
    try:
        given = conninfo_to_dict(url)
    except ProgrammingError as problem:
        # What it quotes may be the password, or a part of it; names of parameters are none.
        words = str(problem).partition("\n")[0]
        if "query parameter" not in words:
            words = words.partition('"')[0].rstrip(": ") + ENCODED
        raise Misconfigured(f"{name} cannot be read: {words}") from None
    if taken := sorted(OURS & given.keys()):
        raise Misconfigured(f"{name} sets {', '.join(taken)}, which the platform sets.")
    if not given.get("dbname"):
        raise Misconfigured(f"{name} names no database: postgresql://user:password@host/name")
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host"}
    settings: dict[str, object] = {key: given.pop(word, "") for key, word in names.items()}
    settings["PORT"] = ports = str(given.pop("port", "") or "")
    for port in filter(None, ports.split(",")):
        if not (port.isdecimal() and 1 <= int(port) <= MOST_PORT):
            raise Misconfigured(f"{name} must have a port from 1 to {MOST_PORT}.")
    return {
        "ENGINE": "config.database",
        **settings,
        "OPTIONS": {"connect_timeout": 5, **SILENCE, **given, **ours},
    }


@reader("")
def zone(name: str, default: str) -> str:
    """Return a time zone such as `Asia/Shanghai`; empty if none is named and there is no default."""
    value = text(name, default)
    if value and value not in available_timezones():
        raise Misconfigured(f"{name} must be a time zone such as Asia/Shanghai, not {value!r}.")
    return value


@reader("redis://")
def redis(name: str, default: str | None = None) -> str:
    """Return the `redis://` or `rediss://` address in the variable `name`; raise `Misconfigured` if it
    switches off the check of TLS certificates."""
    url = text(name, default)
    unread = Misconfigured(f"{name} must look like redis://:password@host:6379/0 (rediss: TLS){ENCODED}")
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 (read to be checked)
    except ValueError:  # its words may hold the password
        raise unread from None
    if parts.scheme != "unix" and (
        parts.scheme not in {"redis", "rediss"} or parts.path.strip("/0123456789")
    ):
        raise unread
    checks = parse_qs(parts.query).get("ssl_cert_reqs", ["required"])
    if checks != ["required"]:
        raise Misconfigured(f"{name} switches off the check of the server's certificate.")
    return url


@reader(None)
def bucket(local: bool) -> dict[str, object] | None:
    """Return the options of the bucket that `MEDIA_BUCKET` names, or None. Raise `Misconfigured` if a folder
    is named too, if the options are incomplete, or if the address has no TLS and is neither on this machine
    nor in local mode. Without keys, boto3 looks for them in its usual places."""
    names = ("BUCKET", "ENDPOINT", "REGION", "ADDRESSING", "ACCESS_KEY", "SECRET_KEY")
    given = {name: value for name in names if (value := text(f"MEDIA_{name}", ""))}
    if not given:
        return None
    if "BUCKET" not in given:
        raise Misconfigured(f"MEDIA_{next(iter(given))} is set, MEDIA_BUCKET is not: which bucket?")
    if text("MEDIA_ROOT", ""):
        raise Misconfigured("MEDIA_ROOT and MEDIA_BUCKET are both set: folder or bucket?")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", given["BUCKET"]):
        raise Misconfigured(f"MEDIA_BUCKET must be a bucket's bare name, not {given['BUCKET']!r}.")
    if ("ACCESS_KEY" in given) != ("SECRET_KEY" in given):
        raise Misconfigured("MEDIA_ACCESS_KEY and MEDIA_SECRET_KEY are given both or neither.")
    style = given.get("ADDRESSING", "auto")
    if style not in {"auto", "path", "virtual"}:
        raise Misconfigured(f"MEDIA_ADDRESSING must be auto, path or virtual, not {style!r}.")
    if "ENDPOINT" in given:
        parts = urlsplit(given["ENDPOINT"])
        extra = parts.path.strip("/") or parts.query or parts.username
        if parts.scheme not in {"http", "https"} or not parts.hostname or extra:
            raise Misconfigured("MEDIA_ENDPOINT must look like https://s3.example.org")
        is_near = local or parts.hostname in {"127.0.0.1", "::1", "localhost"}
        if parts.scheme == "http" and not is_near:
            raise Misconfigured("MEDIA_ENDPOINT must begin with https://: uploads travel over it.")
    options: dict[str, object] = {
        "bucket_name": given["BUCKET"],
        "endpoint_url": given.get("ENDPOINT"),
        "region_name": given.get("REGION"),
        "addressing_style": style,
    }
    if "ACCESS_KEY" in given:
        keys = {"access_key": given["ACCESS_KEY"], "secret_key": given["SECRET_KEY"]}
        # Nothing that the environment has for other programs is mixed with them.
        options |= keys | {"security_token": None, "session_profile": None}
    return options


@reader("platform")
def results_from(has_bucket: bool) -> str:
    """Return what sends the files of results: the `platform` itself, the `proxy` in front of it, which reads
    the folder, or the `bucket`. Raise `Misconfigured` for another word and for a choice that does not fit
    `MEDIA_BUCKET`."""
    sender = text("RESULTS_FROM", "platform")
    if sender not in {"platform", "proxy", "bucket"}:
        raise Misconfigured(f"RESULTS_FROM must be platform, proxy or bucket, not {sender!r}.")
    if sender != "platform" and (sender == "bucket") != has_bucket:
        lacks = "MEDIA_BUCKET is not set" if sender == "bucket" else "MEDIA_BUCKET is set"
        raise Misconfigured(f"RESULTS_FROM={sender}, but {lacks}.")
    return sender


@reader("")
def secret_key(local: bool) -> str:
    """Return `SECRET_KEY`; raise `Misconfigured` for one that can be guessed, by the rules of `check
    --deploy`."""
    key = text("SECRET_KEY")
    if not local and (len(key) < 50 or len(set(key)) < 5 or key.startswith("django-insecure-")):
        raise Misconfigured(
            "SECRET_KEY must be at least 50 random characters: "
            'python -c "import secrets; print(secrets.token_urlsafe(50))"'
        )
    return key


@reader(("", list[str]()))
def site(local: bool) -> tuple[str, list[str]]:
    """Return `SITE_URL` and `ALLOWED_HOSTS`, which always contains the site's own host. Raise `Misconfigured`
    outside local mode for a site without https, and for hosts that admit any name."""
    url = text("SITE_URL", "http://127.0.0.1:8000" if local else None).rstrip("/")
    parts = urlsplit(url)
    hosts = words("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]" if local else parts.hostname or "")
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
        raise Misconfigured("SITE_URL must look like https://instruments.example.org")
    if local:
        return url, hosts
    if parts.scheme != "https":
        raise Misconfigured("SITE_URL must begin with https://: passwords travel over it.")
    if "*" in hosts:
        raise Misconfigured("ALLOWED_HOSTS must name the site's hosts: * lets links lead elsewhere.")
    if not any(parts.hostname == h or (h[:1] == "." and parts.hostname.endswith(h)) for h in hosts):
        raise Misconfigured(f"ALLOWED_HOSTS must name {parts.hostname}, the host of SITE_URL.")
    return url, hosts


@reader("")
def sender() -> str:
    """Return `MAIL_FROM`, the sender of mails; raise `Misconfigured` if it contains no address."""
    value = text("MAIL_FROM", "Instrument Commons <no-reply@localhost>")
    if "@" not in parseaddr(value)[1]:
        raise Misconfigured("MAIL_FROM must hold an address, as Instrument Commons <no-reply@example.org>")
    return value


@reader(0)
def _port(name: str, default: int) -> int:
    port = number(name, default, least=1)
    if port > MOST_PORT:
        raise Misconfigured(f"{name} must be from 1 to {MOST_PORT}, not {port}.")
    return port


@reader(dict[str, object]())
def mail() -> dict[str, object]:
    """Return the options of the mail server; raise `Misconfigured` if both kinds of TLS are set."""
    starts_tls, is_tls = flag("MAIL_TLS"), flag("MAIL_SSL")
    port = _port("MAIL_PORT", 465 if is_tls else 587 if starts_tls else 25)
    if starts_tls and is_tls:
        raise Misconfigured("MAIL_TLS (STARTTLS) and MAIL_SSL (TLS at once) exclude one another.")
    return {
        "host": text("MAIL_HOST", "localhost"),
        "port": port,
        "username": text("MAIL_USER", ""),
        "password": text("MAIL_PASSWORD", ""),
        "use_tls": starts_tls,
        "use_ssl": is_tls,
        "timeout": 20,
    }


@reader(None)
def sentry() -> dict[str, Any] | None:
    """Return where errors are reported, as arguments of `sentry_sdk.init`; None if they are not. Raise
    `Misconfigured` for an address without a project's key or number, and for a share of requests to trace
    that is not a ratio."""
    dsn, share = text("SENTRY_DSN", ""), text("SENTRY_TRACES_SAMPLE_RATE", "")
    try:
        rate = float(share) if share else None
    except ValueError:
        rate = -1.0
    if rate is not None and not 0 <= rate <= 1:
        raise Misconfigured(f"SENTRY_TRACES_SAMPLE_RATE must be from 0 to 1, not {share!r}.")
    if not dsn:
        return None
    parts = _web_address(dsn)
    # Not shown: it has a key.
    if parts is None or not parts.username or not parts.path.rpartition("/")[2].isdecimal():
        raise Misconfigured("SENTRY_DSN must look like https://key@sentry.example.org/1")
    environment = text("SENTRY_ENVIRONMENT", "production")
    return {"dsn": dsn, "environment": environment, "traces_sample_rate": rate}


@reader(None)
def otlp() -> dict[str, Any] | None:
    """Return where traces are sent, as arguments of OpenTelemetry's exporter, which reads its other variables
    itself; None if they are not sent. Raise `Misconfigured` for an invalid web address, and for any protocol
    other than HTTP with protobuf."""
    base = text("OTEL_EXPORTER_OTLP_ENDPOINT", "").rstrip("/")
    if not base or flag("OTEL_SDK_DISABLED"):
        return None
    endpoint = text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "") or f"{base}/v1/traces"
    if None in (_web_address(base), _web_address(endpoint)):
        raise Misconfigured("OTEL_EXPORTER_OTLP_ENDPOINT must look like http://127.0.0.1:4318")
    protocol = text("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    if text("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", protocol) != "http/protobuf":
        raise Misconfigured("OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf: no other is here.")
    pairs = [pair.partition("=") for pair in words("OTEL_EXPORTER_OTLP_HEADERS")]
    if not all(name and value for name, _, value in pairs):
        raise Misconfigured("OTEL_EXPORTER_OTLP_HEADERS must look like name=value,name=value")
    headers = {name.strip(): unquote(value.strip()) for name, _, value in pairs}
    return {"endpoint": endpoint, "headers": headers}


def _web_address(url: str) -> SplitResult | None:
    """Return the parts of a web address, or None if it is not one. Plain http is allowed, since collectors
    run on the same machine."""
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # a port that is none, half an IPv6 address
        return None
    return parts if is_one else None
