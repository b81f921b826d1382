"""Connections to the cache that make no request wait for a server that is gone."""

import time

import redis
from redis.exceptions import RedisError

QUIET = 5.0  # seconds in which nobody tries again
_quiet_until = 0.0


class Connection(redis.Connection):
    """One that could not be made keeps the process from trying for a while: what uses the cache
    goes on without it at once."""

    def connect(self) -> None:
        global _quiet_until
        if time.monotonic() < _quiet_until:
            raise redis.ConnectionError("The cache did not answer a moment ago.")
        try:
            super().connect()  # type: ignore[no-untyped-call]
        except (RedisError, OSError):
            _quiet_until = time.monotonic() + QUIET
            raise
