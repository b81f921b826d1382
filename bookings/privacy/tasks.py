"""Jobs, effects and letters of *privacy*."""

from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Tasks
from bookings.privacy.services.retention import records_remove

TASKS = Tasks(
    jobs=(
        Job(
            "remove_records", "remove records", _("Removing old records"), crontab(minute=45, hour=2),
            records_remove,
        ),
    )
)  # fmt: skip
