"""Jobs, effects and letters of *usage*."""

from uuid import UUID

from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Tasks, outcome, waiting
from bookings.record.models import Reservation
from bookings.usage.notifications import blocks, counters, faults, training
from bookings.usage.selectors.sessions import ways_to_end
from bookings.usage.services.counters import counters_check, counters_review
from bookings.usage.services.ratings import ratings_review
from bookings.usage.services.training import trainings_close
from bookings.usage.services.usage import overruns_tell, usage_settle

TASKS = Tasks(
    jobs=(
        Job(
            "complete_reservations", "complete reservations", _("Ending bookings and no-shows"), 60.0,
            usage_settle,
            due=waiting(lambda now: [Reservation.objects.filter(way) for way in ways_to_end(now)], "end_at"),
        ),
        Job("review_counters", "maintenance counters", _("Maintenance counters"), 600.0, counters_review),
        Job(
            "close_for_training", "close for course sessions", _("Closing instruments for course sessions"),
            crontab(minute=25), trainings_close,
        ),
        Job("tell_of_overruns", "overruns", _("Overrunning use"), 60.0, overruns_tell, is_single=True),
        Job(
            "review_ratings", "ratings", _("Ratings that are shown"), crontab(minute=55, hour=3),
            ratings_review, is_single=True,
        ),
    ),
    effects={
        "counters": lambda row, now: outcome(
            counters_check(instrument_id=UUID(row.payload["instrument"]), now=now)
        )
    },
    letters=(blocks.KINDS, counters.KINDS, faults.KINDS, training.KINDS),
)  # fmt: skip
