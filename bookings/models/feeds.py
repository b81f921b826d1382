"""Calendars outward (feeds) and inward (when a person is busy)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.models.keys import new_id
from instruments.models import Instrument


class CalendarFeed(models.Model):
    """A secret address under which a program reads a person's own bookings, or an instrument's as
    that person may see them. Only the SHA-256 digest of the secret is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="calendar_feeds")
    instrument = models.ForeignKey(Instrument, models.CASCADE, null=True, related_name="+")
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("calendar feed")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "instrument"],
                condition=Q(revoked_at=None),
                nulls_distinct=False,
                name="calendar_feed_once",
            )
        ]

    @property
    def version(self) -> int:
        """It changes once."""
        return 1 if self.revoked_at is None else 2


class BusyCalendar(models.Model):
    """A calendar of a person's own, which is read every hour to tell them when they are busy.
    `claim` is the worker's at work, until `claimed_until`; `etag` and `modified` are of what was
    read last; `problem`: code and numbers of why the last reading failed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.OneToOneField(User, models.CASCADE, related_name="busy_calendar")
    address = models.CharField(max_length=1000)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, db_index=True)
    claim = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0)
    problem = models.JSONField(default=dict)
    etag = models.CharField(max_length=200, blank=True)
    modified = models.CharField(max_length=200, blank=True)
    read_at = models.DateTimeField(null=True)
    # How far ahead its times are known: what recurs is written out so far.
    known_until = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

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
