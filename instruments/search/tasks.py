"""Jobs of *search*."""

from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Tasks
from instruments.search.services.search import register_file, words_gather

TASKS = Tasks(
    jobs=(
        # Names of hosts or of the vocabulary may have changed.
        Job(
            "file_register", "file the register", _("Search re-index"), crontab(minute=15, hour=3),
            lambda now: register_file(), is_single=True,
        ),
        Job(
            "gather_words", "gather words", _("Search vocabulary"), crontab(minute=55),
            lambda now: words_gather(), is_single=True,
        ),
    ),
)  # fmt: skip
