"""Events: what webhooks report, each stored once, in the order in which programs read them."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _


class Event(models.Model):
    """One occurrence of an event, for all organisations concerned. `number` follows the order of commits, so
    that a reader who has seen one number misses no lower one; `body` is what webhooks send."""

    number = models.BigIntegerField(primary_key=True, editable=False)
    kind = models.CharField(max_length=40)
    about = models.UUIDField(null=True)
    # Makes it one event, however often its effect is carried out.
    cause = models.CharField(max_length=200, unique=True)
    organisations = ArrayField(models.UUIDField())
    body = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("event")
        indexes = [
            GinIndex(fields=["organisations"], name="event_organisations"),
            models.Index(fields=["created_at"], name="event_age"),
        ]
