"""Examine an installation for its operator: each finding is a line that says what is right or wrong."""

import platform
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import disk_usage
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import redis
from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.mail import mailers
from django.db import DatabaseError, connection, connections, transaction
from django.urls import reverse

from accounts.models import Installation
from accounts.replica import ALIAS, end_of_log, follower
from accounts.replica import MOST_LAG as MOST_BEHIND
from accounts.selectors.guards import guards_bypassed, guards_down
from accounts.selectors.jobs import last_run
from accounts.work import own_entries
from bookings.browsing.adapters.boundaries import load_boundaries
from bookings.browsing.domain.maps import NotBoundaries
from bookings.results.selectors.handoffs import bytes_coming
from config.celery import app
from config.operations.health import SILENT, pending_migrations

POSTGRESQL, VALKEY = range(15, 19), 7  # major versions tried
MOST_SKEW = timedelta(seconds=2)
MOST_ARCHIVE_AGE = timedelta(minutes=15)
MOST_LAG = timedelta(seconds=30)
LEAST_FREE = 0.1  # of the disk with the uploads
QUEUES = tuple(queue.name for queue in settings.CELERY_TASK_QUEUES)
MARKER = "installation/which-media"  # a file that says which folder this is


@dataclass(frozen=True)
class Finding:
    """A line about the installation. `is_right` None: it is worth knowing, but neither right nor wrong."""

    part: str
    is_right: bool | None
    text: str


def examine() -> Iterator[Finding]:
    """Yield the findings about one part after the other. A part that cannot be examined is a wrong finding
    too, with the reason."""
    for part, look in PARTS.items():
        try:
            for is_right, text in look():
                yield Finding(part, is_right, text)
        except (DatabaseError, redis.RedisError, OSError) as problem:
            yield Finding(part, False, f"cannot be checked: {_short(problem)}")


type Findings = Iterator[tuple[bool | None, str]]


def _versions() -> Findings:
    yield True, f"Python {platform.python_version()}"
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (version,) = cursor.fetchone()
        major = int(version.split(".")[0])
        tried = f"{POSTGRESQL[0]} to {POSTGRESQL[-1]} are supported"
        yield (major in POSTGRESQL, f"PostgreSQL {version}" + ("" if major in POSTGRESQL else f": {tried}"))
    told = _redis(settings.REDIS_URL).info("server")
    name = "Valkey" if "valkey_version" in told else "Redis"
    version = str(told.get("valkey_version") or told["redis_version"])
    is_new = int(version.split(".")[0]) >= VALKEY
    yield is_new, f"{name} {version}" + ("" if is_new else f": {VALKEY} is the oldest supported")


