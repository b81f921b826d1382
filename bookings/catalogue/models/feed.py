"""The feed of availability: when each instrument last changed there."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from instruments.register.models import Instrument


class AvailabilityItem(models.Model):
    """An instrument in the feed of availability. `digest` is that of its content when a job last looked, and
    `modified` when the job first saw this content; a deleted item is no longer published."""

    instrument = models.OneToOneField(
        Instrument, models.CASCADE, primary_key=True, related_name="+", db_constraint=False
    )
    modified = models.DateTimeField()
    digest = models.CharField(max_length=64)
    is_deleted = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("item of the availability feed")
        indexes = [
            models.Index(fields=["modified", "instrument"], name="availabilityitem_order"),
            models.Index(fields=["modified"], condition=Q(is_deleted=True), name="availabilityitem_deleted"),
        ]
