"""Jobs, effects and letters of *reserving*."""

from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Tasks, waiting
from bookings.catalogue.selectors.holds import lapsed
from bookings.reserving.services.reservations import reservations_lapse

TASKS = Tasks(
    jobs=(
        Job(
            "lapse_reservations", "lapse reservations", _("Expiring requests and holds"), 60.0,
            reservations_lapse, due=waiting(lapsed, "expires_at"),
        ),
    )
)  # fmt: skip
