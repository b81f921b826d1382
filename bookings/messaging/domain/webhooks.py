"""Webhooks (standardwebhooks.com): how they are signed, and when a delivery is tried again."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from accounts.domain.hooks import ID, Datum, Payload

PING = "webhook.ping"
PING_PAYLOAD: Payload = {"webhook": Datum(lambda endpoint: str(endpoint.pk), ID)}
MOST_ENDPOINTS = 20  # of an organisation
MOST_REPLAYED = 500  # deliveries at once
MOST_ANSWER = 500  # bytes that are stored of an answer
OVERLAP = timedelta(hours=24)  # during which the previous secret signs, too

_WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=8),
    timedelta(hours=10),
)
GONE = 410  # the receiver wants no more


def try_again_at(attempts: int, now: datetime) -> datetime | None:
    """Return when a delivery that has failed this often is tried next: eight times in all, over a day; None
    when it is given up."""
    return now + _WAITS[attempts - 1] if attempts <= len(_WAITS) else None


def is_done(status: int) -> bool:
    return 200 <= status < 300


def body_of(event: str, at: datetime, data: Mapping[str, Any]) -> str:
    """Return the body of a webhook's delivery: the same bytes, however often it is sent."""
    body = {"type": event, "timestamp": _instant(at), "data": dict(data)}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def secret_text(secret: bytes) -> str:
    return "whsec_" + base64.b64encode(secret).decode()


def signed(secrets: Sequence[bytes], message_id: str, now: datetime, body: str) -> dict[str, str]:
    """Return the headers of a delivery, with one signature for each secret in force."""
    at = now.astimezone(UTC)
    marks = (Webhook(secret).sign(message_id, at, body) for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(marks),
        "Content-Type": "application/json",
    }


def is_signed(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Return whether a receiver may trust a delivery: it is signed with this secret, not long ago."""
    try:
        Webhook(secret).verify(body, {name.lower(): value for name, value in headers.items()})
    except WebhookVerificationError:
        return False
    return True


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
