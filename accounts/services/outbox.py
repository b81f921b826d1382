"""Carry out the effects in the outbox, and try failed ones again.

A worker takes rows in two steps. First it counts the attempt and postpones the rows a little, in a short
transaction that claims them with `skip locked`; so any number of workers share the work, and a row that kills
its worker does not block the queue for ever. Rows that are tried for the first time are claimed in groups;
one that has been tried before is claimed alone, so that it takes no others with it.

Then it carries out the effects, under the rows' locks and in the transaction that also marks them as done.
What only writes rows is carried out for a group together, with what several need loaded once; if that fails,
nothing of it is kept, and each is done alone. What a payload holds as `private` (a code to sign in, the
browser it belongs to) is erased in that transaction, or when the row is given up.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction

from accounts.database import is_away, is_busy
from accounts.domain.jobs import MOST_ATTEMPTS, again_in, in_hand_for
from accounts.models import OutboxMessage
from accounts.prepared import Prepared

log = logging.getLogger(__name__)
Handler = Callable[[OutboxMessage, datetime], str]
Together = Callable[[Sequence[OutboxMessage], datetime], Mapping[UUID, str]]
DIED = "The worker died each time."


_DUE = Prepared(
    lambda most, now, **lane: (
        OutboxMessage.objects.filter(done_at=None, due_at__lte=now, **lane)
        .select_for_update(skip_locked=True)
        .order_by("due_at", "pk")[:most]
    )
)
_CLAIMED = Prepared(
    lambda ids, attempts: (
        OutboxMessage.objects.select_for_update()
        .filter(pk__one_of=ids, done_at=None, attempts=attempts)
        .order_by("pk")
    )
)

_TAKEN = "UPDATE accounts_outboxmessage SET attempts = %s, tried_at = %s, due_at = %s WHERE id = ANY(%s)"
_DONE = (
    "UPDATE accounts_outboxmessage SET outcome = %s, done_at = %s, last_error = '',"
    " payload = payload - 'private' WHERE id = ANY(%s)"
)


def outbox_deliver(
    *,
    handler: Handler,
    now: datetime,
    together: Together = lambda rows, now: {},
    group: int = 1,
    lane: str = "",
    most: int = 200,
    seconds: float | None = None,
) -> int:
    """Carry out the effects that are due, of one lane if named; return how many.

    `handler` carries out one effect and returns its outcome (`sent`, `skipped`). `together` carries out those
    of a group that only write rows and returns their outcomes by id; the handler gets the others. A `group`
    of several is for effects that take no time: behind a slow one the others wait until they are due again,
    in a few seconds. An effect that fails is tried again after growing pauses for a little more than a day.
    After `seconds` no further one is begun.
    """
    delivered, began = 0, time.monotonic()

    def is_over() -> bool:
        return seconds is not None and time.monotonic() - began > seconds

    while most > 0 and not is_over() and (rows := _claim(lane, now, min(group, most))):
        most -= len(rows)
        done = _deliver_together(rows, together, now) if len(rows) > 1 else {}
        delivered += len(done)
        for row in rows:
            if row.pk in done or is_over():
                continue
            try:
                delivered += _deliver(row, handler, now)
            except OperationalError as error:
                if not is_busy(error):
                    raise
    return delivered


@transaction.atomic
def _claim(lane: str, now: datetime, most: int) -> list[OutboxMessage]:
    named = {"lane": lane} if lane else {}
    while rows := _DUE.rows(most, now=now, **named):
        if rows[0].attempts < MOST_ATTEMPTS:
            attempts = rows[0].attempts
            taken = [row for row in rows if row.attempts == 0] if attempts == 0 else rows[:1]
            due = now + in_hand_for(attempts + 1)
            _write(_TAKEN, attempts + 1, now, due, [row.pk for row in taken])
            for row in taken:
                row.attempts = attempts + 1
            return taken
        row = rows[0]
        row.done_at, row.outcome = now, "failed"
        row.last_error = row.last_error or DIED
        log.error("outbox %s %s failed: its worker died", row.kind, row.key)
        row.payload.pop("private", None)
        row.save(update_fields=["done_at", "outcome", "last_error", "payload"])
    return []


def _write(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _locked(claimed: Sequence[OutboxMessage]) -> list[OutboxMessage]:
    """Lock claimed rows and return those that no other worker has taken, as this one was so slow."""
    with connection.cursor() as cursor:
        # A mail server may take its time: a session that is ended meanwhile could not say that
        # the mail was sent, and it would be sent again.
        cursor.execute(
            "SET LOCAL idle_in_transaction_session_timeout = '15min'; SET LOCAL lock_timeout = '1s'"
        )
        # Not skipped where it is locked: who looks for work holds it for a moment, to find that it
        # is taken.
        rows = _CLAIMED.rows(ids=[row.pk for row in claimed], attempts=claimed[0].attempts)
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    order = {row.pk: at for at, row in enumerate(claimed)}
    return sorted(rows, key=lambda row: order[row.pk])


def _deliver_together(
    claimed: Sequence[OutboxMessage], together: Together, now: datetime
) -> Mapping[UUID, str]:
    """Carry out what can be done in one transaction; return the outcomes, none if it failed."""
    try:
        with transaction.atomic():
            outcomes = together(_locked(claimed), now)
            by_outcome: dict[str, list[UUID]] = {}
            for pk, outcome in outcomes.items():
                by_outcome.setdefault(outcome, []).append(pk)
            for outcome, ids in by_outcome.items():
                _write(_DONE, outcome, now, ids)
            return outcomes
    except Exception:  # each is tried alone, and says then what is wrong with it
        log.warning("outbox: a group of %s failed", len(claimed), exc_info=True)
        return {}


def _deliver(claimed: OutboxMessage, handler: Handler, now: datetime) -> int:
    row = None
    try:
        with transaction.atomic():
            row = next(iter(_locked([claimed])), None)
            if row is None:
                return 0
            outcome = handler(row, now)
            _write(_DONE, outcome, now, [row.pk])
            return int(outcome != "failed")
    except Exception as error:  # whatever it is, the next row must not wait for it
        if row is None or is_away(error):  # nothing is wrong with the row
            raise
        _failed(claimed, error, now)
        return 0


@transaction.atomic
def _failed(claimed: OutboxMessage, error: Exception, now: datetime) -> None:
    """Write down why an effect failed, and when it is tried again."""
    for row in _locked([claimed]):
        is_last = row.attempts >= MOST_ATTEMPTS
        level = logging.ERROR if is_last else logging.WARNING  # what is tried again is not reported
        log.log(level, "outbox %s %s failed", row.kind, row.key, exc_info=error)
        row.last_error = f"{type(error).__name__}: {error}"[:500]
        row.due_at = now + again_in(row.attempts, row.key)
        if is_last:
            row.done_at, row.outcome = now, "failed"
            row.payload.pop("private", None)
        row.save(update_fields=["outcome", "done_at", "last_error", "due_at", "payload"])
