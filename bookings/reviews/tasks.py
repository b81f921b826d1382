"""Jobs, effects and letters of *reviews*."""

from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Tasks
from bookings.reviews.notifications import reviews
from bookings.reviews.services.follow_ups import cases_follow_up

TASKS = Tasks(
    jobs=(
        Job(
            "follow_up_purchases", "purchases followed up", _("Outcomes of purchase cases"),
            crontab(minute=10, hour=4), cases_follow_up, is_single=True,
        ),
    ),
    letters=(reviews.KINDS,),
)  # fmt: skip
