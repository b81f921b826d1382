"""Everything behind PgBouncer in transaction mode, as deploy/pgbouncer.ini has it, with two
connections to PostgreSQL for all processes together: the main line, the timetable, who is at work
alone, and what doctor says of the role."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from accounts.work import timetable
from config.local.ports import any_free
from config.settings import DATABASE_SESSION
from tests.flows.installation import ROOT, Installation, installed, psql, running, until
from tests.flows.test_first_day import the_administrator, the_first_day, wrong
from tests.system.conftest import DEPLOY

CONNECTIONS = 2
ENTRIES = """
from config.celery import app
app.loader.import_default_modules()
for name, entry in app.conf.beat_schedule.items():
    print(name, app.tasks[entry["task"]].apply(throw=True).state)
"""
ALONE = """
import time
import django
django.setup()
from accounts.services import jobs
jobs.LEASE = 2.0
with jobs.alone("one of a kind") as is_mine:
    print(is_mine, flush=True)
    time.sleep(600 * is_mine)
"""


def root_of(address: str) -> str:
    """The same database, for the superuser."""
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=urlsplit(address).path).geturl()


def rows(address: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(address, autocommit=True) as link:
        return link.execute(statement).fetchall()


@contextmanager
def pooler(address: str) -> Iterator[str]:
    """PgBouncer with the file of deploy/ in front of a database; the address there."""
    server, port = urlsplit(address), any_free()
    name, role = server.path[1:], server.username
    ini = (DEPLOY / "pgbouncer.ini").read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        for old, new in {
            "commons = host=127.0.0.1 port=5432": f"{name} = host=127.0.0.1 port={server.port}",
            "listen_port = 6432": f"listen_port = {port}",
            "/etc/pgbouncer": folder,
            "default_pool_size = 20": f"default_pool_size = {CONNECTIONS}",
        }.items():
            assert ini.count(old) == 1, old
            ini = ini.replace(old, new)
        (line,) = re.findall(r"SELECT format.*\n.*'commons_web'", ini)
        line = line.replace("; ", "").replace("commons_web", str(role))
        ((user,),) = rows(root_of(address), line)
        Path(folder, "userlist.txt").write_text(f"{user}\n")
        Path(folder, "pgbouncer.ini").write_text(ini)
        os.chmod(folder, 0o755)  # it refuses to be root
        words = ["pgbouncer", f"{folder}/pgbouncer.ini"]
        words += ["-u", "nobody"] if os.geteuid() == 0 else []
        log = Path(folder, "log")
        with running(words, dict(os.environ), log, python=()):
            until(lambda: "process up" in log.read_text(), "PgBouncer")
            yield server._replace(netloc=f"{role}:{server.password}@127.0.0.1:{port}").geturl()


@pytest.fixture(scope="module")
def pooled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("pooled"), pooler) as place:
        yield place


def test_the_first_day_by_two_connections(pooled: Installation, tmp_path: Path) -> None:
    the_first_day(pooled, the_administrator(pooled, tmp_path))
    gao = next(person for person in pooled.people if person.name == "gao")
    for name in ("charges", "statements", "payments"):
        sheet = gao.ask("GET", f"/money/{name}/?format=csv").content.decode("utf-8-sig")
        assert len(sheet.partition("\r\n\r\n")[0].splitlines()) == 2  # heads, and the one there is


def test_each_entry_of_the_timetable_and_what_is_left_of_it(pooled: Installation) -> None:
    # One thread for meanings, as operations.md has it: many hinder one another.
    lines = pooled.manage("shell", "-v0", "-c", ENTRIES, OMP_NUM_THREADS="1").splitlines()
    states = dict(line.rsplit(" ", 1) for line in lines)
    # What a worker is just doing is left to it.
    assert states.keys() == timetable().keys() and set(states.values()) <= {"SUCCESS", "IGNORED"}, states
    assert "connection:" not in wrong(pooled)
    # Those are all connections of the web's role, and none is left with a lock of its session.
    role = f"{pooled.name}_web"
    (count,) = rows(root_of(pooled.owner), f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}'")
    assert count == (CONNECTIONS,)
    locks = "SELECT * FROM pg_locks JOIN pg_database d ON d.oid = database WHERE datname = '{}'"
    locks = f"{locks.format(pooled.name)} AND locktype = 'advisory' AND mode = 'ExclusiveLock'"
    assert rows(root_of(pooled.owner), locks) == []


def test_a_job_of_which_there_is_one_is_left_when_its_process_is_killed(pooled: Installation) -> None:
    def process() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", ALONE], env=pooled.env, cwd=ROOT, stdout=subprocess.PIPE, text=True
        )

    def is_mine() -> bool:
        one = process()
        try:
            assert one.stdout
            return one.stdout.readline() == "True\n"
        finally:
            one.kill()
            one.wait()

    both = [process(), process()]
    try:
        lines = [one.stdout.readline() for one in both if one.stdout]
        assert sorted(lines) == ["False\n", "True\n"]
        assert not is_mine()
        assert not is_mine()  # it is renewed for longer than it lasts
    finally:
        for one in both:
            one.kill()
            one.wait()
    until(is_mine, "the lease of a process that was killed")


def test_doctor_says_what_a_role_lacks(pooled: Installation) -> None:
    """What is in force in a connection of the web, wherever it is set."""
    role, root = f"{pooled.name}_web", root_of(pooled.owner)
    anew = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'"
    # The bundled server knows nothing of compiling either.
    psql(root, f"ALTER ROLE {role} RESET ALL", f"ALTER ROLE {role} SET jit = on", anew)
    remedies = re.findall("connection: .*: (ALTER ROLE .*)", wrong(pooled))
    assert remedies == [
        f"ALTER ROLE {role} SET {name} = '{value}'" for name, value in DATABASE_SESSION.items()
    ]
    psql(root, *remedies, anew)
    assert "connection:" not in wrong(pooled)
