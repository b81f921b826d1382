"""Carrying out the outbox: each kind of effect is passed to the area that handles it."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError

from accounts.domain.jobs import CALLS, LETTERS, SIGN_IN
from accounts.letters.kinds import letters_of
from accounts.letters.mails import mail_of
from accounts.models import OutboxMessage
from accounts.services.messages import mail_may_leave, mail_send, messages_give, one_connection
from accounts.services.outbox import outbox_deliver
from accounts.work import effects, letters
from bookings.messaging.services.webhooks import events_tell

log = logging.getLogger(__name__)
GROUP = 16  # effects that a worker claims at once
# Where a code is waited for, or the addresses of others take their time, one.
GROUPS = {SIGN_IN: 1, LETTERS: 8, CALLS: 1}


def effects_carry_out(*, now: datetime, lane: str = "", most: int = 200, seconds: float | None = None) -> int:
    """Carry out the effects that are due, only those of a `lane` if given; return how many were done."""
    return outbox_deliver(
        handler=_carry_out,
        together=_told_together,
        group=GROUPS.get(lane, GROUP),
        now=now,
        lane=lane,
        most=most,
        seconds=seconds,
    )


def mails_carry_out(*, now: datetime) -> int:
    """Send the mails that are due, those for signing in first; return how many. Nothing is sent while the
    mail server is unreachable."""
    if not mail_may_leave():
        return 0
    with one_connection():
        return sum(effects_carry_out(now=now, lane=lane, seconds=10) for lane in (SIGN_IN, LETTERS))


def _carry_out(row: OutboxMessage, now: datetime) -> str:
    return effects().get(row.kind.partition(".")[0], _told)(row, now=now)


def _told(row: OutboxMessage, *, now: datetime) -> str:
    """Tell people and webhooks of an effect; return its outcome. People with an account find the message in
    their inbox, too; others get only mail, which is sent at once."""
    written = letters_of(row, now, letters())
    mails = [mail_of(one, one.person, str(row.pk)) for one in written if one.is_to_stranger]
    mailed = mail_send(mails)
    (given,) = messages_give([(row, [one for one in written if not one.is_to_stranger])], now=now)
    events_tell(row, now=now)
    return given if mailed == "skipped" else mailed


def _told_together(rows: Sequence[OutboxMessage], now: datetime) -> Mapping[UUID, str]:
    """Tell people with an account and webhooks of several effects; return the outcomes by id. Left out is
    what is more than a message, what goes to people without an account, and what cannot be written."""
    written = []
    for row in rows:
        if row.kind.partition(".")[0] in effects():
            continue
        try:
            own = letters_of(row, now, letters())
        except DatabaseError:
            raise
        except Exception:  # it is tried alone, and says then what is wrong
            log.warning("outbox %s %s cannot be written", row.kind, row.key, exc_info=True)
            continue
        if not any(letter.is_to_stranger for letter in own):
            written.append((row, own))
    given = messages_give(written, now=now)
    events_tell(*(row for row, _ in written), now=now)
    return {row.pk: outcome for (row, _), outcome in zip(written, given, strict=True)}
