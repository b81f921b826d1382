"""Periods in which units of an instrument are out of service."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.models.keys import new_id
from instruments.register.models import Instrument


class Closure(models.Model):
    """A closure of all units, or of those named. `end_at` is null while it is unknown. A closure for a course
    session has the session's id."""

    class Kind(models.TextChoices):
        MAINTENANCE = "maintenance", _("maintenance")
        CALIBRATION = "calibration", _("calibration")
        BREAKDOWN = "breakdown", _("breakdown")
        OWN_USE = "own-use", _("the owner's own use")
        TRAINING = "training", _("training")
        OTHER = "other", _("other")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="closures")
    units = ArrayField(models.IntegerField(), default=list)  # empty: all
    kind = models.CharField(max_length=12, choices=Kind)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    # Null: the platform, as a maintenance counter reached its limit.
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("closure")
        constraints = [
            models.CheckConstraint(
                condition=Q(end_at=None) | Q(end_at__gt=F("start_at")), name="closure_forward"
            )
        ]
        indexes = [models.Index(fields=["instrument", "start_at"], name="closure_instrument")]
