"""Examine an installation for its operator: each finding is a line that says what is right or wrong."""

import platform
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
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
from django.utils import timezone
from django.utils.translation import gettext_noop as _
from kombu.exceptions import KombuError

from accounts.adapters.broker import SHORTLY
from accounts.findings import Finding, Findings, note, ok, red, remember, remembered, short
from accounts.models import Installation
from accounts.replica import ALIAS, end_of_log, follower
from accounts.replica import MOST_LAG as MOST_BEHIND
from accounts.selectors.guards import guards_bypassed, guards_down
from accounts.selectors.jobs import last_run
from accounts.work import own_entries
from bookings.browsing.adapters.boundaries import load_boundaries
from bookings.browsing.domain.maps import NotBoundaries
from bookings.operations.services.health import (
    broker_findings,
    failure_findings,
    mail_findings,
    work_findings,
)
from bookings.results.selectors.handoffs import bytes_coming
from config.celery import app
from config.operations import checks
from config.operations.health import SILENT, pending_migrations

POSTGRESQL, VALKEY = range(15, 19), 7  # major versions tried
MOST_SKEW = timedelta(seconds=2)
MOST_ARCHIVE_AGE = timedelta(minutes=15)
MOST_LAG = timedelta(seconds=30)
LEAST_FREE = 0.1  # of the disk with the uploads
QUEUES = tuple(queue.name for queue in settings.CELERY_TASK_QUEUES)
MARKER = "installation/which-media"  # a file that says which folder this is

ALTER = "ALTER ROLE {role} SET {name} = '{expected}'"
GRANTS = _("see deploy/postgresql/2-owner.sql")
RESTART = _("are beat and a worker running?")


def examine(parts: Collection[str] = ()) -> Iterator[Finding]:
    """Yield the findings about one part after the other, or about those named; all of them are remembered. A
    part that cannot be examined is a red finding, with the reason."""
    found = []
    for part in [name for name in PARTS if not parts or name in parts]:
        for finding in _looked(part):
            found.append(finding)
            yield finding
    if not parts:
        remember(found, timezone.now())


def findings() -> list[Finding]:
    """Return what can be examined in the time of a page, as it is now, and what `examine` last found in the
    parts that wait for other machines (empty before it ran). Who calls it decides whether to `examine`."""
    found = [each for part in PARTS if part not in SLOW for each in _looked(part)]
    return found + [each for each in remembered()[1] if each.area in SLOW]


def _looked(part: str) -> Iterator[Finding]:
    try:
        for finding in PARTS[part]():
            yield replace(finding, area=part)
    except (DatabaseError, redis.RedisError, KombuError, OSError) as problem:
        unchecked = red(f"{part}-unchecked", _("cannot be checked: {why}"), "", why=short(problem))
        yield replace(unchecked, area=part)


def _versions() -> Findings:
    yield ok("version", "Instrument Commons {version}", version=settings.VERSION)
    yield ok("python", "Python {version}", version=platform.python_version())
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (version,) = cursor.fetchone()
    if int(version.split(".")[0]) in POSTGRESQL:
        yield ok("postgresql", "PostgreSQL {version}", version=version)
    else:
        yield red(
            "postgresql", "PostgreSQL {version}", _("{first} to {last} are supported"),
            version=version, first=POSTGRESQL[0], last=POSTGRESQL[-1],
        )  # fmt: skip
    told = redis_at(settings.REDIS_URL).info("server")
    name = "Valkey" if "valkey_version" in told else "Redis"
    version = str(told.get("valkey_version") or told["redis_version"])
    if int(version.split(".")[0]) >= VALKEY:
        yield ok("valkey", "{name} {version}", name=name, version=version)
    else:
        yield red(
            "valkey", "{name} {version}", _("{oldest} is the oldest supported"),
            name=name, version=version, oldest=VALKEY,
        )  # fmt: skip


