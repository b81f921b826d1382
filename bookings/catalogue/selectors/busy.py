"""Read when a person is busy elsewhere."""

from collections.abc import Sequence
from uuid import UUID

from accounts.domain.roles import Actor
from bookings.catalogue.models import BusyCalendar, BusyTime
from bookings.record.domain.periods import Period


def busy_calendar_of(actor: Actor) -> BusyCalendar | None:
    return BusyCalendar.objects.filter(user_id=actor.person).first()


def load_busy(user_id: UUID | None, period: Period) -> Sequence[Period]:
    """Return when a person is busy within a period according to their own calendar, by start. It takes one
    statement."""
    if user_id is None:
        return []
    rows = BusyTime.objects.filter(
        calendar__user_id=user_id, end_at__gt=period.start, start_at__lt=period.end
    ).order_by("start_at", "id")
    return [Period(start, end) for start, end in rows.values_list("start_at", "end_at")]
