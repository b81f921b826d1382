"""Back to a moment with deploy/pgbackrest.conf: a base backup while people book over HTTP, a table
deleted by mistake some time later, and the database as it was at a moment between."""

import json
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from redis import Redis

from config.local.account import find_account, remove
from config.local.postgres import _installation
from tests.flows.installation import answers, psql, until
from tests.ledger import checker
from tests.ledger.clients import booking
from tests.ledger.journal import BOOKS, FAULT, YES, Journal, read
from tests.ledger.platform import Platform
from tests.system.conftest import DEPLOY, run

# What doctor says when the last part of the log was archived longer ago than it may be.
LATE = """
from datetime import timedelta
from config.operations import doctor
doctor.MOST_ARCHIVE_AGE = timedelta(0)
found = next(doctor._safety())
print(found.state, found.sentence)
"""


class Archive:
    """pgBackRest beside the PostgreSQL of a platform that has not started yet."""

    def __init__(self, platform: Platform) -> None:
        self.postgres, self.folder = platform.postgres, platform.folder / "archive"
        self.words = ["pgbackrest", f"--config={platform.folder}/pgbackrest.conf"]
        text = (DEPLOY / "pgbackrest.conf").read_text("utf-8")
        settings = dict(re.findall(r"^# (archive_\w+) = '?(.*?)'?$", text, re.M))
        assert settings.keys() == {"archive_mode", "archive_command", "archive_timeout"}
        command = settings["archive_command"].replace("pgbackrest", " ".join(self.words))
        self.postgres.settings |= settings | {"archive_command": command}
        places = [f"{name}-path={self.folder}" for name in ("lock", "log", "spool")]
        for old, new in {
            "[global]": "\n".join(["[global]", *places]),
            "/var/lib/pgbackrest": f"{self.folder}/repo",
            "/var/lib/postgresql/17/main": str(self.postgres.home / "data"),
        }.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (platform.folder / "pgbackrest.conf").write_text(text)

    def begin(self) -> None:
        self.account = find_account(_installation(), self.postgres.home)
        self.account.make_folder(self.folder)
        self("stanza-create")
        self("check")

    def __call__(self, *words: str) -> float:
        """As the user that PostgreSQL runs as; how many seconds it took."""
        place = psycopg.conninfo.conninfo_to_dict(self.postgres.url)
        env = {"PATH": "/usr/bin:/bin", "PGHOST": str(place["host"]), "PGUSER": str(place["user"])}
        env |= {"PGPASSWORD": str(place["password"]), "PGBACKREST_PG1_PORT": str(place["port"])}
        began = time.monotonic()
        command = [*self.account.prefix, *self.words, "--stanza=commons", *words]
        run(*command, env=env, cwd="/", **self.account.options)
        return round(time.monotonic() - began, 1)

    def restore(self, moment: float) -> float:
        """Into an empty folder in the place of the one there is."""
        data = self.account.home / "data"
        data.rename(data.with_name("data.before"))
        self.account.make_folder(data)
        return self("restore", "--type=time", f"--target={_utc(moment)}", "--target-action=promote")


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    monkeypatch.setenv("DATABASE_URL", "that of the platform, which sets it")
    folder = Path(tempfile.mkdtemp(prefix="instrument-commons-recovery-"))
    folder.chmod(0o755)  # PostgreSQL does not run as root
    yield Platform(folder, disk=1024)
    remove(folder)


