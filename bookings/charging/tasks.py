"""Jobs, effects and letters of *charging*."""

from datetime import datetime
from uuid import UUID

from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

from accounts.models import OutboxMessage
from accounts.work import Job, Tasks, outcome, waiting
from bookings.charging.selectors.melting import fees_to_melt
from bookings.charging.services.charges import charge_make, charges_finalise
from bookings.charging.services.melting import fees_melt
from bookings.pricing.selectors.charges import undisputed
from bookings.results.services.handoffs import hand_off_expect


def _charge(row: OutboxMessage, now: datetime) -> str:
    ended = UUID(row.payload["reservation"])
    charge = charge_make(reservation_id=ended, now=now)
    expected = hand_off_expect(reservation_id=ended, now=now)
    return outcome(charge or expected)


TASKS = Tasks(
    jobs=(
        Job(
            "finalise_charges", "final charges", _("Finalising charges"), 300.0, charges_finalise,
            due=waiting(undisputed, "open_until"),
        ),
        Job(
            "melt_fees", "melting fees", _("Expiring cancellation fees"), crontab(minute=35), fees_melt,
            due=waiting(fees_to_melt, "reservation__end_at"),
        ),
    ),
    effects={"charge": _charge},
)  # fmt: skip
