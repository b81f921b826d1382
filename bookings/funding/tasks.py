"""Jobs of *funding*."""

from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Tasks, waiting
from bookings.funding.services.places import places_release, places_to_release

TASKS = Tasks(
    jobs=(
        Job(
            "release_places", "release course places", _("Releasing money of course places"),
            crontab(hour=3, minute=50), places_release,
            due=waiting(places_to_release, "session__end_at"),
        ),
    ),
)  # fmt: skip
