"""Hours of an instrument that are guaranteed to an organisation."""

from datetime import timedelta

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import Organisation, User
from accounts.models.keys import new_id
from instruments.register.models import Instrument

MINUTE = timedelta(minutes=1)


class KeptHours(models.Model):
    """A holder's right to book `minutes` of [`start_at`, `end_at`). `price` is per hour, in `currency`; null:
    the rate card applies. From `ended_at` on nothing is guaranteed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # The exclusion constraint's index begins with it.
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="kept_hours", db_index=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="kept_hours")
    minutes = models.PositiveIntegerField()
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    price = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    currency = models.CharField(max_length=3, blank=True)
    released_minutes = models.PositiveIntegerField()
    reason = models.CharField(max_length=500)
    granted_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    granted_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("guaranteed hours")
        constraints = [
            models.CheckConstraint(
                condition=Q(end_at__gt=F("start_at"), minutes__gt=0), name="kepthours_some"
            ),
            models.CheckConstraint(
                condition=Q(price=None, currency="") | (Q(price__gte=0) & ~Q(currency="")),
                name="kepthours_price",
            ),
            # So that each booking of a holder uses hours of only one row.
            ExclusionConstraint(
                name="kepthours_one_at_a_time",
                expressions=[
                    ("instrument", RangeOperators.EQUAL),
                    ("organisation", RangeOperators.EQUAL),
                    (
                        Func(
                            F("start_at"),
                            F("end_at"),
                            function="tstzrange",
                            output_field=DateTimeRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(ended_at=None),
            ),
        ]

    @property
    def used_minutes(self) -> int:
        """Return the minutes that the holder's bookings have used; only for rows from `kept_rows`."""
        burnt: timedelta = self.burnt  # type: ignore[attr-defined]
        return min(self.minutes, burnt // MINUTE)

    @property
    def left_minutes(self) -> int:
        return self.minutes - self.used_minutes

    def places(self) -> Places:
        """Return the organisations and regions whose people may read it: the host's and the holder's."""
        organisations, regions = self.instrument.places()
        theirs, their_regions = self.organisation.places()
        return {*organisations, *theirs}, {*regions, *their_regions}
