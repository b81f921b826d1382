"""Refusals of rules as JSON."""

from typing import Any

from bookings.api.availability import period_json
from bookings.domain.availability import Refusal
from bookings.messages import sentence


def refusal_json(refusal: Refusal) -> dict[str, Any]:
    """Its code and sentence, the numbers behind it, and the nearest period that would pass."""
    return {
        **refusal.numbers,
        "code": refusal.code,
        "message": sentence(refusal.code, refusal.numbers),
        "nearest": period_json(refusal.nearest) if refusal.nearest else None,
    }
