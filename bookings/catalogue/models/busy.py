"""Times at which people are busy elsewhere, read from the address of their own calendar."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from instruments.exchange.models import PolledAddress


class BusyCalendar(PolledAddress):
    """The address of a person's own calendar, which is read every hour to tell them when they are busy.
    `problem`: the code and the numbers of why the last reading failed."""

    user = models.OneToOneField(User, models.CASCADE, related_name="busy_calendar")
    due_at = models.DateTimeField(null=True, db_index=True)
    problem = models.JSONField(default=dict)
    read_at = models.DateTimeField(null=True)
    # How far ahead its times are known: what recurs is written out so far.
    known_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("own calendar")


class BusyTime(models.Model):
    """A time at which a person is busy according to their own calendar; nothing else of the calendar is
    stored."""

    id = models.BigAutoField(primary_key=True)
    calendar = models.ForeignKey(BusyCalendar, models.CASCADE, related_name="times", db_index=False)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["calendar", "end_at"], name="busy_time_of_calendar")]
