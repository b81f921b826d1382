"""Usage sessions: how an instrument was really used."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models.keys import new_id
from bookings.record.models.reservations import Reservation
from instruments.register.models import Instrument


class UsageSession(models.Model):
    """The session from check-in to check-out of one reservation. `is_assumed`: the end was not recorded."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reservation = models.OneToOneField(Reservation, models.PROTECT, related_name="session")
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="+")
    unit = models.IntegerField(default=1)
    checked_in_at = models.DateTimeField()
    checked_out_at = models.DateTimeField(null=True)
    is_assumed = models.BooleanField(default=False)
    # When the host closed the instrument during the use, which is charged at most until then.
    cut_at = models.DateTimeField(null=True)
    service_mode = models.CharField(max_length=10, choices=Instrument.ServiceMode)
    samples = models.PositiveIntegerField(null=True)
    rating = models.PositiveSmallIntegerField(null=True)
    remarks = models.CharField(max_length=1000, blank=True)
    # Quantities of options that the host added at check-out, as decimal strings by code.
    added = models.JSONField(default=dict, db_default={})

    class Meta:
        verbose_name = _("usage session")
        constraints = [
            models.CheckConstraint(
                condition=Q(checked_out_at=None) | Q(checked_out_at__gte=F("checked_in_at")),
                name="session_forward",
            ),
            models.CheckConstraint(condition=Q(rating=None) | Q(rating__range=(1, 5)), name="session_rating"),
        ]
        indexes = [
            models.Index(fields=["instrument", "checked_in_at"], name="session_instrument"),
            models.Index(
                fields=["instrument", "unit"], condition=Q(checked_out_at=None), name="session_open"
            ),
        ]
