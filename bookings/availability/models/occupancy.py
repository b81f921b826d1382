"""Rows that block a unit of an instrument for a span, whatever the cause.

The exclusion constraint decides: two rows of one unit never overlap. It has no condition, so a slot is
released by deleting its row.
"""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from accounts.models.keys import new_id
from bookings.availability.models.closures import Closure
from bookings.record.models import Reservation
from instruments.register.models import Instrument


class Occupancy(models.Model):
    """A blocked span of one unit. `span` is half-open and includes buffers. From `expires_at` on the row no
    longer counts."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # The constraint's index and occupancy_starts begin with it.
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="+", db_index=False)
    unit = models.IntegerField(default=1)
    span = DateTimeRangeField()
    reservation = models.OneToOneField(Reservation, models.CASCADE, null=True, related_name="occupancy")
    closure = models.ForeignKey(Closure, models.CASCADE, null=True, related_name="occupancies")
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="occupancy_no_overlap",
                expressions=[
                    ("instrument", RangeOperators.EQUAL),
                    ("unit", RangeOperators.EQUAL),
                    ("span", RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=(
                    Q(reservation__isnull=False, closure=None) | Q(reservation=None, closure__isnull=False)
                ),
                name="occupancy_one_cause",
            ),
            models.CheckConstraint(condition=Q(unit__gte=1), name="occupancy_unit"),
            models.CheckConstraint(condition=~Q(span__isempty=True), name="occupancy_span"),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"], condition=Q(expires_at__isnull=False), name="occupancy_expires"
            ),
            models.Index(
                F("instrument"),
                Func(F("span"), function="lower", output_field=models.DateTimeField()),
                name="occupancy_starts",
            ),
        ]
