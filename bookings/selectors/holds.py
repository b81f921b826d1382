"""Slots kept while forms are completed."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from bookings.models import Reservation


def holds_of(user_id: UUID, now: datetime) -> QuerySet[Reservation]:
    """A person's holds that have not run out, the first to run out first."""
    return Reservation.objects.filter(
        user_id=user_id, state=Reservation.State.HELD, deadline_at__gt=now
    ).order_by("deadline_at", "id")
