"""Jobs, effects and letters of *needs*."""

from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Tasks
from bookings.needs.notifications import batches, suggestions
from bookings.needs.services.batches import batch_places_settle, batches_place
from bookings.needs.services.suggestions import hosts_review, suggestions_tell

TASKS = Tasks(
    jobs=(
        Job("place_batches", "batches", _("Batches of flexible needs"), 60.0, batches_place),
        Job(
            "settle_batches", "offers of batches", _("Offers of batches that lapse"), 600.0,
            batch_places_settle,
        ),
        Job(
            "tell_of_matches", "matches", _("Alternatives to instruments that could not be booked"),
            600.0, suggestions_tell, is_single=True,
        ),
        Job(
            "review_hosts", "hosts", _("Reliability of hosts"), crontab(minute=50, hour=3),
            hosts_review, is_single=True,
        ),
    ),
    letters=(batches.KINDS, suggestions.KINDS),
)  # fmt: skip