def test_a_ledger_goes_back_to_a_moment(platform: Platform, record_property: Any) -> None:
    archive, path = Archive(platform), platform.folder / "journal.jsonl"
    with platform.running() as world:
        archive.begin()
        with booking(platform.addresses, world, Journal(path), seed=1) as journal:
            until(lambda: len(journal.yes) > 20, "bookings before the base backup")
            record_property("backup", archive("backup", "--type=full"))
            # What waits for a worker at the moment is sent after it, by another.
            until(lambda: len(journal.yes) > 60, "bookings after it")
            platform.kill(platform.parts["worker"])
            killed = time.time()
            journal.write(FAULT, fault="worker killed", began=killed, ended=killed, outage=0.0)
            until(lambda: platform.waiting() > 10, "messages that wait")
            moment, before = time.time(), len(journal.yes)
            until(lambda: len(journal.yes) > before + 40, "bookings after the moment")
            platform.start(platform.parts["worker"])
        until(lambda: platform.waiting() == 0, "mails of all that was booked")
        sent = Counter(platform.mail.accepted)
        psql(platform.superuser, "DROP TABLE bookings_quote CASCADE")

        # What docs/operations.md has an operator do.
        bundle = platform.folder / "after.jsonl"
        assert platform.manage("export_trail", str(bundle), "--from", _utc(moment)).returncode == 0
        for part in platform.parts.values():
            platform.kill(part)
        platform.postgres.stop()
        began = time.monotonic()
        record_property("restore", archive.restore(moment))
        platform.postgres.start(dict(os.environ))
        until(lambda: not _one(platform, "SELECT pg_is_in_recovery()"), "that moment")
        record_property("until it takes writes", round(time.monotonic() - began, 1))
        Redis.from_url(platform.valkey.url).flushdb()
        assert platform.waiting() > 10
        # What it put off before that moment is tried again within 150 seconds, by a job of each minute:
        # neither while the commands below run, nor for a second time.
        platform.mail.is_calm = True
        for part in platform.parts.values():
            platform.start(part)
        until(lambda: answers(platform.addresses[0]), "the web process")
        until(lambda: platform.waiting(within=60) == 0, "mails of what waited at that moment", 300)
        assert "ok    safety: the write-ahead log is archived" in platform.manage("doctor").stdout
        late = platform.manage("shell", "-v0", "-c", LATE).stdout
        assert late.startswith("red nothing of the write-ahead log was archived since 2"), late
        platform.stop("beat", "worker")

        # All that was acknowledged until then, and nothing that was asked for afterwards.
        again = {m: platform.mail.accepted[m] - n for m, n in sent.items()}
        report = checker.check(platform, _until(path, moment), again=sum(again.values()))
        assert report.problems == {}
        assert any(again.values())  # under the Message-ID they had
        acts = [act for act in read(path)[0] if act.outcome == YES and act.kind in BOOKS]
        record_property("booked before", sum(act.ended <= moment for act in acts))
        gone = {pk for act in acts if act.began > moment for pk in act.ids}
        record_property("gone", len(gone))
        # Who is to be told stands in the bundle, whose last seal is one of another history.
        lines = [json.loads(line) for line in bundle.read_text("utf-8").splitlines()]
        assert gone <= {line["entry"]["object_id"] for line in lines if line.get("entry")}
        (seal, *_) = [line for line in reversed(lines) if line["kind"] == "seal"]
        expected = f"{seal['number']}:{seal['digest']}"
        assert platform.manage("verify_trail", "--expect", expected).returncode == 1

        # An archive that cannot be reached any more.
        archive.folder.rename(archive.folder.with_name("away"))
        psql(platform.superuser, "SELECT pg_switch_wal()")
        failed = "SELECT last_failed_time > last_archived_time FROM pg_stat_archiver"
        until(lambda: _one(platform, failed), "a failure")
        doctor = platform.manage("doctor").stdout
        assert "WRONG safety: the archive of the write-ahead log fails" in doctor


def _until(path: Path, moment: float) -> Path:
    """The journal as it stood at a moment: what had no answer then is unsure."""
    lines = path.read_text("utf-8").splitlines(keepends=True)
    cut = path.with_name("until.jsonl")
    cut.write_text("".join(line for line in lines if json.loads(line)["at"] <= moment), "utf-8")
    return cut


def _utc(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(sep=" ")


def _one(platform: Platform, statement: str) -> Any:
    with psycopg.connect(platform.superuser) as link:
        (value,) = link.execute(statement).fetchone()  # type: ignore[misc]
        return value
