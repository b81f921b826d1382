"""Name what a session of the database waits for, and who blocks it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper

EVERY = 0.4  # seconds between two looks: a deadlock is found after one, a wait for a lock ends after two
AGAIN = 60.0  # seconds after which a wait for the same sessions is told again

# What a session waits for, and the sessions that block it. A wait for a row, or for older transactions while
# an index is built, has no table. Only members of pg_read_all_stats see states and ages of other roles.
WAITING = """
SELECT coalesce(wait.relation::regclass::text, '') AS name, blocker.pid,
    coalesce(blocker.application_name, ''), coalesce(blocker.usename, ''), coalesce(blocker.state, ''),
    extract(epoch FROM clock_timestamp() - blocker.xact_start)::float
FROM unnest(pg_blocking_pids(%(pid)s)) AS of (pid) JOIN pg_stat_activity AS blocker USING (pid)
    LEFT JOIN pg_locks AS wait ON wait.pid = %(pid)s AND NOT wait.granted
ORDER BY blocker.pid
"""


@contextmanager
def waits_told(connection: BaseDatabaseWrapper, say: Callable[[str], Any]) -> Iterator[None]:
    """While the body runs, tell of each wait of the connection's session: one line for each session that
    blocks it. Looks from a connection of its own, which is opened after the first moment only."""
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    is_over = Event()

    def watch() -> None:
        told: dict[tuple[str, int], int] = {}
        look = 0
        while not is_over.wait(EVERY):
            try:
                with psycopg.connect(**_plain(connection), autocommit=True) as link:
                    while True:
                        look += 1
                        for table, *blocker in link.execute(WAITING, {"pid": pid}):
                            if look >= told.get((table, blocker[0]), 0):
                                told[table, blocker[0]] = look + int(AGAIN / EVERY)
                                say(sentence(table, *blocker))
                        if is_over.wait(EVERY):
                            return
            except psycopg.Error:  # it only tells: the work goes on without
                continue

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _plain(connection: BaseDatabaseWrapper) -> dict[str, Any]:
    """Return the parameters of a second, plain connection to the same database."""
    given = connection.get_connection_params()
    ours = {"cursor_factory", "context", "prepare_threshold", "server_side_binding"}
    named = {name: value for name, value in given.items() if name not in ours}
    return named | {"application_name": "instrument-commons-waits"}


def sentence(table: str, pid: int, application: str, role: str, state: str, seconds: float | None) -> str:
    """Return the line about a session that blocks another."""
    what = f"the table {table}" if table else "another transaction to end"
    names = ", ".join(name for name in (application, role, state) if name)
    age = "" if seconds is None else f", in a transaction for {seconds:.0f} s"
    return f"waits for {what}: session {pid} ({names}){age}"
