"""Jobs of *training*."""

from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Tasks
from instruments.training.services.enrolments import enrolments_end
from instruments.training.services.training import certificates_remind

TASKS = Tasks(
    jobs=(
        Job("end_enrolments", "end enrolments", _("Expiring waits for courses"), 60.0, enrolments_end),
        Job(
            "remind_of_certificates", "certificates that run out", _("Expiring certificates"),
            crontab(minute=0, hour=2), certificates_remind, is_single=True,
        ),
    ),
)  # fmt: skip