def _database() -> Findings:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT pg_encoding_to_char(encoding), datlocprovider::text, datctype
            FROM pg_database WHERE datname = current_database()"""
        )
        encoding, provider, ctype = cursor.fetchone()
        if encoding == "UTF8":
            yield ok("encoding", _("encoding {encoding}"), encoding=encoding)
        else:
            yield red(
                "encoding", _("encoding {encoding}"), _("names in Chinese need UTF8"), encoding=encoding
            )
        if provider == "c" and ctype in {"C", "POSIX"}:
            yield red(
                "locale", _("locale {ctype}: letters other than a to z are not found in either case"),
                _("create the database with a locale such as C.UTF-8"), ctype=ctype,
            )  # fmt: skip
        cursor.execute("SELECT extname FROM pg_extension")
        present = {name for (name,) in cursor.fetchall()}
        for name in ("btree_gist", "pg_trgm"):
            if name not in present:
                yield red(
                    "extension",
                    _("the extension {name} is missing"),
                    _("manage.py migrate creates it"),
                    name=name,
                )
        yield from _role(cursor)
    if pending := pending_migrations():
        yield red(
            "migrations",
            _("migrations are not applied, {count} in all"),
            "manage.py migrate",
            count=len(pending),
        )
        return
    yield ok("migrations", _("all migrations of this version are applied"))
    for gone in guards_down():
        yield red("guards", _("the guard {name} is missing or was changed"), "", name=str(gone))
    for beside in guards_bypassed():
        yield red("guards", _("{name} bypasses the guards"), "", name=str(beside))


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
        yield red("role", _("{name} is a superuser"), _("the web needs a role that owns nothing"), name=name)
    elif owned:
        yield red(
            "role", _("{name} owns tables, {count} in all"), _("the web needs a role that owns none"),
            name=name, count=owned,
        )  # fmt: skip
    elif denied:
        yield red("role", _("{name} may not write {tables}"), GRANTS, name=name, tables=denied)
    elif may_alter:
        yield red("role", _("{name} may change the trail"), GRANTS, name=name)
    else:
        yield ok("role", _("the role {name} owns nothing and may not change the trail"), name=name)


def _connection() -> Findings:
    """Check that what the platform sets on its connections is in force, since a pooler in between may change
    it."""
    with connection.cursor() as cursor:
        # A commit that is cut off by a time-out may have been made.
        for name, expected in (settings.DATABASE_SESSION | {"statement_timeout": "0"}).items():
            cursor.execute("SELECT current_setting(%s), current_user", [name])
            value, role = cursor.fetchone()
            if value != expected:
                words = _("{name} is {value}, not {expected}")
                yield red("session", words, ALTER, name=name, value=value, expected=expected, role=role)
        cursor.execute("SELECT current_setting('synchronous_commit')")
        (durable,) = cursor.fetchone()
        if durable in {"off", "local"}:
            yield red(
                "durability",
                _("synchronous_commit is {value}: bookings that were confirmed could be lost"),
                _("set it to on, in postgresql.conf or for the role"), value=durable,
            )  # fmt: skip
        cursor.execute(
            """SELECT inet_server_port(), pg_is_in_recovery(),
            current_setting('default_transaction_read_only')"""
        )
        port, is_standby, read_only = cursor.fetchone()
        if is_standby:
            yield red(
                "read-only", _("this is a standby: nothing can be written"),
                _("name the primary in DATABASE_URL, or all servers with target_session_attrs=read-write"),
            )  # fmt: skip
        elif read_only == "on":
            yield red(
                "read-only", _("default_transaction_read_only is on: nothing can be written"),
                _("switch it off, in postgresql.conf or for the role"),
            )  # fmt: skip
        named = {int(each or 5432) for each in str(settings.DATABASES["default"]["PORT"]).split(",")}
        if port is not None and port not in named:
            yield note("pooler", _("a pooler or proxy lies in front of PostgreSQL's port {port}"), port=port)
    yield ok("connection", _("time-outs are as the platform sets them"))


def _clocks() -> Findings:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (there,) = cursor.fetchone()
    skews = {"database": there - datetime.now(UTC)}
    seconds, micros = redis_at(settings.REDIS_URL).time()
    skews["cache"] = datetime.fromtimestamp(seconds + micros / 1e6, UTC) - datetime.now(UTC)
    words = {
        "database": _("the clock of the database differs by {seconds} s"),
        "cache": _("the clock of the cache differs by {seconds} s"),
    }
    for name, skew in skews.items():
        if abs(skew) > MOST_SKEW:
            remedy = _("set the clocks of all machines by the same time servers (chrony, systemd-timesyncd)")
            yield red(f"clock-{name}", words[name], remedy, seconds=f"{skew.total_seconds():.1f}")
    most = max(map(abs, skews.values())).total_seconds()
    yield ok("clocks", _("the same within {seconds} s"), seconds=f"{most:.1f}")


def _workers() -> Findings:
    answers = app.control.inspect(timeout=2).active_queues() or {}
    for name in QUEUES:
        readers = [who for who, queues in answers.items() if name in {q["name"] for q in queues}]
        if readers:
            yield ok("queue", _("queue {name}: {count} at work"), name=name, count=len(readers))
        else:
            remedy = "systemctl status instrument-commons-worker instrument-commons-calls"
            yield red("queue", _("queue {name}: no worker reads it"), remedy, name=name)


def _timetable() -> Findings:
    last = last_run(own_entries())
    if last is None:
        yield red("timetable", _("no scheduled job has started yet"), RESTART)
    elif datetime.now(UTC) - last > SILENT:
        words = _("no scheduled job has started since {since}")
        yield red("timetable", words, RESTART, since=last)
    else:
        yield ok("timetable", _("scheduled jobs are running"))


def _mail() -> Findings:
    if settings.LOCAL_MODE:
        yield note("mail-server", _("mail is shown on the page Mail"))
        return
    options: Mapping[str, Any] = settings.MAILERS["default"]["OPTIONS"]  # type: ignore[assignment]
    place = f"{options['host']}:{options['port']}"
    link = mailers["default"]
    try:
        link.open()
        yield ok("mail-server", _("{place} accepts mail"), place=place)
    except Exception as problem:
        remedy = _("see MAIL_HOST, MAIL_PORT, MAIL_TLS, MAIL_SSL, MAIL_USER and MAIL_PASSWORD")
        yield red("mail-server", "{place}: {why}", remedy, place=place, why=short(problem))
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
        yield red("uploads-whole", _("uploads differ when they are read back"), _("examine disk or bucket"))
    place = settings.MEDIA_BUCKET or str(settings.MEDIA_ROOT)
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
        words = _("uploads can be written to {place}, read and deleted")
        yield ok("uploads-place", words, place=place)
    else:
        words = _("{place} is not the place where another machine of this installation keeps uploads")
        yield red(
            "uploads-place", words, _("name one place for all: MEDIA_ROOT or MEDIA_BUCKET"), place=place
        )
    if settings.MAP_BOUNDARIES:
        try:
            corners = sum(map(len, load_boundaries(settings.MAP_BOUNDARIES).lines))
            yield ok(
                "boundaries", _("the boundaries behind the map can be read; corners: {count}"), count=corners
            )
        except NotBoundaries as problem:
            yield red(
                "boundaries", "MAP_BOUNDARIES: {why}", _("until then coasts are drawn"), why=str(problem)
            )
    if not (Path(settings.STATIC_ROOT) / "staticfiles.json").is_file():
        yield red("static-files", _("static files are not collected"), "manage.py collectstatic")


def _disk() -> Findings:
    root = Path(settings.MEDIA_ROOT)
    if not root.is_dir() or settings.MEDIA_BUCKET:
        return
    usage, coming = disk_usage(root), bytes_coming()
    told: dict[str, Any] = {"free": f"{usage.free / 1e9:.1f}", "coming": f"{coming / 1e9:.1f}"}
    remedy = _("make room on the disk of MEDIA_ROOT")
    if usage.free < LEAST_FREE * usage.total:
        yield red("disk", _("{free} GB are free for uploads"), remedy, **told)
    words = _("{free} GB are free, {coming} GB of results are on their way")
    yield (
        ok("results-room", words, **told)
        if usage.free >= coming
        else red("results-room", words, remedy, **told)
    )


def _uploads() -> Findings:
    """Check that the upload service answers at the addresses that browsers and programs use, and that its
    folder can be written."""
    base = settings.UPLOADS_URL or settings.SITE_URL
    request = Request(base + reverse("api-uploads"), method="OPTIONS")  # noqa: S310 (a setting)
    remedy = _("see the proxy's configuration, UPLOADS_URL and systemctl status instrument-commons-uploads")
    try:
        with urlopen(request, timeout=5) as answer:  # noqa: S310
            speaks = "Tus-Version" in answer.headers
        if speaks:
            yield ok("uploads-service", _("{address} accepts uploads"), address=base)
        else:
            yield red("uploads-service", _("{address} is not the upload service"), remedy, address=base)
    except HTTPError as problem:
        words = _("{address} answers {code} to uploads")
        yield red("uploads-service", words, remedy, address=base, code=problem.code)
    except OSError as problem:  # a machine need not reach the address that browsers use
        words = _("{address} does not answer from here: {why}")
        yield note("uploads-service", words, address=base, why=short(problem))
    name = default_storage.save("results/probe", ContentFile(b"probe"))
    default_storage.delete(name)
    yield ok("results-written", _("results can be written and deleted"))


def _safety() -> Findings:
    """Check the archive of the write-ahead log and the standbys, as far as the role may see them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT current_setting('archive_mode'), current_setting('archive_timeout') <> '0',
                last_archived_time, last_failed_time
            FROM pg_stat_archiver"""
        )
        mode, is_due, archived, failed = cursor.fetchone()
        remedy = _("see the log of PostgreSQL for its archive_command")
        if mode == "off":
            words = _("no archive of the write-ahead log: a failure loses everything since the last backup")
            yield note("archive", words)
        elif archived is None or (failed and failed > archived):
            yield red("archive", _("the archive of the write-ahead log fails"), remedy)
        elif datetime.now(UTC) - archived > MOST_ARCHIVE_AGE:
            # The timetable writes each minute: with a time-out a command that hangs is in the way.
            words = _("nothing of the write-ahead log was archived since {since}")
            late = {"since": archived}
            yield red("archive", words, remedy, **late) if is_due else note("archive", words, **late)
        else:
            yield ok("archive", _("the write-ahead log is archived"))
        cursor.execute(
            """SELECT application_name, state, replay_lag, sync_state IN ('sync', 'quorum')
            FROM pg_stat_replication"""
        )
        standbys = cursor.fetchall()
        cursor.execute("SELECT current_setting('synchronous_standby_names') <> ''")
        (waits,) = cursor.fetchone()
    for name, state, lag, is_synchronous in standbys:
        if state is None:
            yield note("standby", _("standby {name}: grant pg_monitor to see its state"), name=name)
        elif state != "streaming" or (lag or timedelta(0)) > MOST_LAG:
            words = _("standby {name}: {state}, {lag} behind")
            yield red("standby", words, _("see the log of that server"), name=name, state=state, lag=lag or 0)
        elif is_synchronous:
            yield ok("standby", _("standby {name} follows, synchronously"), name=name)
        else:
            yield ok("standby", _("standby {name} follows"), name=name)
    if not standbys:
        yield note("standby", _("no standby"))
    if waits and all(one[1] and not one[3] for one in standbys):
        words = _("no synchronous standby follows: bookings wait until one does")
        yield red("synchronous", words, _("start a standby, or empty synchronous_standby_names"))
    elif standbys and not waits:
        words = _("no standby is synchronous: the last bookings would be lost with this server")
        yield note("synchronous", words)


def _replica() -> Findings:
    if ALIAS not in connections:
        return
    began, place = time.monotonic(), end_of_log()
    while not (follows := follower.has(place)) and time.monotonic() - began < MOST_BEHIND:
        time.sleep(0.2)
    seconds = time.monotonic() - began
    if follows:
        yield ok("replica", _("follows within {seconds} s"), seconds=f"{seconds:.1f}")
    else:
        words = _("no standby answers with less than {seconds} s of delay: nothing is read from one")
        yield red("replica", words, _("see DATABASE_REPLICA_URL and that server"), seconds=f"{seconds:.0f}")


def _set_up() -> Findings:
    with transaction.atomic():
        row = Installation.objects.first()
    if row is None and not settings.LOCAL_MODE:
        yield red("set-up", _("the platform is not set up"), "manage.py setup")
    elif row is not None:
        yield ok("set-up", _("{name}, at {address}"), name=row.name, address=settings.SITE_URL)


def redis_at(address: str) -> redis.Redis:
    return redis.Redis.from_url(address, **SHORTLY)


PARTS: dict[str, Callable[[], Findings]] = {
    "versions": _versions,
    "database": _database,
    "keys": checks.keys,
    "connection": _connection,
    "clocks": _clocks,
    "eviction": checks.eviction,
    "broker": broker_findings,
    "workers": _workers,
    "timetable": _timetable,
    "work": lambda: work_findings(timezone.now()),
    "mail": _mail,
    "sender": checks.sender,
    "proxies": checks.proxies,
    "encryption": checks.encryption,
    "certificate": checks.certificate,
    "mails": mail_findings,
    "failures": failure_findings,
    "files": _files,
    "disk": _disk,
    "uploads": _uploads,
    "maintenance": checks.maintenance_file,
    "backups": checks.backups,
    "safety": _safety,
    "replica": _replica,
    "installation": _set_up,
}
# They wait for other machines: seconds, where one does not answer.
SLOW = frozenset({"certificate", "workers", "mail", "files", "uploads", "replica"})
