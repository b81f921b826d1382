"""A small world is backed up and comes back in another database, whole; what is not is refused."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.models import TrailEntry
from accounts.services.seals import trail_seal
from bookings.models import Reservation
from config.backups import DUMP, MEDIA, PAPER, BackupFailed, backup_check, backup_make
from tests.factories.attachments import photo
from tests.factories.cast import NOW, reserve

ROOT = Path(__file__).parents[2]


@pytest.fixture
def elsewhere():
    """An empty database on the same server, and the way to call manage.py there."""
    name = f"{connection.settings_dict['NAME']}_restored"
    address = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))

    def manage(*words, media):
        return subprocess.run(
            [sys.executable, "manage.py", *map(str, words)],
            env=os.environ | {"DATABASE_URL": address, "MEDIA_ROOT": str(media)},
            cwd=ROOT, text=True, capture_output=True, check=False,
        )  # fmt: skip

    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield manage
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_there_and_back(real_cast, settings, tmp_path, elsewhere):
    settings.MEDIA_ROOT = tmp_path / "media"
    reserve(real_cast, "2026-03-06 10:00", "2026-03-06 12:00")
    assert trail_seal(now=timezone.now())
    sealed = TrailEntry.objects.count()
    picture = photo(real_cast, real_cast.microscope)
    lost = photo(real_cast, real_cast.instrument(name="Its file went"))
    for file in (tmp_path / "media").rglob(f"{lost.pk}*"):
        file.unlink()
    made = backup_make(tmp_path / "backups", now=NOW)
    assert sorted(path.name for path in made.iterdir()) == [DUMP, PAPER, MEDIA]
    paper = json.loads((made / PAPER).read_text())
    assert paper["rows"]["bookings_reservation"] == Reservation.objects.count()
    assert len(paper["missing_files"]) == 2

    copy = tmp_path / "copy"
    back = elsewhere("restore", made, media=copy)
    assert back.returncode == 0, back.stderr
    assert f"{sum(paper['rows'].values())} rows and 2 files are there." in back.stdout
    assert f"{sealed} entries in 1 seals are as they were written" in back.stdout
    assert "2 files were gone" in back.stdout
    assert len(list(copy.rglob(f"{picture.pk}*"))) == 2
    # It is a platform: nothing to migrate, and the trail is append-only as before.
    assert elsewhere("migrate", "--check", media=copy).returncode == 0
    tamper = "from accounts.models import TrailEntry; TrailEntry.objects.update(action='x')"
    assert "append-only" in elsewhere("shell", "-c", tamper, media=copy).stderr
    # Into what is not empty nothing is restored.
    again = elsewhere("restore", made, media=copy)
    assert again.returncode == 1 and "not empty" in again.stderr


def test_refused_where_it_is_not_whole(real_cast, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    made = backup_make(tmp_path, now=NOW)
    with pytest.raises(BackupFailed):
        backup_make(tmp_path, now=NOW)
    assert backup_check(made)["made_at"] == NOW.isoformat()
    with (made / DUMP).open("r+b") as file:
        file.seek(200)
        file.write(b"x")
    with pytest.raises(CommandError, match=r"database\.dump is not as it was written"):
        call_command("restore", made)
    later = backup_make(tmp_path, now=NOW + timedelta(seconds=1))
    (later / MEDIA).unlink()
    with pytest.raises(BackupFailed):
        backup_check(later)
