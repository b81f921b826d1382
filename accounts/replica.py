"""Reads from a replica of the database. A view or API method marked `from_replica` reads there, everything
else on the primary; no decision is based on such a read.

The replica is used while it is known to have all that was committed `MOST_LAG` seconds ago and, for a person
who has written something, also what they wrote last. Otherwise the same view reads on the primary.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial, wraps
from threading import Lock
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import DEFAULT_DB_ALIAS, Error, InterfaceError, OperationalError, connections

ALIAS = "replica"
MOST_LAG: float = settings.DATABASE_REPLICA_MOST_LAG
EVERY = 1.0  # seconds in which a process asks once
MOMENT = 0.05  # seconds that a standby which keeps up takes at most for what was just written
AWAY = (OperationalError, InterfaceError)
NEVER = "FFFFFFFF/FFFFFFFF"  # a log position that is never reached
HAS = "SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= %s::pg_lsn"

log = logging.getLogger(__name__)
# The primary's connection while a view marked `from_replica` runs, whichever server it reads from.
_primary: ContextVar[Any] = ContextVar("primary", default=None)


class Follower:
    """Knows how far the replica is behind, separately for each server where the address names several. One
    thread of a process measures it for all threads."""

    def __init__(self) -> None:
        self._asking = Lock()
        self._away_until = 0.0
        self._again: dict[str, float] = {}
        self._known: dict[str, float] = {}  # what was committed at this moment is there
        self._mark: dict[str, tuple[float, str]] = {}  # a moment, and where the log ended then

    def behind(self) -> float:
        """Return by how many seconds at most the server that this thread reads from is behind; infinite while
        that is unknown or no server answers."""
        server = self._server()
        is_due = server and time.monotonic() >= self._again.get(server, 0.0)
        if is_due and self._asking.acquire(blocking=False):
            try:
                self._ask(server)
            finally:
                self._asking.release()
        return time.monotonic() - self._known.get(server, float("-inf"))

    def _server(self) -> str:
        """Return the address of the server that this thread is connected to, empty if no connection can be
        made. Then one thread tries again every `MOST_LAG` seconds, and no other waits for it. A query that
        the server cancels in favour of replication closes no connection other than its own."""
        now = time.monotonic()
        if now < self._away_until:
            return ""
        if self._away_until:
            self._away_until = now + MOST_LAG
        link: Any = connections[ALIAS]
        try:
            link.close_if_unusable_or_obsolete()  # after what failed
            link.close_if_health_check_failed()
            link.ensure_connection()
        except AWAY as problem:
            log.warning("The replica does not answer: %s", str(problem).partition("\n")[0])
            self._away_until = time.monotonic() + MOST_LAG
            return ""
        self._away_until = 0.0
        return f"{link.connection.info.host}:{link.connection.info.port}"

    def _ask(self, server: str) -> None:
        now = time.monotonic()
        self._again[server] = now + EVERY
        since, mark = self._mark.get(server, (float("-inf"), ""))
        place = end_of_log()
        if now - since > MOST_LAG:  # the mark says too little, as nobody asked meanwhile
            time.sleep(MOMENT)
        if self.has(place):
            self._known[server] = now
        elif mark and self.has(mark):  # it has that a little later, while others go on writing
            self._known[server] = since
        elif mark:
            return
        self._mark[server] = now, place

    def has(self, place: str) -> bool:
        """Return whether the replica has replayed the primary's log up to a position."""
        try:
            with connections[ALIAS].cursor() as cursor:
                cursor.execute(HAS, [place])
                return bool(cursor.fetchone()[0])
        except AWAY:
            return False


follower = Follower()


def end_of_log() -> str:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_lsn()::text")
        return str(cursor.fetchone()[0])


def acted(name: object) -> None:
    """Note that `name` (a person or a job) has written, so that their reads include what they wrote."""
    if ALIAS in connections:
        try:
            place = end_of_log()
        except Error:
            place = NEVER
        cache.set(f"acted:{name}", place, MOST_LAG + 1)


def has_acts_of(name: object) -> bool:
    """Return whether the replica has what `name` wrote last; older writes are within the lag limit anyway."""
    if ALIAS not in connections or (place := cache.get(f"acted:{name}")) is None:
        return True
    return follower.has(place)


@contextmanager
def _use(connection: Any, primary: Any) -> Iterator[None]:
    """Let querysets and cursors of this thread, which ask for the default connection, use this one
    instead."""
    before = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = connection
    token = _primary.set(primary)
    try:
        yield
    finally:
        _primary.reset(token)
        connections[DEFAULT_DB_ALIAS] = before


@contextmanager
def reading(name: object = None) -> Iterator[bool]:
    """Read from the replica inside the block if it may serve `name`, and yield whether it does. It never
    serves inside a transaction, which must see its own writes. Writing inside the block fails; in tests even
    if the primary serves."""
    usual = connections[DEFAULT_DB_ALIAS]
    serves = (
        ALIAS in connections
        and not (is_reading() or usual.in_atomic_block)
        and follower.behind() <= MOST_LAG
        and (name is None or has_acts_of(name))
    )
    with _use(connections[ALIAS] if serves else usual, _primary.get() or usual):
        yield serves


def is_reading() -> bool:
    """Return whether the present view is marked `from_replica`, whichever server it reads from."""
    return _primary.get() is not None


def is_there() -> bool:
    """Return whether reads now come from the replica."""
    return is_reading() and connections[DEFAULT_DB_ALIAS] is not _primary.get()


@contextmanager
def on_primary() -> Iterator[None]:
    """Use the primary inside the block, although the view reads from the replica: for what it must write, or
    for what later decisions rely on."""
    with _use(_primary.get() or connections[DEFAULT_DB_ALIAS], None):
        yield


def read_by_name[R](name: object, read: Callable[[], R]) -> R:
    """Call `read` on the replica if it serves `name`, and return its result. When the replica goes away
    meanwhile, call it again on the primary."""
    serves = False
    try:
        with reading(name) as serves:
            return read()
    except AWAY as problem:
        if not serves:
            raise
        log.warning("Read anew on the primary: %s", str(problem).partition("\n")[0])
    return read()


def from_replica[**P, R](view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view or API method whose reads may come from the replica."""

    @wraps(view)
    def door(*args: P.args, **kwargs: P.kwargs) -> R:
        request: Any = args[-1]  # `request.user` was loaded from the primary
        return read_by_name(request.user.pk, partial(view, *args, **kwargs))

    return door


def streamed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Return a response's pieces, each of which reads from the same server as now, although the view has
    returned."""
    if not is_reading():
        return pieces
    return _by_steps(pieces, is_there())


def _by_steps(pieces: Iterator[bytes], is_there: bool) -> Iterator[bytes]:
    def use() -> Any:
        usual = connections[DEFAULT_DB_ALIAS]
        return _use(connections[ALIAS] if is_there else usual, usual)

    try:
        while True:
            with use():
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece
    finally:
        with use():
            pieces.close()  # type: ignore[attr-defined]
