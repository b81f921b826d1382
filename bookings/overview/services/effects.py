"""Carrying out the outbox: each kind of effect is passed to the area that handles it."""

from datetime import datetime

from accounts.domain.jobs import LETTERS, SIGN_IN
from accounts.letters.kinds import letters_of
from accounts.letters.mails import mail_of
from accounts.models import OutboxMessage
from accounts.services.messages import mail_may_leave, mail_send, messages_give
from accounts.services.outbox import outbox_deliver
from accounts.work import effects, letters
from bookings.messaging.services.webhooks import events_tell


def effects_carry_out(*, now: datetime, lane: str = "", most: int = 200, seconds: float | None = None) -> int:
    """Carry out the effects that are due, only those of a `lane` if given; return how many were done."""
    return outbox_deliver(handler=_carry_out, now=now, lane=lane, most=most, seconds=seconds)


def mails_carry_out(*, now: datetime) -> int:
    """Send the mails that are due, those for signing in first; return how many. Nothing is sent while the
    mail server is unreachable."""
    if not mail_may_leave():
        return 0
    return sum(effects_carry_out(now=now, lane=lane, seconds=10) for lane in (SIGN_IN, LETTERS))


def _carry_out(row: OutboxMessage, now: datetime) -> str:
    return effects().get(row.kind.partition(".")[0], _told)(row, now=now)


def _told(row: OutboxMessage, *, now: datetime) -> str:
    """Tell people and webhooks of an effect; return its outcome. People with an account find the message in
    their inbox, too; others get only mail, which is sent at once."""
    written = letters_of(row, now, letters())
    mails = [mail_of(one, one.person, str(row.pk)) for one in written if one.is_to_stranger]
    mailed = mail_send(mails)
    given = messages_give([one for one in written if not one.is_to_stranger], row=row, now=now)
    events_tell(row, now=now)
    return given if mailed == "skipped" else mailed
