"""Jobs, effects and letters of *board*."""

from uuid import UUID

from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Tasks, outcome
from bookings.board.notifications import alarms, enquiries
from bookings.board.services.alarms import alarms_review
from bookings.board.services.enquiries import enquiries_of_need_settle, enquiries_settle

TASKS = Tasks(
    jobs=(
        Job("settle_enquiries", "enquiries", _("Enquiries and bids that end"), 600.0, enquiries_settle),
        Job(
            "review_alarms", "alarms", _("Alarms of idle instruments"), crontab(minute=40, hour=4),
            alarms_review, is_single=True,
        ),
    ),
    effects={
        "need": lambda row, now: outcome(
            enquiries_of_need_settle(need_id=UUID(row.payload["need"]), now=now)
        ),
    },
    letters=(alarms.KINDS, enquiries.KINDS),
)  # fmt: skip
