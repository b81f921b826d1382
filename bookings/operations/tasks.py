"""Jobs of *operations*."""

from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Tasks
from bookings.operations.services.health import examine

TASKS = Tasks(
    jobs=(
        Job(
            "examine_installation",
            "examination",
            _("Examination of the installation"),
            300.0,
            lambda now: examine(),
            is_single=True,
        ),
    )
)
