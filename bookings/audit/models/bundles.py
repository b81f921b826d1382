"""Bundles of the trail that a worker writes while the person goes on."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.models.keys import new_id


class TrailBundle(models.Model):
    """A bundle asked for, how far it is written, and in the end the file."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        WORKING = "working", _("being written")
        DONE = "done", _("ready")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    region_ids = ArrayField(models.UUIDField(), default=list)
    region_codes = ArrayField(models.CharField(max_length=20), default=list)
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    entries_total = models.PositiveIntegerField(default=0)
    entries_done = models.PositiveIntegerField(default=0)
    file = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    worked_at = models.DateTimeField(null=True)  # when a worker last wrote some of it
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("bundle of the trail")
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=models.Q(state__in=["waiting", "working"]),
                name="bundle_to_do",
            ),
            models.Index(fields=["user", "-created_at"], name="bundle_user"),
        ]
