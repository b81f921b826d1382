"""Limit how many requests one person and one network address may send.

Requests are counted in fixed time windows, one number per window in the cache; all counters of a request take
one round trip. If the cache does not answer, nobody is limited.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

log = logging.getLogger(__name__)


class Throttle(SimpleRateThrottle):
    """Allows a number of requests per key and time window. `scope` names the rate in the settings; a scope
    without a rate refuses nothing."""

    num_requests: int
    duration: int  # seconds
    left = 0.0  # seconds to the end of the window

    def get_rate(self) -> str | None:
        rates: Mapping[str, str | None] = self.THROTTLE_RATES
        return rates.get(str(self.scope))

    def window(self, request: Request, view: Any) -> str | None:
        """Return the key under which the request is counted; None when it is not counted."""
        if self.rate is None or (who := self.get_cache_key(request, view)) is None:
            return None
        window, passed = divmod(self.timer(), self.duration)
        self.left = self.duration - passed
        return f"{who}:{int(window)}"

    def allow_request(self, request: Request, view: Any) -> bool:
        return not exceeded([self], request, view)

    def wait(self) -> float:
        return self.left

    def of(self, who: object) -> str:
        return self.cache_format % {"scope": self.scope, "ident": who}


def exceeded(throttles: Iterable[Any], request: Request, view: Any) -> list[Throttle]:
    """Count a request for each of these throttles, and return those whose limit it exceeds."""
    counting = {key: t for t in throttles if (key := t.window(request, view))}
    if not counting:
        return []
    try:
        numbers = _count({key: throttle.duration for key, throttle in counting.items()})
    except RedisError as error:
        log.warning("requests are not counted: %s", error)
        return []
    pairs = zip(counting.values(), numbers, strict=True)
    return [throttle for throttle, number in pairs if number > throttle.num_requests]


def _count(windows: Mapping[str, int]) -> list[int]:
    if hasattr(cache, "count"):
        return list(cache.count(windows))
    for key, seconds in windows.items():
        cache.add(key, 0, timeout=seconds)
    return [cache.incr(key) for key in windows]


class Strangers(Throttle):
    """Limits the requests of people who are not signed in, by network address. Requests with an invalid token
    count here."""

    scope = "anon"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        is_somebody = view is not None and request.user.is_authenticated
        return None if is_somebody else self.of(self.get_ident(request))


class People(Throttle):
    """Limits the requests of a person who is signed in, whatever address they come from."""

    scope = "user"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        return self.of(request.user.pk) if request.user.is_authenticated else None


class Writers(People):
    """Limits a person's requests that change something."""

    scope = "writes"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        writes = request.method not in {"GET", "HEAD", "OPTIONS"} and not view.only_reads
        return super().get_cache_key(request, view) if writes else None


class Addresses(Throttle):
    """Limits all requests from one network address together."""

    scope = "address"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        return self.of(self.get_ident(request))
