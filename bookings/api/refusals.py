"""Refusals as JSON."""

from typing import Any

from django.urls import reverse

from accounts.api.shapes import rfc3339
from bookings.api.availability import period_json
from bookings.domain.availability import Refusal
from bookings.messages import sentence
from bookings.services.closures import InTheWay


def refusal_json(refusal: Refusal) -> dict[str, Any]:
    """Its code and sentence, the numbers behind it, and the nearest period that would pass."""
    return {
        **refusal.numbers,
        "code": refusal.code,
        "message": sentence(refusal.code, refusal.numbers),
        "nearest": period_json(refusal.nearest) if refusal.nearest else None,
    }


def in_the_way_json(refused: InTheWay) -> list[dict[str, Any]]:
    """The reservations that meet a closure. Only the host's managers are told of them, who may
    see them all."""
    return [
        {
            "id": str(row.pk),
            "start": rfc3339(row.start_at),
            "end": rfc3339(row.end_at),
            "state": row.state,
            "unit": row.unit,
            "user": {"id": str(row.user_id), "name": str(row.user)},
            "organisation": row.organisation.code,
            "link": reverse("api-reservation", kwargs={"reservation_id": row.pk}),
        }
        for row in refused.reservations
    ]
