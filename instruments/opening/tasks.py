"""Jobs of *opening*."""

from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Tasks
from instruments.opening.services.opening import calendar_extend

TASKS = Tasks(
    jobs=(
        Job(
            "extend_calendar", "open windows", _("Upcoming opening hours"), crontab(minute=5, hour=1),
            calendar_extend,
        ),
    ),
)  # fmt: skip
