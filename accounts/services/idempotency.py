"""Carry out a request once, even if it is sent twice.

An advisory lock claims the key in the transaction that does the work, so that the answer is stored exactly if
the work is.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from accounts.domain.errors import KeyReused, StillRunning, invalid

LIFETIME = timedelta(hours=24)


@dataclass(frozen=True)
class StoredResponse:
    """An HTTP answer as it was given to the first request."""

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
    answer: Callable[[], StoredResponse],
) -> StoredResponse:
    """Return the first answer that was given for this key, or else the result of `answer()`, which is stored
    if its status is 2xx.

    Raise `KeyReused` if the body differs from that of the first request, `StillRunning` while that one has
    not ended.
    """
    if not 0 < len(key) <= 100:
        raise invalid("Idempotency-Key", "too-long", most=100)
    digest = hashlib.sha256(body).digest()
    name = f"{user_id}:{method}:{path}:{key}".encode()
    lock = int.from_bytes(hashlib.sha256(name).digest()[:8], "big", signed=True)
    named = (user_id, method, path, key)

    def claimed() -> StoredResponse | None:
        with connection.cursor() as cursor:
            cursor.execute(_CLAIM, [lock, *named, now - LIFETIME])
            is_free, status, headers, text, kept_digest = cursor.fetchone()
        if not is_free:
            raise StillRunning
        if status is None:
            return None
        if bytes(kept_digest) != digest:
            raise KeyReused
        return StoredResponse(status, text, json.loads(headers) | {"Idempotency-Replayed": "true"})

    if kept := claimed():
        return kept
    new = answer()
    if not 200 <= new.status < 300:
        # A first request may have ended after we looked for its answer and before we got the lock.
        return claimed() or new
    with connection.cursor() as cursor:
        values = (digest, new.status, json.dumps(new.headers), new.body, now)
        cursor.execute(_KEEP, [*named, *values, now - LIFETIME])
        if not cursor.rowcount:  # it had ended: what was done a second time is rolled back
            raise StillRunning
    return new


_CLAIM = """
    SELECT claim.is_free, kept.status, kept.headers::text, kept.body, kept.body_digest
    FROM (SELECT pg_try_advisory_xact_lock(%s) AS is_free) claim
    LEFT JOIN accounts_idempotencykey kept ON kept.user_id = %s AND kept.method = %s
        AND kept.path = %s AND kept.key = %s AND kept.created_at > %s
"""
_KEEP = """
    INSERT INTO accounts_idempotencykey AS kept
        (user_id, method, path, key, body_digest, status, headers, body, created_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s)
    ON CONFLICT (user_id, method, path, key) DO UPDATE SET (body_digest, status, headers, body,
        created_at) = (excluded.body_digest, excluded.status, excluded.headers, excluded.body,
        excluded.created_at)
    WHERE kept.created_at <= %s
"""
