"""Run web, workers and beat: start them in order, watch them, and restart one that dies."""

import http.client
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from config.local import stopping
from config.local.checkout import LOCAL, LOGS, locked, shown
from config.local.console import Failed, say
from config.local.ports import LOOPBACK, first_free
from config.local.processes import Record, last_lines, orphans_of, start
from config.local.servers import Servers

MOST_WEB_PROCESSES = 4
PATIENCE = 600.0  # while the process lives: a busy machine warms up for minutes
PAUSES = (1, 2, 4, 8, 16)
FORGIVEN_AFTER = 300.0
PYTHON = [sys.executable, "-m"]
APPS = ("accounts", "instruments", "bookings", "config")
# In the order in which they stop: no new work first, then what makes work, then what does it.
NAMES = ("web", "uploads", "beat", "worker", "calls")


@dataclass
class PlatformProcess:
    """One process of the platform."""

    name: str
    command: list[str]
    env: Mapping[str, str]
    failures: list[float] = field(default_factory=list)
    due: float = 0.0
    child: "subprocess.Popen[bytes] | None" = None

    @property
    def log(self) -> Path:
        return LOGS / f"{self.name}.log"

    def start(self) -> None:
        self.child = start(self.command, self.log, self.env)
        record(self.name).write(self.child.pid)

    def died(self) -> bool:
        return self.child is not None and self.child.poll() is not None


def record(name: str) -> Record:
    return Record(LOCAL / "run" / f"{name}.json")


def stop_part(name: str, patience: float = 20) -> bool:
    """Stop a process of the platform, even one that an earlier launcher left behind. Return whether it was
    running."""
    last = record(name).last()
    if not last:
        return False
    was_running = last.is_alive() or bool(orphans_of(last.pid))
    last.stop((signal.SIGTERM, patience))
    record(name).clear()
    return was_running


@contextmanager
def claimed_port(preferred: int) -> Iterator[int]:
    """Yield a free port; nobody else chooses ports on this machine until the caller is done.

    granian silently shares a port with another granian of the same user, so two checkouts that start together
    must not choose at the same time, nor before the processes of the other listen.
    """
    with locked(Path(tempfile.gettempdir()) / f"instrument-commons-port-{os.geteuid()}.lock"):
        port = first_free(preferred)
        if port != preferred:
            say(f"Port {preferred} is in use; taking {port}.")
        yield port


def parts(port: int, env: Mapping[str, str], purpose: str = "") -> dict[str, PlatformProcess]:
    """Return the processes of the platform by name, with one for uploads only if the environment gives it a
    port. With a `purpose`, their logs and pid files are separate from those of the platform that people
    use."""
    prefix = f"{purpose}-" if purpose else ""
    serve = ["granian", "--interface", "wsgi", "--host", LOOPBACK, "--no-ws"]
    serve += ["--workers-kill-timeout", "10"]
    web = [*serve, "config.wsgi:application", "--port", str(port)]
    # As many as there are processors: one Python process uses one.
    web += ["--workers", str(min(os.cpu_count() or 1, MOST_WEB_PROCESSES))]
    web += ["--blocking-threads", "8", "--backpressure", "64"]
    # Each thread holds a piece of 16 MiB. Who uploads keeps no page waiting.
    uploads = [*serve, "config.uploads:application", "--port", env.get("UPLOADS_PORT", "")]
    uploads += ["--blocking-threads", "16", "--backpressure", "32"]
    worker = ["celery", "-A", "config", "worker", "--loglevel", "INFO"]
    worker += ["--without-gossip", "--without-mingle"]
    # Addresses of others have a worker of their own, so that they keep nothing of ours waiting.
    calls = [*worker, "-Q", "calls", "-n", "calls@%h", "--concurrency", "1"]
    worker += ["-Q", "celery,letters", "--concurrency", "2"]
    beat = ["celery", "-A", "config", "beat", "--loglevel", "INFO", "--pidfile", ""]
    beat += ["--schedule", str(LOCAL / f"{prefix}celerybeat-schedule")]
    commands = {"web": web, "worker": worker, "calls": calls, "beat": beat}
    if env.get("UPLOADS_PORT"):
        commands["uploads"] = uploads
    return {name: PlatformProcess(prefix + name, [*PYTHON, *words], env) for name, words in commands.items()}


