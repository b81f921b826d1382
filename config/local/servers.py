"""Both bundled servers: started when no real ones are named, shared, stopped by the last.

Every launcher that uses them holds `users.lock` in company; whoever can have it alone at
the end is the last and stops them. The system takes a lock back from a launcher that was
killed, so nobody is waited for in vain.
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
    """What the environment does not name. `purpose` is "", "test" or "bench": each has files of its
    own, and those of tests may lose everything."""

    def __init__(self, env: Mapping[str, str], purpose: str = "") -> None:
        prefix = f"{purpose}-" if purpose else ""
        durable = purpose != "test"
        self.bundled: dict[str, Server] = {}
        if not env.get("DATABASE_URL"):
            log = LOGS / f"{prefix}postgres.log"
            self.bundled["DATABASE_URL"] = Postgres(
                LOCAL / f"{prefix}postgres", log, durable=durable
            )
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
        """Within, they run. `quietly`: nothing is said at the end, which another line needs."""
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
        """Starts one, unless it runs already."""
        if server.running():
            say(f"{server.name} is running already.")
            return
        with step(f"Starting {server.name}"):
            server.start(dict(os.environ))

    def stop(self, *, quietly: bool = False) -> None:
        """Stops them in order, whoever uses them."""
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