def _database() -> Findings:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT pg_encoding_to_char(encoding), datlocprovider::text, datctype
            FROM pg_database WHERE datname = current_database()"""
        )
        encoding, provider, ctype = cursor.fetchone()
        yield (
            encoding == "UTF8",
            f"encoding {encoding}" + ("" if encoding == "UTF8" else ": names in Chinese need UTF8"),
        )
        if provider == "c" and ctype in {"C", "POSIX"}:
            yield False, f"locale {ctype}: letters other than a to z are not found in either case"
        cursor.execute("SELECT extname FROM pg_extension")
        present = {name for (name,) in cursor.fetchall()}
        for name in ("btree_gist", "pg_trgm"):
            if name not in present:
                yield False, f"the extension {name} is missing: manage.py migrate creates it"
        yield from _role(cursor)
    if pending := pending_migrations():
        yield False, f"{len(pending)} migrations are not applied: manage.py migrate"
        return
    for gone in guards_down():
        yield False, f"the guard {gone} is missing or was changed"
    for beside in guards_bypassed():
        yield False, f"{beside} bypasses the guards"


def _role(cursor: object) -> Findings:
    """Check that the web's database role can read and write but owns nothing, so that not even the platform
    can disable what protects the trail."""
    cursor.execute(  # type: ignore[attr-defined]
        """
        SELECT count(*), current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
            count(*) FILTER (WHERE pg_has_role(current_user, c.relowner, 'MEMBER')),
            coalesce(string_agg(c.relname, ', ') FILTER (
                WHERE c.relname NOT IN ('accounts_trailentry', 'accounts_seal',
                    'accounts_sealedentry', 'accounts_trailtext', 'django_migrations')
                AND NOT (has_table_privilege(c.oid, 'SELECT')
                    AND has_table_privilege(c.oid, 'INSERT')
                    AND has_table_privilege(c.oid, 'UPDATE')
                    AND has_table_privilege(c.oid, 'DELETE'))), ''),
            coalesce(bool_or(has_table_privilege(c.oid, 'UPDATE')) FILTER (
                WHERE c.relname IN ('accounts_trailentry', 'accounts_seal',
                    'accounts_sealedentry', 'accounts_trailtext')), FALSE)
        FROM pg_class c
        WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
        """
    )
    tables, name, is_super, owned, denied, may_alter = cursor.fetchone()  # type: ignore[attr-defined]
    if not tables:
        return  # nothing is migrated yet, which is said below
    if is_super:
        yield False, f"{name} is a superuser: the web needs a role that owns nothing"
    elif owned:
        yield False, f"{name} owns {owned} tables: the web needs a role that owns none"
    elif denied:
        yield False, f"{name} may not write {denied}: see deploy/postgresql/2-owner.sql"
    elif may_alter:
        yield False, f"{name} may change the trail: see deploy/postgresql/2-owner.sql"
    else:
        yield True, f"the role {name} owns nothing and may not change the trail"


def _connection() -> Findings:
    """Check that what the platform sets on its connections is in force, since a pooler in between may change
    it."""
    with connection.cursor() as cursor:
        # A commit that is cut off by a time-out may have been made.
        for name, expected in (settings.DATABASE_SESSION | {"statement_timeout": "0"}).items():
            cursor.execute("SELECT current_setting(%s), current_user", [name])
            value, role = cursor.fetchone()
            if value != expected:
                remedy = f"ALTER ROLE {role} SET {name} = '{expected}'"
                yield False, f"{name} is {value}, not {expected}: {remedy}"
        cursor.execute("SELECT current_setting('synchronous_commit')")
        (durable,) = cursor.fetchone()
        if durable in {"off", "local"}:
            yield (False, f"synchronous_commit is {durable}: bookings that were confirmed could be lost")
        cursor.execute(
            """SELECT inet_server_port(), pg_is_in_recovery(),
            current_setting('default_transaction_read_only')"""
        )
        port, is_standby, read_only = cursor.fetchone()
        if is_standby:
            yield False, "this is a standby: nothing can be written"
        elif read_only == "on":
            yield False, "default_transaction_read_only is on: nothing can be written"
        named = {int(each or 5432) for each in str(settings.DATABASES["default"]["PORT"]).split(",")}
        if port is not None and port not in named:
            yield None, f"a pooler or proxy lies in front of PostgreSQL's port {port}"
    yield True, "time-outs are as the platform sets them"


def _clocks() -> Findings:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (there,) = cursor.fetchone()
    skews = {"the database": there - datetime.now(UTC)}
    seconds, micros = _redis(settings.REDIS_URL).time()
    skews["the cache"] = datetime.fromtimestamp(seconds + micros / 1e6, UTC) - datetime.now(UTC)
    for name, skew in skews.items():
        if abs(skew) > MOST_SKEW:
            yield False, f"the clock of {name} differs by {skew.total_seconds():.1f} s"
    yield True, f"the same within {max(map(abs, skews.values())).total_seconds():.1f} s"


def _workers() -> Findings:
    _redis(settings.CELERY_BROKER_URL).ping()
    answers = app.control.inspect(timeout=2).active_queues() or {}
    for name in QUEUES:
        readers = [who for who, queues in answers.items() if name in {q["name"] for q in queues}]
        yield (
            bool(readers),
            f"queue {name}: " + (f"{len(readers)} at work" if readers else "no worker reads it"),
        )
    last = last_run(own_entries())
    if last is None or datetime.now(UTC) - last > SILENT:
        since = f"since {last:%Y-%m-%d %H:%M} UTC" if last else "yet"
        yield False, f"no scheduled job has started {since}: are beat and a worker running?"
    else:
        yield True, "scheduled jobs are running"


def _mail() -> Findings:
    if settings.LOCAL_MODE:
        yield None, "mail is shown on the page Mail"
        return
    options: Mapping[str, Any] = settings.MAILERS["default"]["OPTIONS"]  # type: ignore[assignment]
    place = f"{options['host']}:{options['port']}"
    link = mailers["default"]
    try:
        link.open()
        yield True, f"{place} accepts mail"
    except Exception as problem:
        yield False, f"{place}: {_short(problem)}"
    finally:
        link.close()


def _files() -> Findings:
    """Check that uploads can be written, read and deleted, and that every machine that runs this command sees
    the same storage."""
    name = default_storage.save("installation/probe", ContentFile(b"probe"))
    with default_storage.open(name) as file:
        is_whole = file.read() == b"probe"
    default_storage.delete(name)
    if not is_whole:
        yield False, "uploads differ when they are read back"
    place = f"the bucket {settings.MEDIA_BUCKET}" if settings.MEDIA_BUCKET else "the folder"
    known = cache.get(MARKER)
    if default_storage.exists(MARKER):
        with default_storage.open(MARKER) as file:
            here = file.read().decode()
        is_same = known in {None, here}
    else:
        here, is_same = str(uuid4()), known is None
        if is_same:
            default_storage.save(MARKER, ContentFile(here.encode()))
    if is_same:
        cache.set(MARKER, here, None)
        yield True, f"uploads can be written to {place}, read and deleted"
    else:
        yield False, f"{place} is not the place where another machine of this installation keeps uploads"
    root = Path(settings.MEDIA_ROOT)
    if root.is_dir() and not settings.MEDIA_BUCKET:
        usage = disk_usage(root)
        if usage.free < LEAST_FREE * usage.total:
            yield False, f"{usage.free / 1e9:.1f} GB are free for uploads"
    if settings.MAP_BOUNDARIES:
        try:
            corners = sum(map(len, load_boundaries(settings.MAP_BOUNDARIES).lines))
            yield True, f"the boundaries behind the map have {corners} corners"
        except NotBoundaries as problem:
            yield False, f"MAP_BOUNDARIES: {problem}"
    if not (Path(settings.STATIC_ROOT) / "staticfiles.json").is_file():
        yield False, "static files are not collected: manage.py collectstatic"


def _uploads() -> Findings:
    """Check that the upload service answers at the addresses that browsers and programs use, that its folder
    can be written, and that there is room for unfinished uploads."""
    base = settings.UPLOADS_URL or settings.SITE_URL
    request = Request(base + reverse("api-uploads"), method="OPTIONS")  # noqa: S310 (a setting)
    try:
        with urlopen(request, timeout=5) as answer:  # noqa: S310
            speaks = "Tus-Version" in answer.headers
        yield speaks, f"{base} {'accepts uploads' if speaks else 'is not the upload service'}"
    except HTTPError as problem:
        yield False, f"{base} answers {problem.code} to uploads"
    except OSError as problem:  # a machine need not reach the address that browsers use
        yield None, f"{base} does not answer from here: {_short(problem)}"
    name = default_storage.save("results/probe", ContentFile(b"probe"))
    default_storage.delete(name)
    yield True, "results can be written and deleted"
    root = Path(settings.MEDIA_ROOT)
    if root.is_dir() and not settings.MEDIA_BUCKET:
        free, coming = disk_usage(root).free, bytes_coming()
        yield (
            free >= coming,
            f"{free / 1e9:.1f} GB are free, {coming / 1e9:.1f} GB of results are on their way",
        )


def _safety() -> Findings:
    """Check the archive of the write-ahead log and the standbys, as far as the role may see them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT current_setting('archive_mode'), current_setting('archive_timeout') <> '0',
                last_archived_time, last_failed_time
            FROM pg_stat_archiver"""
        )
        mode, is_due, archived, failed = cursor.fetchone()
        if mode == "off":
            yield None, "no archive of the write-ahead log: a failure loses everything since the last backup"
        elif archived is None or (failed and failed > archived):
            yield False, "the archive of the write-ahead log fails"
        elif datetime.now(UTC) - archived > MOST_ARCHIVE_AGE:
            # The timetable writes each minute: with a time-out a command that hangs is in the way.
            since = f"since {archived:%Y-%m-%d %H:%M} UTC"
            yield False if is_due else None, f"nothing of the write-ahead log was archived {since}"
        else:
            yield True, "the write-ahead log is archived"
        cursor.execute(
            """SELECT application_name, state, replay_lag, sync_state IN ('sync', 'quorum')
            FROM pg_stat_replication"""
        )
        standbys = cursor.fetchall()
        cursor.execute("SELECT current_setting('synchronous_standby_names') <> ''")
        (waits,) = cursor.fetchone()
    for name, state, lag, is_synchronous in standbys:
        if state is None:
            yield None, f"standby {name}: grant pg_monitor to see its state"
        elif state != "streaming" or (lag or timedelta(0)) > MOST_LAG:
            yield False, f"standby {name}: {state}, {lag or 0} behind"
        else:
            yield True, f"standby {name} follows" + (", synchronously" if is_synchronous else "")
    if not standbys:
        yield None, "no standby"
    if waits and all(state and not is_sync for _, state, _, is_sync in standbys):
        yield False, "no synchronous standby follows: bookings wait until one does"
    elif standbys and not waits:
        yield None, "no standby is synchronous: the last bookings would be lost with this server"


def _replica() -> Findings:
    if ALIAS not in connections:
        return
    began, place = time.monotonic(), end_of_log()
    while not (follows := follower.has(place)) and time.monotonic() - began < MOST_BEHIND:
        time.sleep(0.2)
    seconds = time.monotonic() - began
    yield (
        follows,
        f"follows within {seconds:.1f} s"
        if follows
        else f"no standby answers with less than {seconds:.0f} s of delay: nothing is read from one",
    )


def _set_up() -> Findings:
    with transaction.atomic():
        row = Installation.objects.first()
    if row is None and not settings.LOCAL_MODE:
        yield False, "the platform is not set up: manage.py setup"
    elif row is not None:
        yield True, f"{row.name}, at {settings.SITE_URL}"


def _redis(address: str) -> redis.Redis:
    return redis.Redis.from_url(address, socket_timeout=2, socket_connect_timeout=2)


def _short(problem: Exception) -> str:
    """Return an error as one line. Drivers' errors have several lines, whose rest may contain passwords."""
    return str(problem).strip().partition("\n")[0][:200] or type(problem).__name__


PARTS: dict[str, Callable[[], Findings]] = {
    "versions": _versions,
    "database": _database,
    "connection": _connection,
    "clocks": _clocks,
    "workers": _workers,
    "mail": _mail,
    "files": _files,
    "uploads": _uploads,
    "safety": _safety,
    "replica": _replica,
    "installation": _set_up,
}
