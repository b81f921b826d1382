"""A manager's decision about two records that look like the same instrument."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.models.keys import new_id
from instruments.register.models.instruments import Instrument


class DuplicateVerdict(models.Model):
    """A decision about two records, the lower id first: kept apart, or merged into `keeper`."""

    class Verdict(models.TextChoices):
        KEPT = "kept", _("kept apart")
        MERGED = "merged", _("merged")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    first = models.ForeignKey(Instrument, models.PROTECT, related_name="+")
    second = models.ForeignKey(Instrument, models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=10, choices=Verdict)
    keeper = models.ForeignKey(Instrument, models.PROTECT, null=True, related_name="+")
    # The reasons why they looked alike at that time: codes of domain/duplicates.
    reasons = models.JSONField(default=list)
    note = models.CharField(max_length=500)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField()

    class Meta:
        verbose_name = _("verdict on likely duplicates")
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="duplicate_pair_unique"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="duplicate_pair_in_order"),
            models.CheckConstraint(
                condition=Q(verdict="merged", keeper__isnull=False) | Q(verdict="kept", keeper__isnull=True),
                name="duplicate_keeper_of_merged",
            ),
        ]
