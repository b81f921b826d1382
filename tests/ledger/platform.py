"""The whole platform on servers of its own that lose nothing, and whoever breaks it."""

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from config.local.account import elsewhere
from config.local.ports import any_free
from config.local.postgres import Postgres, _installation
from config.local.processes import start
from config.local.supervisor import PlatformProcess, parts
from config.local.valkey import Valkey
from tests.concurrency.chaos import MailServer
from tests.flows.installation import HOST, answers, database, documented, manage, psql, until
from tests.ledger.journal import FAULT, Journal

PATIENCE = 90.0
AHEAD = "+1h"


def faketime() -> Path:
    """What gives a process another clock (Debian: libfaketime)."""
    return next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


class Platform:
    """Web, worker and beat with the commands of `make run`, outside local mode, under the
    documented roles of the database. `disk`: MB, for PostgreSQL alone."""

    def __init__(self, folder: Path, disk: int) -> None:
        self.folder = folder
        self.disk = folder / "disk"
        self.disk.mkdir()
        words = ["mount", "-t", "tmpfs", "-o", f"size={disk}m,mode=755", "tmpfs", str(self.disk)]
        subprocess.run(words, check=True)
        self.postgres = Postgres(self.disk / "postgres", folder / "postgres.log", durable=True)
        # So that it asks its disk for more now and then, also of the log.
        self.postgres.settings = self.postgres.settings | {
            "max_wal_size": "96MB", "checkpoint_timeout": "30s",
        }  # fmt: skip
        self.valkey = Valkey(folder / "valkey", folder / "valkey.log", durable=True)
        self.mail = MailServer()
        self.addresses: list[str] = []
        self.parts: dict[str, PlatformProcess] = {}
        self.started_again: list[str] = []

    @contextmanager
    def running(self) -> Iterator[dict[str, object]]:
        """Within, it runs; what the world holds (tests/ledger/world.py)."""
        with ExitStack() as stack:
            stack.callback(subprocess.run, ["umount", "--lazy", str(self.disk)], check=True)
            stack.callback(self.mail.stop)
            for server in (self.postgres, self.valkey):
                server.start(dict(os.environ))
                stack.callback(server.stop)
            assert not elsewhere(self.postgres.home).exists(), "PostgreSQL lies on another disk"
            os.environ["DATABASE_URL"] = self.postgres.url
            owner, web = stack.enter_context(database("ledger"))
            self.superuser = urlsplit(self.postgres.url)._replace(path="/ledger").geturl()
            port = any_free()
            self.env = self._env(web)
            as_owner = self.env | {"DATABASE_URL": owner}
            _manage(as_owner, "migrate", "-v", "0")
            psql(owner, documented("ledger")[1])
            _manage(self.env, "collectstatic", "--noinput", "-v", "0")
            build = "from tests.ledger.world import build; build()"
            world = json.loads(_manage(as_owner, "shell", "-v", "0", "-c", build))
            self.parts = {name: self._part(part) for name, part in parts(port, self.env).items()}
            del self.parts["calls"]  # nobody is called
            stack.callback(self.stop)
            for part in self.parts.values():
                self.start(part)
            self.addresses.append(f"http://127.0.0.1:{port}")
            until(lambda: answers(self.addresses[0]), "the web process")
            yield world

    def _env(self, database_url: str) -> dict[str, str]:
        dropped = ("LOCAL_MAIL", "LOG_LEVEL", "PG", "SENTRY", "OTEL", "CELERY")
        given = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
        often = ("THROTTLE_ANONYMOUS", "THROTTLE_USER", "THROTTLE_WRITES", "THROTTLE_ADDRESS")
        folders = {
            name: str(self.folder / name.lower())
            for name in ("STATIC_ROOT", "MEDIA_ROOT", "METRICS_FOLDER", "BEAT_FILE")
        }
        return given | folders | dict.fromkeys(often, "1000000/min") | {
            "LOCAL_MODE": "0",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": database_url,
            "REDIS_URL": self.valkey.url,
            "SECRET_KEY": "known to this test alone " * 3,
            "SITE_URL": f"https://{HOST}",
            "BEHIND_TLS_PROXY": "1",
            "MAIL_HOST": "127.0.0.1",
            "MAIL_PORT": str(self.mail.port),
        }  # fmt: skip

    def _part(self, part: PlatformProcess) -> PlatformProcess:
        command = part.command
        if "--schedule" in command:
            command = [*command[: command.index("--schedule")], "--schedule", self.env["BEAT_FILE"]]
        return PlatformProcess(part.name, command, part.env)

    def start(self, part: PlatformProcess) -> None:
        part.child = start(part.command, self.folder / f"{part.name}.log", part.env)

    def kill(self, part: PlatformProcess) -> None:
        """A whole process group, at once."""
        assert part.child
        with suppress(ProcessLookupError):
            os.killpg(part.child.pid, signal.SIGKILL)
        part.child.wait()

    def start_what_ended(self) -> None:
        """As systemd does."""
        for part in self.parts.values():
            if part.died():
                self.started_again.append(part.name)
                self.start(part)
        if not self.postgres.running():
            self.started_again.append("PostgreSQL")
            self.postgres.start(dict(os.environ))

    def stop(self, *names: str) -> None:
        for name in names or list(self.parts):
            if part := self.parts.pop(name, None):
                self.kill(part)

    def waiting(self, within: int = 0) -> int:
        """Messages that are due, or within so many seconds, and not delivered."""
        due = """SELECT count(*) FROM accounts_outboxmessage WHERE done_at IS NULL
            AND due_at < now() + make_interval(secs => %s) AND lane <> 'calls'"""
        with psycopg.connect(self.superuser) as link:
            return int(link.execute(due, [within]).fetchone()[0])  # type: ignore[index]

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        return manage(self.env, *words)

    def program(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """One of PostgreSQL's own, as its superuser."""
        place = urlsplit(self.superuser)
        env = {
            "PGHOST": str(place.hostname), "PGPORT": str(place.port),
            "PGUSER": str(place.username), "PGPASSWORD": str(place.password),
        }  # fmt: skip
        command = [str(_installation() / "bin" / name), *words]
        return subprocess.run(command, env=env, text=True, capture_output=True, check=False)

    def of_postgres(self) -> list[int]:
        """The first process of PostgreSQL, and its children."""
        running = self.postgres.running()
        assert running
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text()
        return [running.pid, *map(int, children.split())]


class Nemesis:
    """Whoever breaks it: each kind of fault in turn, in an order that follows from the seed."""

    def __init__(self, platform: Platform, journal: Journal, seed: int) -> None:
        self.platform, self.journal, self.luck = platform, journal, random.Random(seed)
        self.faults: dict[str, Callable[[], None]] = {
            "kill -9 of PostgreSQL with its children": self._kill_postgres,
            "kill -9 of the web processes": lambda: self._kill("web"),
            "kill -9 of the worker with its pool": lambda: self._kill("worker"),
            "kill -9 of Valkey": self._kill_valkey,
            "PostgreSQL stopped for seconds": self._stop_postgres,
            "disk of PostgreSQL full for seconds": self._fill_disk,
            f"web process with its clock at {AHEAD}, killed": self._clock_ahead,
        }

    def run(self, seconds: float) -> None:
        """Every fault once at least."""
        end = time.monotonic() + seconds
        first = True
        while first or time.monotonic() < end:
            for name in self.luck.sample(list(self.faults), len(self.faults)):
                if first or time.monotonic() < end:
                    self._one(name)
            first = False

    def _one(self, name: str) -> None:
        time.sleep(self.luck.uniform(1, 3))
        began = time.time()
        self.faults[name]()
        ended = time.time()
        give_up = ended + PATIENCE
        while (booked := self.journal.booked_after(ended, 1)) is None and time.time() < give_up:
            self.platform.start_what_ended()
        outage = self.journal.longest_silence(began, booked) if booked else None
        self.journal.write(FAULT, fault=name, began=began, ended=ended, outage=outage)
        self.platform.start_what_ended()

    def _pause(self, least: float = 0.2, most: float = 2.0) -> None:
        time.sleep(self.luck.uniform(least, most))

    def _kill_postgres(self) -> None:
        for pid in self.platform.of_postgres():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._pause()
        self.platform.postgres.start(dict(os.environ))

    def _stop_postgres(self) -> None:
        pids = self.platform.of_postgres()
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            if number == signal.SIGSTOP:
                self._pause(2, 6)

    def _kill(self, name: str) -> None:
        part = self.platform.parts[name]
        self.platform.kill(part)
        self._pause()
        self.platform.start(part)

    def _kill_valkey(self) -> None:
        running = self.platform.valkey.running()
        assert running
        os.kill(running.pid, signal.SIGKILL)
        self._pause()
        self.platform.valkey.start(dict(os.environ))

    def _fill_disk(self) -> None:
        filler = self.platform.disk / "filler"
        try:
            with filler.open("wb", buffering=0) as file, suppress(OSError):
                for size in (2**20, 2**12):
                    with suppress(OSError):
                        while True:
                            file.write(bytes(size))
            self._pause(4, 8)
        finally:
            filler.unlink()

    def _clock_ahead(self) -> None:
        """One more web process beside the others, for some seconds."""
        web, port = self.platform.parts["web"], any_free()
        command = list(web.command)
        command[command.index("--port") + 1] = str(port)
        wrong = {"LD_PRELOAD": str(faketime()), "FAKETIME": AHEAD, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        part = PlatformProcess("web-ahead", command, {**web.env, **wrong})
        self.platform.start(part)
        address = f"http://127.0.0.1:{port}"
        try:
            until(lambda: answers(address), "the web process whose clock is ahead")
            self.platform.addresses.append(address)
            self._pause(5, 8)
        finally:
            self.platform.kill(part)
            self._pause(0.2, 0.5)  # as long as a proxy takes to see it
            self.platform.addresses[:] = self.platform.addresses[:1]


def _manage(env: Mapping[str, str], *words: str) -> str:
    done = manage(dict(env), *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
