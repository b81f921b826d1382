"""A small world is backed up and comes back in another database, whole; what is not is refused."""

import errno
import fcntl
import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.models import TrailEntry
from accounts.services.seals import trail_seal
from bookings.models import Reservation
from config.operations.backups import (
    DUMP,
    MEDIA,
    PAPER,
    BackupFailed,
    backup_check,
    backup_make,
    backup_restore,
)
from tests.factories.attachments import photo
from tests.factories.cast import NOW, reserve
from tests.flows.installation import documented

ROOT = Path(__file__).parents[3]


def at_database(name, *words, media, role=None, limit=""):
    """What manage.py says there, as a role; `limit`: a line of the shell before it."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    place = f"{parts.hostname}:{parts.port}"
    who = f"{role}:choose-one" if role else f"{parts.username}:{parts.password}"
    address = urlunsplit(parts._replace(path=f"/{name}", netloc=f"{who}@{place}"))
    # Roles with passwords of their own are no bundled server's: as in production.
    env = {"LOCAL_MODE": "0", "SITE_URL": "https://x.example", "ALLOWED_HOSTS": "x.example"}
    return subprocess.Popen(
        ["/bin/sh", "-c", f'{limit or ":"}; exec "$@"', "sh", sys.executable, "manage.py",
         *map(str, words)],
        env=os.environ | env | {"DATABASE_URL": address, "MEDIA_ROOT": str(media)},
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def ended(process):
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.fixture
def elsewhere():
    """An empty database on the same server, and the way to call manage.py there."""
    name = f"{connection.settings_dict['NAME']}_restored"

    def manage(*words, media, **how):
        code, out, err = ended(at_database(name, *words, media=media, **how))
        return SimpleNamespace(returncode=code, stdout=out, stderr=err)

    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    manage.name = name
    yield manage
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def roles(real_cast):
    """The roles that deploy/postgresql makes, by their last word."""
    name = connection.settings_dict["NAME"]
    made = {word: f"{name}_{word}" for word in ("web", "backup", "owner")}
    with connection.cursor() as cursor:
        for statements in documented(name):
            cursor.execute(statements)
        yield made | {"cast": real_cast}
        for role in made.values():
            cursor.execute(f"DROP OWNED BY {role}")
            cursor.execute(f"DROP ROLE {role}")


@pytest.mark.parametrize("word", ["web", "backup"])
def test_it_is_made_under_the_roles_of_the_documentation(roles, word, tmp_path):
    """Tables that a later migration adds are read, too."""
    name = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE later (id serial)")
        try:
            made = at_database(name, "backup", tmp_path, media=tmp_path / "m", role=roles[word])
            code, out, err = ended(made)
        finally:
            cursor.execute("DROP TABLE later")
    assert code == 0, err
    assert backup_check(Path(out.strip()))["rows"]["later"] == 0


def test_nothing_is_left_where_the_role_may_not_read_everything(roles, tmp_path):
    with connection.cursor() as cursor:
        cursor.execute(f"REVOKE SELECT ON accounts_seal FROM {roles['backup']}")
    name = connection.settings_dict["NAME"]
    made = at_database(name, "backup", tmp_path / "b", media=tmp_path, role=roles["backup"])
    code, _, err = ended(made)
    assert (code, list((tmp_path / "b").iterdir())) == (1, [])
    assert "permission denied for table accounts_seal" in err and "Traceback" not in err


def test_nothing_is_left_where_the_disk_is_full(real_cast, tmp_path):
    """No file may be larger than 8 kB, the dump is."""
    name = connection.settings_dict["NAME"]
    made = at_database(name, "backup", tmp_path / "b", media=tmp_path, limit="ulimit -f 16")
    code, _, err = ended(made)
    assert (code, list((tmp_path / "b").iterdir())) == (1, [])
    assert "pg_dump failed" in err and "Traceback" not in err


def test_nothing_is_left_where_a_file_cannot_be_packed(real_cast, settings, tmp_path, monkeypatch):
    def full(path):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("config.operations.backups._pack", full)
    with pytest.raises(CommandError, match="No space left on device"):
        call_command("backup", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_was_killed_half_way_goes_with_the_next(real_cast, settings, tmp_path):
    """What another is making at this moment stays."""
    settings.MEDIA_ROOT = tmp_path / "media"
    folder, name = tmp_path / "b", connection.settings_dict["NAME"]
    killed = at_database(name, "backup", folder, media=tmp_path / "media")
    while not list(folder.glob("*.part")):
        assert killed.poll() is None
        time.sleep(0.01)
    killed.kill()
    ended(killed)
    (left,) = folder.iterdir()
    at_work = folder / "instrument-commons-20260101T000000Z.part"
    at_work.mkdir()
    held = os.open(at_work, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        made = backup_make(folder, now=NOW)
    finally:
        os.close(held)
    assert left.suffix == ".part" and sorted(folder.iterdir()) == sorted([at_work, made])


def test_restoring_leaves_both_empty_where_it_fails_and_works_as_the_owner(
    roles, settings, tmp_path, elsewhere
):
    settings.MEDIA_ROOT = tmp_path / "media"
    photo(roles["cast"], roles["cast"].microscope)
    (tmp_path / "media" / "large").write_bytes(b"x" * 5000)
    made = backup_make(tmp_path / "b", now=NOW)
    copy = tmp_path / "copy"
    # Half of a restoring that was killed.
    (copy / "restore.part").mkdir(parents=True)
    (copy / "restore.part" / "half").touch()
    for how, words in (
        ({"role": roles["web"]}, "permission denied to create extension"),
        ({"limit": "ulimit -f 1"}, "File too large"),
    ):
        refused = elsewhere("restore", made, media=copy, **how)
        assert refused.returncode == 1 and words in refused.stderr
        assert "Traceback" not in refused.stderr
        assert list(copy.iterdir()) == []
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{elsewhere.name}" OWNER TO {roles["owner"]}')
    back = elsewhere("restore", made, media=copy, role=roles["owner"])
    assert back.returncode == 0, back.stderr
    assert len([path for path in copy.rglob("*") if path.is_file()]) == 3
    assert not (copy / "restore.part").exists()
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{elsewhere.name}" OWNER TO CURRENT_USER')
        cursor.execute(f'DROP DATABASE "{elsewhere.name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{elsewhere.name}"')


def test_there_and_back(real_cast, settings, tmp_path, elsewhere):
    settings.MEDIA_ROOT = tmp_path / "media"
    reserve(real_cast, "2026-03-06 10:00", "2026-03-06 12:00")
    picture = photo(real_cast, real_cast.microscope)
    lost = photo(real_cast, real_cast.instrument(name="Its file went"))
    for file in (tmp_path / "media").rglob(f"{lost.pk}*"):
        file.unlink()
    assert trail_seal(now=timezone.now())
    sealed = TrailEntry.objects.count()
    made = backup_make(tmp_path / "backups", now=NOW)
    assert sorted(path.name for path in made.iterdir()) == [DUMP, PAPER, MEDIA]
    paper = json.loads((made / PAPER).read_text())
    assert paper["rows"]["bookings_reservation"] == Reservation.objects.count()
    assert len(paper["missing_files"]) == 2

    copy = tmp_path / "copy"
    back = elsewhere("restore", made, media=copy)
    assert back.returncode == 0, back.stderr
    assert f"{sum(paper['rows'].values())} rows and 2 files were restored." in back.stdout
    assert f"{sealed} entries in 1 seals are unchanged" in back.stdout
    assert "2 files were already missing" in back.stdout
    assert len(list(copy.rglob(f"{picture.pk}*"))) == 2
    # It is a platform: nothing to migrate, and the trail is append-only as before.
    tried = (
        "from django.core.management import call_command; call_command('migrate', check=True); "
        "from accounts.models import TrailEntry; TrailEntry.objects.update(action='x')"
    )
    assert "append-only" in elsewhere("shell", "-c", tried, media=copy).stderr
    # Into what is not empty nothing is restored.
    again = elsewhere("restore", made, media=copy)
    assert again.returncode == 1 and "not empty" in again.stderr


def test_with_a_bucket_the_database_alone_comes_and_goes(
    real_cast, bucket, settings, tmp_path, elsewhere, capsys
):
    photo(real_cast, real_cast.microscope)
    name = settings.MEDIA_BUCKET
    call_command("backup", tmp_path / "b")
    out, err = capsys.readouterr()
    made = Path(out.strip())
    assert sorted(path.name for path in made.iterdir()) == [DUMP, PAPER]
    assert f"The backup does not contain uploads: they are in the bucket {name}" in err
    assert backup_check(made)["bucket"] == name
    back = elsewhere("restore", made, media=tmp_path / "copy")
    assert back.returncode == 0, back.stderr
    assert f"Uploads are not in this backup: they were in the bucket {name}." in back.stdout
    assert not (tmp_path / "copy").exists()


def test_uploads_of_a_folder_are_not_dropped_where_a_bucket_is_named(real_cast, settings, tmp_path, request):
    settings.MEDIA_ROOT = tmp_path / "media"
    made = backup_make(tmp_path, now=NOW)
    request.getfixturevalue("bucket")
    with pytest.raises(CommandError, match="restore it with MEDIA_ROOT in place of MEDIA_BUCKET"):
        call_command("restore", made)


@pytest.mark.parametrize(
    ("version", "unknown", "is_newer"),
    [
        (None, True, False),  # made before versions were named
        ("0.2.0", True, False),  # an older one, some of whose migrations this code does not have any more
        ("0.3.0+a1b2c3d4", False, False),
        ("0.3.0+a1b2c3d4", True, True),
        ("0.3.1", False, True),
        ("0.10.0", True, True),
    ],
)
@pytest.mark.django_db
def test_a_newer_one_is_refused_by_older_code(settings, tmp_path, version, unknown, is_newer):
    settings.VERSION = "0.3.0+dev"
    (tmp_path / DUMP).touch()
    paper = {"made_at": "2026-12-01", "bucket": "there"}
    paper["migrations"] = ["accounts.0001_squashed_0015_closed_organisations"]
    paper["sha256"] = {DUMP: sha256(b"").hexdigest()}
    paper["migrations"] += ["accounts.9999_later"] if unknown else []
    paper |= {"version": version} if version else {}
    (tmp_path / PAPER).write_text(json.dumps(paper), encoding="utf-8")
    with pytest.raises(BackupFailed) as refused:  # the database is not empty, which is asked after this
        backup_restore(tmp_path)
    assert (refused.value.code == "backup-newer") == is_newer
    if is_newer:
        assert f"made by version {version}, which is newer than 0.3.0+dev" in str(refused.value)
        with pytest.raises(CommandError, match=r"or a later one\. \(backup-newer\)$"):
            call_command("restore", tmp_path)


def test_refused_where_it_is_not_whole(real_cast, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    made = backup_make(tmp_path, now=NOW)
    with pytest.raises(BackupFailed):
        backup_make(tmp_path, now=NOW)
    assert backup_check(made)["made_at"] == NOW.isoformat()
    with (made / DUMP).open("r+b") as file:
        file.seek(200)
        file.write(b"x")
    with pytest.raises(CommandError, match=r"database\.dump has changed since it was written"):
        call_command("restore", made)
    later = backup_make(tmp_path, now=NOW + timedelta(seconds=1))
    (later / MEDIA).unlink()
    with pytest.raises(BackupFailed):
        backup_check(later)
