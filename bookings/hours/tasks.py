"""Jobs, effects and letters of *hours*."""

from datetime import datetime
from functools import partial
from uuid import UUID

from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

from accounts.models import OutboxMessage
from accounts.work import Job, Tasks, waiting
from bookings.hours.models import DirtyDay
from bookings.hours.services.hours import days_mark_dirty, hours_roll_up
from bookings.usage.services.counters import counters_check


def _redo(row: OutboxMessage, now: datetime) -> str:
    instrument_id = UUID(row.payload["instrument"])
    start, end = (datetime.fromisoformat(row.payload[name]) for name in ("start", "end"))
    days_mark_dirty(instrument_id=instrument_id, start=start, end=end)
    counters_check(instrument_id=instrument_id, now=now)
    return "done"


TASKS = Tasks(
    jobs=(
        Job(
            "roll_up_hours", "hours", _("Hours"), crontab(minute=20),
            partial(hours_roll_up, since=None, until=None),
            due=waiting(lambda now: DirtyDay.objects.all(), "date"),
        ),
    ),
    effects={"hours": _redo},
)  # fmt: skip
