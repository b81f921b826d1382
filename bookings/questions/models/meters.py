"""Meters of instruments, and the maintenance that they count towards."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import User
from accounts.models.keys import new_id
from bookings.availability.models import Closure
from bookings.questions.models.questions import AnswerSheet
from instruments.register.models import Instrument


class Meter(models.Model):
    """A meter that is read at an instrument; with `is_hours` its hours of use, which are computed from its
    sessions and never read. A meter that only goes up `is_monotone`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="meters")
    name = models.CharField(max_length=120)
    name_zh = models.CharField(max_length=120, blank=True)
    unit = models.CharField(max_length=20, blank=True)
    is_monotone = models.BooleanField(default=True)
    is_hours = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("meter")
        constraints = [
            models.UniqueConstraint(
                fields=["instrument"], condition=Q(is_hours=True), name="meter_hours_once"
            ),
            models.UniqueConstraint(fields=["instrument", "name"], name="meter_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def places(self) -> Places:
        return self.instrument.places()


class MeterReading(models.Model):
    """A reading of a meter, from a person's answer or entered by staff. With a `reset_reason` the meter was
    replaced or set back, and continues from this value; with a `correction_reason` the host has corrected a
    wrong value."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    meter = models.ForeignKey(Meter, models.PROTECT, related_name="readings", db_index=False)
    value = models.DecimalField(max_digits=16, decimal_places=4)
    read_at = models.DateTimeField()
    sheet = models.ForeignKey(AnswerSheet, models.CASCADE, null=True, related_name="readings")
    entered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    reset_reason = models.CharField(max_length=500, blank=True)
    correction_reason = models.CharField(max_length=500, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("meter reading")
        indexes = [models.Index(fields=["meter", "read_at"], name="meterreading_meter")]

    def places(self) -> Places:
        return self.meter.places()


class MaintenanceCounter(models.Model):
    """A maintenance that is due once a meter has gone on by `limit`: managers are told at `warn_percent` of
    it, and at the limit again, when the instrument is also closed if set so."""

    class Action(models.TextChoices):
        WARN = "warn", _("warn")
        CLOSE = "close", _("close the instrument")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    meter = models.ForeignKey(Meter, models.PROTECT, related_name="counters")
    name = models.CharField(max_length=120)
    name_zh = models.CharField(max_length=120, blank=True)
    limit = models.DecimalField(max_digits=16, decimal_places=4)
    warn_percent = models.PositiveSmallIntegerField(default=90)
    action = models.CharField(max_length=5, choices=Action, default=Action.WARN)
    is_active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("maintenance counter")
        constraints = [
            models.CheckConstraint(
                condition=Q(limit__gt=0, warn_percent__gte=1, warn_percent__lte=100), name="counter_limits"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def places(self) -> Places:
        return self.meter.places()


class CounterCycle(models.Model):
    """The cycle of a counter from one maintenance to the next. Each warning is given once in a cycle."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    counter = models.ForeignKey(MaintenanceCounter, models.PROTECT, related_name="cycles")
    started_at = models.DateTimeField()
    warned_at = models.DateTimeField(null=True)
    reached_at = models.DateTimeField(null=True)
    closure = models.ForeignKey(Closure, models.SET_NULL, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = _("cycle of a maintenance counter")
        constraints = [
            models.UniqueConstraint(fields=["counter"], condition=Q(ended_at=None), name="countercycle_open")
        ]

    def places(self) -> Places:
        return self.counter.places()
