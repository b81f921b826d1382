"""When the timetable's entries ran, and what of them failed."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from accounts.models import JobFailure


def held_back(job: str, now: datetime) -> QuerySet[JobFailure, Any]:
    """The ids of what failed in a job and is not to be tried again yet."""
    return JobFailure.objects.filter(job=job, due_at__gt=now).values("object_id")
