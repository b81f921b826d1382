"""Hours: the six states of SEMI E10 per instrument and local day.

A row exists only for a day with a session, a closure or a no-show; the others follow from
the calendar (instruments.ScheduleDay). The rows are derived, by the million and by SQL:
their keys are copied from rows whose foreign keys the database checks, so it does not check
them here again, which would take longer than all the rest.
"""

from django.db import models
from django.db.models import F, Q

from accounts.models import Organisation, Region
from instruments.models import Instrument


class InstrumentDay(models.Model):
    """Minutes of all units together; the six states add up to `total_minutes`."""

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(
        Instrument, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    date = models.DateField()
    total_minutes = models.PositiveIntegerField()
    open_minutes = models.PositiveIntegerField()  # what standby would be had nothing happened
    productive_minutes = models.PositiveIntegerField()
    unscheduled_down_minutes = models.PositiveIntegerField()
    scheduled_down_minutes = models.PositiveIntegerField()
    engineering_minutes = models.PositiveIntegerField()
    standby_minutes = models.PositiveIntegerField()
    no_show_minutes = models.PositiveIntegerField()  # part of standby
    non_scheduled_minutes = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instrument", "date"], name="instrumentday_unique"),
            models.CheckConstraint(
                condition=Q(
                    total_minutes=F("productive_minutes")
                    + F("unscheduled_down_minutes")
                    + F("scheduled_down_minutes")
                    + F("engineering_minutes")
                    + F("standby_minutes")
                    + F("non_scheduled_minutes")
                ),
                name="instrumentday_identity",
            ),
            models.CheckConstraint(
                condition=Q(no_show_minutes__lte=F("standby_minutes")),
                name="instrumentday_no_show",
            ),
        ]
        indexes = [models.Index(fields=["date", "instrument"], name="instrumentday_date")]


class InstrumentDayUse(models.Model):
    """Productive minutes of a day by payer and price group; they add up to the day's."""

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(
        Instrument, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    date = models.DateField()
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    payer_region = models.ForeignKey(
        Region, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    price_group = models.CharField(max_length=10)
    minutes = models.PositiveIntegerField()
    # Sessions that began on this day; one across midnight counts on its first.
    sessions = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["instrument", "date", "organisation", "payer_region", "price_group"],
                name="instrumentdayuse_unique",
            )
        ]
        indexes = [models.Index(fields=["date", "instrument"], name="instrumentdayuse_date")]


class DirtyDay(models.Model):
    """A day whose figures must be made anew, if they have been made."""

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(Instrument, models.CASCADE, related_name="+", db_index=False)
    date = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instrument", "date"], name="dirtyday_unique")
        ]


class RollUp(models.Model):
    """How far an instrument's days have been rolled up: every one before `until_date`.

    The row is also the lock under which the figures of its instrument are written.
    """

    instrument = models.OneToOneField(
        Instrument, models.CASCADE, primary_key=True, related_name="+"
    )
    until_date = models.DateField()
