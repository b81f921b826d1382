"""A request sent twice is carried out once.

The key is claimed with an advisory transaction lock in the transaction that does the work,
so the answer is kept exactly if the work is.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from accounts.domain.errors import KeyReused, StillRunning, invalid
from accounts.models import IdempotencyKey

LIFETIME = timedelta(hours=24)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer as it was given the first time."""

    status: int
    body: str
    headers: dict[str, str]


@transaction.atomic
def idempotent(
    *,
    user_id: UUID,
    method: str,
    path: str,
    key: str,
    body: bytes,
    now: datetime,
    answer: Callable[[], Answer],
) -> Answer:
    """Return the first answer to this key, or `answer()` made now; only 2xx answers are kept.

    `KeyReused` with another body; `StillRunning` while the first has not ended.
    """
    if not 0 < len(key) <= 100:
        raise invalid("Idempotency-Key", "too-long", most=100)
    digest = hashlib.sha256(body).digest()
    name = f"{user_id}:{method}:{path}:{key}".encode()
    lock = int.from_bytes(hashlib.sha256(name).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock])
        if not cursor.fetchone()[0]:
            raise StillRunning
    mine = IdempotencyKey.objects.filter(user_id=user_id, method=method, path=path, key=key)
    kept = mine.first()
    if kept is not None and kept.created_at > now - LIFETIME:
        if bytes(kept.body_digest) != digest:
            raise KeyReused
        return Answer(kept.status, kept.body, kept.headers | {"Idempotency-Replayed": "true"})
    new = answer()
    if 200 <= new.status < 300:
        IdempotencyKey.objects.update_or_create(
            user_id=user_id,
            method=method,
            path=path,
            key=key,
            defaults={
                "body_digest": digest,
                "status": new.status,
                "headers": new.headers,
                "body": new.body,
                "created_at": now,
            },
        )
    return new
