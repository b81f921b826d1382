"""Jobs of *catalogue*."""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Kept, Tasks
from bookings.catalogue.models import AvailabilityItem
from bookings.catalogue.services.feed import feed_refresh

TASKS = Tasks(
    jobs=(
        Job(
            "refresh_availability_feed", "availability feed", _("Availability feed"), 300.0, feed_refresh,
            is_single=True,
        ),
    ),
    keeps=(
        Kept(
            "availability-items", _("Notes of the availability feed that instruments are gone"),
            timedelta(days=7), "made",
            lambda before: AvailabilityItem.objects.filter(is_deleted=True, modified__lt=before),
            least=7,
        ),
    ),
)  # fmt: skip
