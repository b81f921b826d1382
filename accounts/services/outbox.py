"""Carrying out what the outbox holds.

Rows are claimed with `skip locked`, so that any number of workers share the work, and stay
locked until their effect is had: a worker that dies leaves its row to the next one.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import OutboxMessage

log = logging.getLogger(__name__)
MOST_ATTEMPTS = 12
Handler = Callable[[OutboxMessage, datetime], str]


def outbox_deliver(*, handler: Handler, now: datetime, most: int = 200) -> int:
    """Deliver what is due, one transaction each; the number delivered.

    `handler` has the effect and returns its outcome (`sent`, `skipped`). One that fails is
    tried again, later each time, for about two days.
    """
    delivered = 0
    for _ in range(most):
        with transaction.atomic():
            row = (
                OutboxMessage.objects.select_for_update(skip_locked=True)
                .filter(done_at=None, due_at__lte=now)
                .order_by("due_at")
                .first()
            )
            if row is None:
                break
            row.attempts += 1
            try:
                with transaction.atomic():
                    row.outcome = handler(row, now)
                row.done_at = now
                delivered += 1
            except Exception as error:  # whatever it is, the next row must not wait for it
                log.warning("outbox %s %s failed", row.kind, row.key, exc_info=True)
                row.last_error = f"{type(error).__name__}: {error}"[:500]
                row.due_at = now + timedelta(minutes=min(2**row.attempts, 360))
                if row.attempts >= MOST_ATTEMPTS:
                    row.done_at, row.outcome = now, "failed"
            row.save()
    return delivered


def outbox_clear(*, now: datetime, keep: timedelta = timedelta(days=90)) -> int:
    """Remove what was delivered long ago."""
    return OutboxMessage.objects.filter(done_at__lt=now - keep).delete()[0]
