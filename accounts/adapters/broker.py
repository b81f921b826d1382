"""Ask the broker whether it answers."""

from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

PATIENCE = 0.5  # seconds: a page waits for it
# By itself the client would try again three times.
SHORTLY: dict[str, Any] = {
    "socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE, "retry": Retry(NoBackoff(), 0),
}  # fmt: skip


def broker_problem() -> str:
    """Return why the broker does not answer, in one line without its address; nothing if it does."""
    try:
        with redis.Redis.from_url(settings.CELERY_BROKER_URL, **SHORTLY) as wire:
            wire.ping()
    except redis.RedisError as problem:
        return type(problem).__name__
    return ""
