"""Carry out the effects in the outbox, and try failed ones again.

A worker takes a row in two steps. First it counts the attempt and postpones the row a little, in a short
transaction that claims it with `skip locked`; so any number of workers share the work, and a row that kills
its worker does not block the queue for ever. Then it carries out the effect, under the row's lock and in the
transaction that also marks it as done. What a payload holds as `private` (a code to sign in, the browser it
belongs to) is erased in that transaction, or when the row is given up.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime

from django.db import OperationalError, connection, transaction

from accounts.database import is_busy
from accounts.domain.jobs import MOST_ATTEMPTS, again_in, in_hand_for
from accounts.models import OutboxMessage
from accounts.prepared import Prepared

log = logging.getLogger(__name__)
Handler = Callable[[OutboxMessage, datetime], str]
DIED = "The worker died each time."


_NEXT = Prepared(
    lambda now, **lane: (
        OutboxMessage.objects.filter(done_at=None, due_at__lte=now, **lane)
        .select_for_update(skip_locked=True)
        .order_by("due_at", "pk")[:1]
    )
)
_CLAIMED = Prepared(
    lambda pk, attempts: OutboxMessage.objects.select_for_update().filter(
        pk=pk, done_at=None, attempts=attempts
    )
)


def outbox_deliver(
    *, handler: Handler, now: datetime, lane: str = "", most: int = 200, seconds: float | None = None
) -> int:
    """Carry out the effects that are due, of one lane if named; return how many.

    `handler` carries out one effect and returns its outcome (`sent`, `skipped`). An effect that fails is
    tried again after growing pauses for a little more than a day. After `seconds` no further one is begun.
    """
    delivered, began = 0, time.monotonic()
    for _ in range(most):
        if seconds is not None and time.monotonic() - began > seconds:
            break
        row = _claim(lane, now)
        if row is None:
            break
        try:
            delivered += _deliver(row, handler, now)
        except OperationalError as error:
            if not is_busy(error):
                raise
    return delivered


@transaction.atomic
def _claim(lane: str, now: datetime) -> OutboxMessage | None:
    named = {"lane": lane} if lane else {}
    while row := _NEXT.first(now=now, **named):
        if row.attempts < MOST_ATTEMPTS:
            row.attempts += 1
            row.tried_at, row.due_at = now, now + in_hand_for(row.attempts)
            row.save(update_fields=["attempts", "tried_at", "due_at"])
            return row
        row.done_at, row.outcome = now, "failed"
        row.last_error = row.last_error or DIED
        log.error("outbox %s %s failed: its worker died", row.kind, row.key)
        row.payload.pop("private", None)
        row.save(update_fields=["done_at", "outcome", "last_error", "payload"])
    return None


@transaction.atomic
def _deliver(claimed: OutboxMessage, handler: Handler, now: datetime) -> int:
    with connection.cursor() as cursor:
        # A mail server may take its time: a session that is ended meanwhile could not say that
        # the mail was sent, and it would be sent again.
        cursor.execute(
            "SET LOCAL idle_in_transaction_session_timeout = '15min'; SET LOCAL lock_timeout = '1s'"
        )
        # Not skipped where it is locked: who looks for work holds it for a moment, to find that it
        # is taken.
        row = _CLAIMED.first(pk=claimed.pk, attempts=claimed.attempts)
        if row is None:  # this worker was so slow that another has taken it
            return 0
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    try:
        with transaction.atomic():
            row.outcome = handler(row, now)
        row.done_at, row.last_error = now, ""
    except Exception as error:  # whatever it is, the next row must not wait for it
        is_last = row.attempts >= MOST_ATTEMPTS
        level = logging.ERROR if is_last else logging.WARNING  # what is tried again is not reported
        log.log(level, "outbox %s %s failed", row.kind, row.key, exc_info=True)
        row.last_error = f"{type(error).__name__}: {error}"[:500]
        row.due_at = now + again_in(row.attempts, row.key)
        if is_last:
            row.done_at, row.outcome = now, "failed"
    if row.done_at is not None:
        row.payload.pop("private", None)  # needed no more
    row.save(update_fields=["outcome", "done_at", "last_error", "due_at", "payload"])
    return int(row.done_at is not None and row.outcome != "failed")
