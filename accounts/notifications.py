"""The outbox's entrance: an effect is written in the transaction that causes it.

Commit nudges a worker by task name. A nudge that is lost costs a minute at the most: the
timetable asks for what is due and not yet done.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from celery import current_app
from django.db import connection, transaction

from accounts.models import OutboxMessage

DELIVER = "bookings.tasks.deliver_messages"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Effect:
    """`key` names the effect once and for all; `due_at` None is at once."""

    kind: str
    key: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    due_at: datetime | None = None


def enqueue(effects: Iterable[Effect], *, now: datetime) -> None:
    """Write effects; one whose key is there already is left as it is.

    One statement, whatever their number.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("An effect is enqueued in the transaction that causes it.")
    rows = [
        OutboxMessage(
            kind=effect.kind,
            key=effect.key,
            payload=dict(effect.payload),
            due_at=effect.due_at or now,
            created_at=now,
        )
        for effect in effects
    ]
    if not rows:
        return
    OutboxMessage.objects.bulk_create(rows, ignore_conflicts=True)
    if any(row.due_at <= now for row in rows):
        transaction.on_commit(nudge, robust=True)


def nudge(task: str = DELIVER) -> None:
    """Wake a worker; without a broker the timetable finds the work."""
    try:
        current_app.send_task(task, retry=False, ignore_result=True)
    except Exception as error:  # any broker failure: the row is committed, nothing is lost
        log.warning("no nudge: %s", error)
