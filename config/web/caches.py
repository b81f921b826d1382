"""The cache, which may fail: no request waits long for a server that is gone, or fails because of it.

While it is gone, each process keeps in its own memory what must be kept (attempts to sign in, used codes,
counts of facets); sessions are read from the database.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import redis
from django.contrib.sessions.backends.cached_db import KEY_PREFIX as SESSIONS
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

QUIET = 5.0  # seconds in which nobody tries again
PATIENCE = 0.5  # seconds
_quiet_until = 0.0


class Quiet(redis.connection.AbstractConnection):
    """A connection to the cache. After a failed attempt to connect, the process makes no other for a
    while."""

    def connect(self) -> None:
        global _quiet_until
        if time.monotonic() < _quiet_until:
            raise redis.ConnectionError("The cache did not answer a moment ago.")
        try:
            super().connect()  # type: ignore[no-untyped-call]
        except (RedisError, OSError):
            _quiet_until = time.monotonic() + QUIET
            raise


class Connection(Quiet, redis.Connection):
    pass


class TlsConnection(Quiet, redis.SSLConnection):
    """A connection that verifies the server's certificate (`config/env.py` lets nobody switch that off)."""


class Clients(RedisCacheClient):
    """Keeps one client for each server, because creating one takes longer than a command, and Django's
    creates one for each command."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._of_pool: dict[Any, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        pool = self._get_connection_pool(write)  # type: ignore[attr-defined]
        if pool not in self._of_pool:
            self._of_pool[pool] = self._client(connection_pool=pool)  # type: ignore[attr-defined]
        return self._of_pool[pool]


class Cache(RedisCache):
    """A cache in Redis or Valkey that waits half a second at most and never retries. Counting fails while the
    server is gone, and the caller decides what that means."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        given = params.get("OPTIONS", {})
        shortly = {
            "connection_class": TlsConnection if server.startswith("rediss:") else Connection,
            "socket_connect_timeout": PATIENCE,
            "socket_timeout": PATIENCE,
            "retry": Retry(NoBackoff(), 0),
        }
        super().__init__(server, params | {"OPTIONS": shortly | given})
        self._class = Clients
        self._here = LocMemCache("while-the-server-is-gone", {})
        self._nowhere = DummyCache("", {})

    def count(self, windows: Mapping[str, int]) -> list[int]:
        """Add one to the count of each window, which expires some seconds after its first increment, and
        return the new counts, in one round trip. Raise `RedisError` while the server is gone."""
        batch = self._cache.get_client(write=True).pipeline(transaction=False)
        for key, seconds in windows.items():
            name = self.make_and_validate_key(key)
            batch.set(name, 0, ex=seconds, nx=True)
            batch.incr(name)
        numbers: list[int] = batch.execute()[1::2]
        return numbers

    def get(self, key: Any, *args: Any, **kwargs: Any) -> Any:
        return self._try(super().get, key, *args, **kwargs)

    def set(self, key: Any, *args: Any, **kwargs: Any) -> Any:
        return self._try(super().set, key, *args, **kwargs)

    def add(self, key: Any, *args: Any, **kwargs: Any) -> Any:
        return self._try(super().add, key, *args, **kwargs)

    def delete(self, key: Any, *args: Any, **kwargs: Any) -> Any:
        return self._try(super().delete, key, *args, **kwargs)

    def touch(self, key: Any, *args: Any, **kwargs: Any) -> Any:
        return self._try(super().touch, key, *args, **kwargs)

    def has_key(self, key: Any, *args: Any, **kwargs: Any) -> Any:
        return self._try(super().has_key, key, *args, **kwargs)

    def _try(self, act: Callable[..., Any], key: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return act(key, *args, **kwargs)
        except RedisError:
            # A session that ended elsewhere must not live on in this process.
            is_session = str(key).startswith(SESSIONS)
            instead: BaseCache = self._nowhere if is_session else self._here
            return getattr(instead, act.__name__)(key, *args, **kwargs)
