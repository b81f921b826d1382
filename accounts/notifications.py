"""Enqueue effects: each is stored in the outbox in the transaction that causes it.

After the commit a worker is nudged by the name of its task. A lost nudge costs a minute at most, because the
timetable looks for effects that are due and not yet done.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from threading import Lock, Timer
from typing import Any

from celery import current_app
from django.db import connection, transaction
from kombu.pools import producers

from accounts.areas import areas, computed
from accounts.domain.jobs import CALLS, EFFECTS, LETTERS, SIGN_IN, lane_of
from accounts.models import OutboxMessage
from accounts.prepared import insert

TASKS = {
    EFFECTS: "bookings.tasks.carry_out_effects",
    SIGN_IN: "bookings.tasks.deliver_messages",
    LETTERS: "bookings.tasks.deliver_messages",
    CALLS: "bookings.tasks.make_calls",
}
STALE = 60  # seconds after which the timetable has long found the work
PATIENCE = 0.5  # seconds
QUIET = 10.0  # seconds without a nudge after one that failed: no request waits for a dead broker
APART = 0.05  # seconds between the nudges that a process gives for one task
log = logging.getLogger(__name__)
_quiet_until = 0.0
_free_at: dict[str, float] = {}  # when the next may be given at once; by task
_giving = Lock()


@dataclass(frozen=True)
class Effect:
    """An effect to enqueue. `key` identifies it for ever, so that it happens only once; `due_at` None means
    at once."""

    kind: str
    key: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    due_at: datetime | None = None


@computed
def _lanes() -> dict[str, str]:
    return {kind: lane for area in areas() for kind, lane in area.lanes.items()}


def enqueue(effects: Iterable[Effect], *, now: datetime) -> None:
    """Store effects in the outbox; an effect whose key exists already is skipped.

    It takes one statement, whatever their number.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("An effect is enqueued in the transaction that causes it.")
    rows = [
        OutboxMessage(
            kind=effect.kind,
            lane=lane_of(effect.kind, _lanes()),
            key=effect.key,
            payload=dict(effect.payload),
            due_at=effect.due_at or now,
            created_at=now,
        )
        for effect in effects
    ]
    if not rows:
        return
    insert(rows, ignore_conflicts=True)
    waits: dict[str, float] = {}
    for row in rows:
        wait = max(0.0, (row.due_at - now).total_seconds())
        if wait < STALE:  # later ones the timetable finds in time
            task = TASKS[row.lane]
            waits[task] = min(wait, waits.get(task, wait))
    for task, wait in waits.items():
        transaction.on_commit(partial(nudge, task, wait), robust=True)


def nudge(task: str = TASKS[LETTERS], wait: float = 0) -> None:
    """Wake a worker in `wait` seconds; without a broker the timetable finds the work. Calls that follow
    immediately are merged into one a moment later, so that the worker comes after all of them."""
    now = time.monotonic()
    with _giving:
        free_at = now if wait else _free_at.get(task, now)
        if now < free_at - APART:  # one is still to come
            return
        if not wait:
            _free_at[task] = max(now, free_at) + APART
    if now >= free_at:
        _send(task, wait)
    else:
        trailing = Timer(free_at - now, _send, [task, 0])
        trailing.daemon = True
        trailing.start()


def _send(task: str, wait: float) -> None:
    """Nudge a worker. A nudge that fails keeps the process from trying for a while."""
    global _quiet_until
    if time.monotonic() < _quiet_until:
        return
    try:
        with _producers().acquire(block=True, timeout=PATIENCE) as producer:
            current_app.send_task(
                task,
                producer=producer,
                retry=False,
                ignore_result=True,
                countdown=wait or None,
                expires=wait + STALE,
            )
    except Exception as error:  # any broker failure: the row is committed, nothing is lost
        _quiet_until = time.monotonic() + QUIET
        log.warning("no nudge: %s", error)


@cache
def _producers() -> Any:
    """Return connections to the broker for nudges only. They time out soon, because a request waits for them;
    workers wait longer for the broker."""
    shortly = {"socket_connect_timeout": PATIENCE, "socket_timeout": PATIENCE}
    return producers[current_app.connection_for_write(transport_options=shortly)]