def reloading_parts(port: int, env: Mapping[str, str]) -> dict[str, PlatformProcess]:
    """Return the processes of "make dev", each of which restarts when a file that it has read is saved.

    One worker serves all queues and runs beat, so that few processes restart at the same time.
    """
    usual = parts(port, env)
    watched = [part for app in APPS for part in ("--reload-paths", app)]
    web = [*usual["web"].command[1:], "--workers", "1", "--reload", *watched]
    web += ["--workers-kill-timeout", "1"]
    # Templates and static files are read anew anyway, also saved by way of a file without a suffix.
    web += ["--reload-ignore-patterns", r"^(?!.*\.(py|mo)$)", "--reload-ignore-worker-failure"]
    worker = [*PYTHON, "celery", "-A", "config", "worker", "--loglevel", "INFO", "--beat"]
    worker += ["--without-gossip", "--without-mingle", "--concurrency", "1"]
    worker += ["--schedule", str(LOCAL / "celerybeat-schedule")]
    # The page is seen first, where both start at the same time.
    again = ["watchfiles", "--filter", "python", shlex.join(["nice", "-n", "19", *worker]), *APPS]
    commands = {"web": web, "worker": ["-m", *again]}
    return {name: PlatformProcess(name, [sys.executable, *words], env) for name, words in commands.items()}


def wait_for_servers(platform: Mapping[str, PlatformProcess], port: int, env: Mapping[str, str]) -> None:
    """Wait until the web process answers, and the one for uploads if there is one. Raise `Failed` if one does
    not, for example because its port was taken meanwhile."""
    wait_for_server(platform["web"], port, env)
    if "uploads" in platform:
        wait_for_server(platform["uploads"], int(env["UPLOADS_PORT"]), env)


def wait_for_server(part: PlatformProcess, port: int, env: Mapping[str, str]) -> None:
    """Wait until /healthz answers 200; raise `Failed` if the process ends or never answers."""
    began = told = time.monotonic()
    status = None
    while time.monotonic() - began < PATIENCE:
        if part.died():
            how = f"The {part.name} process, on port {port}, ended while starting."
            raise Failed(f"{how} {last_lines(part.log)}")
        status = health(port, urlsplit(env["SITE_URL"]).netloc)
        if status == HTTPStatus.OK:
            return
        if time.monotonic() - told > 15:
            told = time.monotonic()
            say(f"  the {part.name} process is still starting after {told - began:.0f} s")
        stopping.nap(0.2)
    answer = f"answers {status}" if status else "does not answer"
    raise Failed(
        f"/healthz {answer} on port {port} ({part.name}) after {PATIENCE:.0f} s. {last_lines(part.log)}"
    )


def health(port: int, host: str) -> int | None:
    """Return the status of /healthz, requested under the site's public name; None without an answer."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": host})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


@dataclass(frozen=True)
class Beside:
    """A command that runs beside the platform, and the message for when it has ended."""

    child: "subprocess.Popen[bytes]"
    done: str
    failed: str


def watch(platform: Mapping[str, PlatformProcess], servers: Servers, beside: Beside | None = None) -> None:
    """Watch the processes until somebody asks us to stop, or one keeps dying."""
    while True:
        stopping.nap(0.5)
        if beside and beside.child.poll() is not None:
            say(beside.failed if beside.child.returncode else beside.done)
            beside = None
        for server in servers.dead():
            say(f"{server.name} stopped unexpectedly; its log is {shown(server.log)}.")
            servers.start(server)
        for part in platform.values():
            if part.died():
                _schedule(part)
            elif part.child is None and time.monotonic() >= part.due:
                say(f"[{part.name}] starting again")
                part.start()


def _schedule(part: PlatformProcess) -> None:
    """Note that a process died and when to restart it; give up if it died too often."""
    assert part.child
    code, now = part.child.returncode, time.monotonic()
    part.child = None
    stop_part(part.name)
    part.failures = [then for then in part.failures if now - then < FORGIVEN_AFTER] + [now]
    how = f"signal {-code}" if code < 0 else f"exit {code}"
    if len(part.failures) > len(PAUSES):
        raise Failed(f"[{part.name}] keeps stopping ({how}). {last_lines(part.log)}")
    pause = PAUSES[len(part.failures) - 1]
    part.due = now + pause
    say(f"[{part.name}] stopped unexpectedly ({how}); trying again in {pause} s.")
    say(f"  {last_lines(part.log, 8)}")
