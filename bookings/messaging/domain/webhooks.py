"""Webhooks (standardwebhooks.com): what is told, how it is signed, when it is tried again."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from standardwebhooks import Webhook

EVENTS = (
    "reservation.requested",
    "reservation.confirmed",
    "reservation.rejected",
    "reservation.moved",
    "reservation.cancelled",
    "reservation.expired",
    "reservation.displaced",
    "reservation.no_show",
    "reservation.completed",
    "reservation.commented",
    "charge.made",
    "charge.disputed",
    "charge.final",
    "charge.corrected",
    "statement.issued",
    "statement.replaced",
    "statement.overdue",
    "instrument.published",
    "instrument.changed",
)
PING = "webhook.ping"
# The effects that tell of an event: whatever causes one tells a person of it, too.
EVENT_OF = {
    "mail.requested": "reservation.requested",
    "mail.confirmed": "reservation.confirmed",
    "mail.rejected": "reservation.rejected",
    "mail.moved": "reservation.moved",
    "mail.cut-short": "reservation.moved",
    "mail.cancelled": "reservation.cancelled",
    "mail.expired": "reservation.expired",
    "mail.displaced": "reservation.displaced",
    "mail.no-show": "reservation.no_show",
    "mail.completed": "reservation.completed",
    "conversation.commented": "reservation.commented",
    "mail.series": "reservation.confirmed",
    "mail.series-requested": "reservation.requested",
    "mail.series-moved": "reservation.moved",
    "mail.series-cancelled": "reservation.cancelled",
    "mail.imported": "reservation.confirmed",
    "mail.imported-requested": "reservation.requested",
    "mail.charged": "charge.made",
    "mail.disputed": "charge.disputed",
    "mail.dispute-settled": "charge.final",
    "mail.corrected": "charge.corrected",
    "statement.issued": "statement.issued",
    "statement.replaced": "statement.replaced",
    "statement.overdue": "statement.overdue",
    "instrument.published": "instrument.published",
    "instrument.changed": "instrument.changed",
}
MOST_ENDPOINTS = 20  # of an organisation
MOST_ANSWER = 500  # bytes kept of an answer
OVERLAP = timedelta(hours=24)  # in which the secret before signs, too

_WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=8),
    timedelta(hours=10),
)
GONE = 410  # the receiver says: no more


def try_again_at(attempts: int, now: datetime) -> datetime | None:
    """When a delivery that failed so often is tried next: eight times in all, over a day; None
    when it is given up."""
    return now + _WAITS[attempts - 1] if attempts <= len(_WAITS) else None


def is_done(status: int) -> bool:
    return 200 <= status < 300


def body_of(event: str, at: datetime, data: Mapping[str, Any]) -> str:
    """What is sent, byte for byte, however often."""
    body = {"type": event, "timestamp": _instant(at), "data": dict(data)}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def secret_text(secret: bytes) -> str:
    return "whsec_" + base64.b64encode(secret).decode()


def signed(secrets: Sequence[bytes], message_id: str, now: datetime, body: str) -> dict[str, str]:
    """The headers of a delivery; one signature for each secret in force."""
    at = now.astimezone(UTC)
    marks = (Webhook(secret).sign(message_id, at, body) for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(marks),
        "Content-Type": "application/json",
    }


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
