"""Reads from a replica of the database, by name: a door that is marked `from_replica` reads there,
everything else on the primary. Nothing is decided by what is read so.

It serves while it is known to have all that was committed `MOST_LAG` seconds ago, and somebody who
wrote only once it has that, too; otherwise the same door reads on the primary.
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
NEVER = "FFFFFFFF/FFFFFFFF"  # no log comes so far
HAS = "SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= %s::pg_lsn"

log = logging.getLogger(__name__)
# The primary's connection while a door reads by name, be it there or on the replica.
_primary: ContextVar[Any] = ContextVar("primary", default=None)


class Follower:
    """What this process knows of the replica, of each server apart where the address names several.
    One of its threads asks for all."""

    def __init__(self) -> None:
        self._asking = Lock()
        self._away_until = 0.0
        self._again: dict[str, float] = {}
        self._known: dict[str, float] = {}  # what was committed at this moment is there
        self._mark: dict[str, tuple[float, str]] = {}  # a moment, and where the log ended then

    def behind(self) -> float:
        """By so many seconds at most the server that this thread reads from; infinite while that is
        not known, or none answers."""
        server = self._server()
        is_due = server and time.monotonic() >= self._again.get(server, 0.0)
        if is_due and self._asking.acquire(blocking=False):
            try:
                self._ask(server)
            finally:
                self._asking.release()
        return time.monotonic() - self._known.get(server, float("-inf"))

    def _server(self) -> str:
        """The one that this thread is connected to; none where there is no connection to be had:
        then one thread tries again each `MOST_LAG` seconds, and nobody else waits for it. What was
        cancelled there in favour of what it replays ends no connection, or only that one."""
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
        """Whether it has all of the primary's log up to there."""
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
    """Note that somebody (or a job) wrote, so that `name` reads what it wrote."""
    if ALIAS in connections:
        try:
            place = end_of_log()
        except Error:
            place = NEVER
        cache.set(f"acted:{name}", place, MOST_LAG + 1)


def has_acts_of(name: object) -> bool:
    """Whether the replica has what they wrote; what is older than the bound it has."""
    if ALIAS not in connections or (place := cache.get(f"acted:{name}")) is None:
        return True
    return follower.has(place)


@contextmanager
def _use(connection: Any, primary: Any) -> Iterator[None]:
    """Whoever asks for the usual connection of this thread, as querysets and cursors do, gets this
    one."""
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
    """What is read within comes from the replica if it serves `name`; whether it does. Not in a
    transaction, which sees what it has written. A write fails there, and in tests everywhere."""
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
    """Whether a door reads by name, wherever that is."""
    return _primary.get() is not None


def is_there() -> bool:
    """Whether what is read now comes from the replica."""
    return is_reading() and connections[DEFAULT_DB_ALIAS] is not _primary.get()


@contextmanager
def on_primary() -> Iterator[None]:
    """Within a door that reads by name: what is written all the same, or kept for those who
    decide."""
    with _use(_primary.get() or connections[DEFAULT_DB_ALIAS], None):
        yield


def read_by_name[R](name: object, read: Callable[[], R]) -> R:
    """What `read` returns, of the replica if it serves `name`. Where that fails meanwhile it begins
    anew on the primary."""
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
    """A door, a page or a method of the API, that reads by name."""

    @wraps(view)
    def door(*args: P.args, **kwargs: P.kwargs) -> R:
        request: Any = args[-1]  # whose user the primary knows
        return read_by_name(request.user.pk, partial(view, *args, **kwargs))

    return door


def streamed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces, each of which is read as it would be now, though the door has been left."""
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
