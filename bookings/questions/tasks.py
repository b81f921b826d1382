"""Jobs, effects and letters of *questions*."""

from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Tasks
from bookings.questions.services.questions import answer_files_expire

TASKS = Tasks(
    jobs=(
        Job(
            "expire_answer_files", "files of no answer", _("Deleting files not used in any answer"),
            crontab(minute=35), answer_files_expire,
        ),
    )
)  # fmt: skip
