"""When people are busy elsewhere: their own calendars, read from an address of theirs."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from instruments.models import PolledAddress


class BusyCalendar(PolledAddress):
    """A calendar of a person's own, which is read every hour to tell them when they are busy.
    `problem`: code and numbers of why the last reading failed."""

    user = models.OneToOneField(User, models.CASCADE, related_name="busy_calendar")
    due_at = models.DateTimeField(null=True, db_index=True)
    problem = models.JSONField(default=dict)
    read_at = models.DateTimeField(null=True)
    # How far ahead its times are known: what recurs is written out so far.
    known_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("own calendar")


class BusyTime(models.Model):
    """When a person's own calendar says they are busy; nothing else of it is kept."""

    id = models.BigAutoField(primary_key=True)
    calendar = models.ForeignKey(BusyCalendar, models.CASCADE, related_name="times", db_index=False)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["calendar", "end_at"], name="busy_time_of_calendar")]
