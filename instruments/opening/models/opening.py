"""Tables of opening hours, resolved to instants.

A schedule is one distinct combination of zone, hours, overrides and holiday calendar, identified by its
digest and never changed; instruments with the same hours share it. Its windows and days are computed once, in
Python, for the present and the year ahead.
"""

from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models import Q

from accounts.models.keys import new_id
from instruments.register.models.instruments import Instrument


class Schedule(models.Model):
    """One combination of zone, hours and holiday calendar. `hours` is the JSON of the API: weekly, overrides,
    observes_holidays."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    digest = models.CharField(max_length=64, unique=True)
    time_zone = models.CharField(max_length=64)
    holiday_calendar = models.CharField(max_length=20, blank=True)
    hours = models.JSONField()
    resolved_from = models.DateField(null=True)
    resolved_until = models.DateField(null=True)


class OpenWindow(models.Model):
    """One merged window of a schedule, as a range of instants."""

    id = models.BigAutoField(primary_key=True)
    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="windows")
    span = DateTimeRangeField()

    class Meta:
        indexes = [models.Index(fields=["schedule", "span"], name="openwindow_schedule")]


class ScheduleDay(models.Model):
    """One local day of a schedule: the instants of its start and end, its length and its open minutes."""

    id = models.BigAutoField(primary_key=True)
    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="days")
    date = models.DateField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    total_minutes = models.PositiveIntegerField()
    open_minutes = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schedule", "date"], name="scheduleday_unique")]
        indexes = [models.Index(fields=["date", "schedule"], name="scheduleday_date")]


class ScheduleAssignment(models.Model):
    """The schedule and number of units that an instrument has from a local day on.

    Past days keep the hours they had, so that a change today never changes last year's figures. `schedule`
    None means that the instrument is not offered from that day on (retired).
    """

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(Instrument, models.CASCADE, related_name="assignments")
    schedule = models.ForeignKey(Schedule, models.PROTECT, null=True, related_name="+")
    units = models.PositiveIntegerField(default=1)
    from_date = models.DateField()
    until_date = models.DateField(null=True)  # exclusive; null while it is the current one

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instrument", "from_date"], name="assignment_unique"),
            models.CheckConstraint(
                condition=Q(until_date=None) | Q(until_date__gt=models.F("from_date")),
                name="assignment_forward",
            ),
        ]
        indexes = [models.Index(fields=["from_date", "until_date"], name="assignment_dates")]
