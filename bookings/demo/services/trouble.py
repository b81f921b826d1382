"""Something for the operators' page: mails that a server did not take."""

from datetime import datetime, timedelta

from accounts.domain.jobs import LETTERS, MOST_ATTEMPTS
from accounts.models import OutboxMessage
from accounts.models.keys import new_id

REFUSED = "SMTPRecipientsRefused: 550 5.1.1 Mailbox unavailable"


def trouble_make(*, now: datetime) -> int:
    """Two mails to somebody whose address is gone; trying them again finds nothing left to say."""
    began = now - timedelta(hours=30)
    rows = [
        OutboxMessage(
            kind="letter.send",
            lane=LETTERS,
            key=f"letter:{(message := new_id())}",
            payload={"message": str(message)},
            due_at=began,
            created_at=began,
            attempts=MOST_ATTEMPTS,
            tried_at=now - timedelta(hours=3 + n),
            last_error=REFUSED,
            done_at=now - timedelta(hours=3 + n),
            outcome="failed",
        )
        for n in range(2)
    ]
    OutboxMessage.objects.bulk_create(rows)
    return len(rows)
