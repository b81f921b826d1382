"""Jobs and letters of *managing*."""

from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Tasks
from instruments.managing.notifications import records
from instruments.managing.services.hosts import moves_carry_out
from instruments.managing.services.publishing import stale_records_tell

TASKS = Tasks(
    jobs=(
        # An organisation belongs to its new region from a day on, in that region's time zone.
        Job("carry_out_moves", "moves of organisations", _("Moves of organisations"), 300.0, moves_carry_out),
        # Daily: a record can become stale on any day, and each host gets one letter a month.
        Job(
            "tell_of_stale_records", "stale records", _("Stale records"), crontab(minute=40, hour=1),
            stale_records_tell, is_single=True,
        ),
    ),
    letters=(records.KINDS,),
)  # fmt: skip
