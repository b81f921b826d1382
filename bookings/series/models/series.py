"""Series of recurring bookings."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation, User
from accounts.models.keys import new_id
from instruments.register.models import Instrument


class Series(models.Model):
    """Recurring bookings of one instrument. `rule` is an RRULE, read in the instrument's zone from the wall
    clock of `starts_at`: weekly 09:00 stays 09:00 across clock changes."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="+")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    rule = models.CharField(max_length=300)
    time_zone = models.CharField(max_length=64)  # of the instrument, when the series was made
    starts_at = models.DateTimeField()
    minutes = models.PositiveIntegerField()
    created_at = models.DateTimeField()
    # The series from which this one was split by changing "this and following".
    split_from = models.ForeignKey("self", models.PROTECT, null=True, related_name="splits")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("series")
