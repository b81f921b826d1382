"""Jobs, effects and letters of *results*."""

from datetime import datetime

from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

from accounts.models import OutboxMessage
from accounts.work import Job, Tasks
from bookings.results.adapters.stores import file_drop
from bookings.results.notifications import collecting, results
from bookings.results.services.collecting import links_end
from bookings.results.services.handoffs import overdue_tell
from bookings.results.services.retention import results_purge, results_warn
from bookings.results.services.uploads import files_check, uploads_expire


def _drop(row: OutboxMessage, now: datetime) -> str:
    file_drop(row.payload["storage"], row.payload["upload_id"])
    return "done"


TASKS = Tasks(
    jobs=(
        # Only one worker computes checksums, so that the others are free for what people wait for.
        Job(
            "check_results", "check results", _("Checksums of uploaded results"), 60.0, files_check,
            is_single=True,
        ),
        Job("expire_uploads", "expire uploads", _("Expiring uploads"), crontab(minute=40), uploads_expire),
        Job(
            "tell_of_results", "overdue results", _("Reminders of overdue results"), crontab(minute=45),
            overdue_tell,
        ),
        Job(
            "end_links", "links of former members", _("Links to results whose creators left"), 600.0,
            links_end,
        ),
        Job(
            "warn_of_results", "results that end", _("Announced deletions of results"), crontab(minute=50),
            results_warn,
        ),
        Job(
            "purge_results", "results to delete", _("Deletions of results after retention"),
            crontab(minute=57), results_purge,
        ),
    ),
    effects={"resultfile": _drop},
    letters=(results.KINDS, collecting.KINDS),
)  # fmt: skip
