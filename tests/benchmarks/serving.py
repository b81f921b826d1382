"""The whole platform for the rows over HTTP: web, workers and beat with the commands of `make run`,
on the durable database and the broker that the environment names."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from accounts.models import OutboxMessage
from config.local.checkout import LOCAL
from config.local.environment import preferred_port
from config.local.ports import LOOPBACK
from config.local.supervisor import NAMES, PlatformProcess, claimed_port, parts, stop_part, wait_for_servers
from tests.benchmarks.driver import Server

PURPOSE = "bench"
OFTEN = "1000000/min"
PROC = Path("/proc")
LONGEST_WAIT = 60.0


class Platform:
    """The processes that serve, and what they cost."""

    def __init__(self, port: int, running: Mapping[str, PlatformProcess]) -> None:
        self._port, self._running = port, running

    def server(self) -> Server:
        """Where it listens, with connections of its own: the server closes those that are idle."""
        return Server(LOOPBACK, self._port)

    def cpu_seconds(self) -> dict[str, float]:
        """Seconds of processor time since their start, by web, workers and PostgreSQL, with all
        processes below them. Empty where the system does not say."""
        if not PROC.joinpath("self/stat").exists():
            return {}
        web, worker = (self._running[name].child for name in ("web", "worker"))
        assert web
        assert worker
        used = {"web": seconds_below(web.pid), "workers": seconds_below(worker.pid)}
        postmaster = _postmaster()
        return used | ({"PostgreSQL": seconds_below(postmaster)} if postmaster else {})

    def settle(self) -> int:
        """Wait until the workers have delivered what is due, a minute at most. How many messages
        are left."""
        until = time.monotonic() + LONGEST_WAIT
        while (left := waiting_messages()) and time.monotonic() < until:
            time.sleep(0.5)
        return left


def waiting_messages() -> int:
    """Those that are due, and those in hand, which are due again later in case nobody ends them."""
    rows = OutboxMessage.objects.filter(done_at=None)
    return rows.filter(Q(due_at__lte=timezone.now()) | Q(tried_at__isnull=False)).count()


@contextmanager
def serving() -> Iterator[Platform]:
    """The platform runs within, for the database of the settings. Limits are counted, but so high
    that nobody reaches them; mail, uploads and static files lie apart from those of `make run`."""
    for name in ("mail", "media", "static"):
        rmtree(LOCAL / f"{PURPOSE}-{name}", ignore_errors=True)
    names = [f"{PURPOSE}-{name}" for name in NAMES]
    for name in names:  # of a run that was killed
        stop_part(name)
    env = {name: value for name, value in os.environ.items() if name != "LOG_LEVEL"} | {
        "LOCAL_MAIL": str(LOCAL / f"{PURPOSE}-mail"),
        "MEDIA_ROOT": str(LOCAL / f"{PURPOSE}-media"),
        "STATIC_ROOT": str(LOCAL / f"{PURPOSE}-static"),
        **dict.fromkeys(
            ("THROTTLE_ANONYMOUS", "THROTTLE_USER", "THROTTLE_WRITES", "THROTTLE_ADDRESS"), OFTEN
        ),
    }
    manage = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(manage, env=env, check=True)
    try:
        with claimed_port(preferred_port(os.environ)) as port:
            env["SITE_URL"] = f"http://{LOOPBACK}:{port}"
            running = parts(port, env, PURPOSE)
            for part in running.values():
                part.start()
            wait_for_servers(running, port, env)
        platform = Platform(port, running)
        _wait_until_idle(platform)
        yield platform
    finally:
        for name in names:
            stop_part(name)


def _wait_until_idle(platform: Platform) -> None:
    """Until the workers have gone through their first round of jobs, a minute at most."""
    until = time.monotonic() + LONGEST_WAIT
    before = -1.0
    while time.monotonic() < until:
        now = platform.cpu_seconds().get("workers", 0.0)
        if 0 <= now - before < 0.2:
            return
        before = now
        time.sleep(2)


def _postmaster() -> int | None:
    """The parent of our own session, if that is a process of this machine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        session = cursor.fetchone()[0]
    try:
        name, fields = _stat(session)
    except OSError:
        return None
    return int(fields[1]) if name.startswith("postgres") else None


def _stat(pid: int | str) -> tuple[str, list[str]]:
    """The name of a process, and what /proc says of it from its state on."""
    name, _, rest = PROC.joinpath(str(pid), "stat").read_text().rpartition(")")
    return name.partition("(")[2], rest.split()


def seconds_below(root: int) -> float:
    """Processor time of a process and of all below it, ended ones included."""
    ticks, below = {}, {}
    for entry in PROC.glob("[0-9]*"):
        try:
            _, fields = _stat(entry.name)
        except OSError:
            continue
        ticks[int(entry.name)] = sum(int(value) for value in fields[11:15])
        below.setdefault(int(fields[1]), []).append(int(entry.name))
    pids, total = [root], 0
    while pids:
        pid = pids.pop()
        total += ticks.get(pid, 0)
        pids += below.get(pid, [])
    return total / os.sysconf("SC_CLK_TCK")
