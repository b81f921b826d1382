"""Jobs, effects and letters of *samples*."""

from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Tasks
from bookings.samples.notifications import samples
from bookings.samples.services.samples import samples_remind

TASKS = Tasks(
    jobs=(
        Job(
            "remind_of_samples", "samples to come", _("Reminders of samples that have not arrived"), 600.0,
            samples_remind, is_single=True,
        ),
    ),
    letters=(samples.KINDS,),
)  # fmt: skip
