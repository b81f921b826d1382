"""Bundles of the trail that a worker writes in the background."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import FileJob


class TrailBundle(FileJob):
    """A bundle of the trail of some regions, in a span of time."""

    PROGRESS = ("entries_done", "entries_total")

    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    region_ids = ArrayField(models.UUIDField(), default=list)
    region_codes = ArrayField(models.CharField(max_length=20), default=list)
    entries_total = models.PositiveIntegerField(default=0)
    entries_done = models.PositiveIntegerField(default=0)

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

    def file_name(self) -> str:
        return f"bundles/{self.pk}-{self.attempts}.jsonl.gz"
