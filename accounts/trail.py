"""Write entries into the trail; nothing else does.

An entry's digest is SHA-256 over its canonical JSON (RFC 8785). Free text and other things that may have to
be erased are stored in a side row; the entry holds their salted digest.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from django.db import connection

from accounts.domain.canonical import canonical_json
from accounts.domain.roles import By, Places
from accounts.models import TrailEntry, TrailText
from accounts.models.copying import rows_copy
from accounts.models.keys import new_id
from accounts.prepared import insert

_SAFE_INTEGER = 2**53
_BATCH = 2000
_MANY = 500  # as many are copied


@dataclass(frozen=True)
class Change:
    """An entry to write: `by` did `action` to the row `target`. `places` are the organisations and regions
    that it concerns; by default those of the row's method `places()`, if its model has one."""

    by: By
    action: str
    target: Any
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    places: Places | None = None


def plain(value: Any) -> Any:
    """Return `value` as canonical JSON can represent it: strings, integers, booleans, lists and mappings of
    these."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if abs(value) < _SAFE_INTEGER else str(value)
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case date() | UUID():
            return str(value)
        case Decimal() | float():
            return str(value)
        case dict() | Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case _ if isinstance(value, Iterable):
            return [plain(item) for item in value]
        case _:
            return str(value)


def canonical(entry: TrailEntry) -> bytes:
    """Return the canonical JSON of an entry, over which its digest is taken."""
    facts = {
        "id": str(entry.id),
        "at": plain(entry.at),
        "actor": entry.actor_id and str(entry.actor_id),
        "action": entry.action,
        "object_type": entry.object_type,
        "object_id": str(entry.object_id),
        "organisations": [str(pk) for pk in entry.organisation_ids],
        "regions": [str(pk) for pk in entry.region_ids],
        "request": entry.request_id,
        "text": bytes(entry.text_digest).hex() if entry.text_digest else None,
        # What was before and after is plain already.
        "before": entry.before,
        "after": entry.after,
    }
    return canonical_json(facts)


def text_digest(salt: bytes, content: Mapping[str, str]) -> bytes:
    """Return SHA-256 over the salt and the canonical JSON of the side row's content."""
    return hashlib.sha256(salt + canonical_json(dict(content))).digest()


def record(
    by: By,
    action: str,
    target: Any,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    places: Places | None = None,
) -> TrailEntry:
    """Write one entry in the caller's transaction.

    `target` is the changed row; `action` is `<entity>.<verb>`. `before` and `after` contain no secrets and no
    free text about people. `places` say whom the entry concerns, if that differs from what the row itself
    says.
    """
    return record_all([Change(by, action, target, before or {}, after or {}, reason, places)])[0]


def record_many(
    by: By,
    *,
    changes: Iterable[tuple[str, Any, Mapping[str, Any], Mapping[str, Any], str]],
    places: Places | None = None,
) -> list[TrailEntry]:
    """Record many changes, each given as (action, target, before, after, reason), in one statement; see
    `record`."""
    return record_all(
        Change(by, action, target, before, after, reason, places)
        for action, target, before, after, reason in changes
    )


def record_all(changes: Iterable[Change]) -> list[TrailEntry]:
    """Record many changes, each by its own person and at its own place; see `record`."""
    if not connection.in_atomic_block:
        raise RuntimeError("The trail is written in the same transaction as the change.")
    request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))[:64]
    entries, texts = [], []
    for change in changes:
        entry = _entry(change, request_id)
        if change.reason:
            salt, content = os.urandom(16), {"reason": change.reason}
            texts.append(TrailText(entry=entry, salt=salt, content=content))
            entry.text_digest = text_digest(salt, content)
        entry.digest = hashlib.sha256(canonical(entry)).digest()
        entries.append(entry)
    if len(entries) > _MANY:
        rows_copy(entries)
    else:
        insert(entries)
    TrailText.objects.bulk_create(texts, batch_size=_BATCH)
    return entries


def _entry(change: Change, request_id: str) -> TrailEntry:
    places = change.places
    if places is None:
        places = change.target.places() if hasattr(change.target, "places") else ((), ())
    organisation_ids, region_ids = places
    return TrailEntry(
        id=new_id(),
        at=change.by.now,
        actor_id=change.by.actor.user_id,
        action=change.action,
        object_type=change.target._meta.model_name,
        object_id=change.target.pk,
        organisation_ids=sorted(set(organisation_ids)),
        region_ids=sorted(set(region_ids)),
        before=plain(change.before),
        after=plain(change.after),
        request_id=request_id,
    )
