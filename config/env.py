"""Typed access to environment variables: those of the process, else those that the launcher wrote.

The launcher (`config/local`) starts bundled servers and writes their addresses to `.local/env`. Importing
this module starts nothing.
"""

import os
import re
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit
from zoneinfo import available_timezones

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

ROOT = Path(__file__).resolve().parent.parent
LOCAL_ENV = ROOT / ".local" / "env"


class Misconfigured(RuntimeError):
    """A setting is missing or cannot be read; the sentence says which and how to set it."""


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
        raise Misconfigured(f"{name} is not set. See docs/operations.md.")
    return value


def flag(name: str, default: bool = False) -> bool:
    """Return the switch in the variable `name`: 1, true, yes, on (any case) are true; 0, false, no, off and
    empty are false."""
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
    """Return the items of the comma-separated list in the variable `name`."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


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

# A server that lost its power or its network says nothing any more. The system would wait for it
# for a quarter of an hour, and for the answer to what arrived before for hours.
SILENCE = {"keepalives_idle": 5, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}


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
    settings["PORT"] = str(given.pop("port", ""))
    return {
        "ENGINE": "config.database",
        **settings,
        "OPTIONS": {"connect_timeout": 5, **SILENCE, **given, **ours},
    }


def zone(name: str, default: str) -> str:
    """Return a time zone such as `Asia/Shanghai`; empty if none is named and there is no default."""
    value = text(name, default)
    if value and value not in available_timezones():
        raise Misconfigured(f"{name} must be a time zone such as Asia/Shanghai, not {value!r}.")
    return value


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


def sender() -> str:
    """Return `MAIL_FROM`, the sender of mails; raise `Misconfigured` if it contains no address."""
    value = text("MAIL_FROM", "Instrument Commons <no-reply@localhost>")
    if "@" not in parseaddr(value)[1]:
        raise Misconfigured("MAIL_FROM must hold an address, as Instrument Commons <no-reply@example.org>")
    return value


def mail() -> dict[str, object]:
    """Return the options of the mail server; raise `Misconfigured` if both kinds of TLS are set."""
    starts_tls, is_tls = flag("MAIL_TLS"), flag("MAIL_SSL")
    if starts_tls and is_tls:
        raise Misconfigured("MAIL_TLS (STARTTLS) and MAIL_SSL (TLS at once) exclude one another.")
    return {
        "host": text("MAIL_HOST", "localhost"),
        "port": number("MAIL_PORT", 465 if is_tls else 587 if starts_tls else 25),
        "username": text("MAIL_USER", ""),
        "password": text("MAIL_PASSWORD", ""),
        "use_tls": starts_tls,
        "use_ssl": is_tls,
        "timeout": 20,
    }


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
