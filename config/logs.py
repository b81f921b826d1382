"""What logs must not say: the secrets that some addresses are."""

import re
from collections.abc import MutableMapping
from typing import Any

_SECRET = re.compile(r"(/calendar/|/messages/stop/|/invitations/)([^/\s\"?]{12,})")


def mask_secrets(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A processor of structlog: `/calendar/SECRET.ics` becomes `/calendar/...`."""
    for key, value in event.items():
        if isinstance(value, str) and "/" in value:
            event[key] = _SECRET.sub(r"\1...", value)
    return event
