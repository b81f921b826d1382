"""Large tables of hours as files, made by a worker while the person goes on."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.models.keys import new_id


class HoursExport(models.Model):
    """A table asked for, how far it is written, and in the end the file. `asked` is what the
    page or the API was asked with; `after` is the key of the last row written."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        WORKING = "working", _("being written")
        DONE = "done", _("ready")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    table = models.CharField(max_length=20)
    format = models.CharField(max_length=4, choices=[("csv", "CSV"), ("xlsx", "XLSX")])
    language = models.CharField(max_length=10, default="en")
    asked = models.JSONField()
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    rows_total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    file = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    worked_at = models.DateTimeField(null=True)  # when a worker last wrote some of it
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("export of hours")
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=models.Q(state__in=["waiting", "working"]),
                name="hoursexport_to_do",
            ),
            models.Index(fields=["user", "-created_at"], name="hoursexport_user"),
        ]
