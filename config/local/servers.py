"""Run both bundled servers: they start if no real ones are named, are shared, and the last user stops them.

Every launcher that uses them holds `users.lock` in shared mode; one that can take it exclusively at the end
is the last and stops them. The system releases the lock of a launcher that was killed, so nobody waits for
it.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO

from config.local import stopping
from config.local.checkout import LOCAL, LOGS, locked, try_lock
from config.local.console import say, step
from config.local.postgres import Postgres
from config.local.valkey import Valkey

Server = Postgres | Valkey


class Servers:
    """The servers that the environment does not name. `purpose` is "", "test" or "bench": each has its own
    files; those of tests may lose all data in a crash."""

    def __init__(self, env: Mapping[str, str], purpose: str = "") -> None:
        prefix = f"{purpose}-" if purpose else ""
        durable = purpose != "test"
        self.bundled: dict[str, Server] = {}
        if not env.get("DATABASE_URL"):
            log = LOGS / f"{prefix}postgres.log"
            self.bundled["DATABASE_URL"] = Postgres(LOCAL / f"{prefix}postgres", log, durable=durable)
        if not env.get("REDIS_URL"):
            log = LOGS / f"{prefix}valkey.log"
            self.bundled["REDIS_URL"] = Valkey(LOCAL / f"{prefix}valkey", log, durable=durable)
        self._changing = LOCAL / f"{prefix}servers.lock"
        self._users = LOCAL / f"{prefix}users.lock"

    def addresses(self) -> dict[str, str]:
        return {name: server.url for name, server in self.bundled.items()}

    def dead(self) -> list[Server]:
        return [server for server in self.bundled.values() if not server.running()]

    @contextmanager
    def running(self, *, quietly: bool = False) -> Iterator[None]:
        """Run the servers during the block. `quietly`: print nothing at the end, because another message
        follows."""
        LOCAL.mkdir(exist_ok=True)
        with self._users.open("a", encoding="utf-8") as users:
            try:
                with locked(self._changing):
                    try_lock(users, fcntl.LOCK_SH)
                    for server in self.bundled.values():
                        self.start(server)
                yield
            finally:
                with stopping.holding_back():
                    self._leave(users, quietly)

    def start(self, server: Server) -> None:
        """Start a server unless it is running."""
        if server.running():
            say(f"{server.name} is running already.")
            return
        with step(f"Starting {server.name}"):
            server.start(dict(os.environ))

    def stop(self, *, quietly: bool = False) -> None:
        """Stop the servers in order, even if somebody uses them."""
        for server in reversed(self.bundled.values()):
            if server.running():
                if not quietly:
                    say(f"Stopping {server.name} ...")
                server.stop()

    def _leave(self, users: IO[str], quietly: bool) -> None:
        with locked(self._changing):
            fcntl.flock(users, fcntl.LOCK_UN)
            if try_lock(users, fcntl.LOCK_EX):
                self.stop(quietly=quietly)
            elif self.bundled and not quietly:
                say("The servers stay up: another command of this checkout uses them.")
