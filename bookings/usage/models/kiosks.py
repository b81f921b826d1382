"""Tablets beside instruments, and the codes for checking in at them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import Organisation, User
from accounts.models.keys import new_id
from bookings.record.models import Reservation
from instruments.register.models import Instrument


class Kiosk(models.Model):
    """A tablet that shows who uses its instruments now and next, and takes check-ins by code; it can do
    nothing else. Only digests are kept of its token, and of the code by which it gets the token once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="kiosks")
    name = models.CharField(max_length=80)
    instruments = models.ManyToManyField(Instrument, related_name="+")
    enrol_digest = models.BinaryField(max_length=32, unique=True, null=True)
    enrol_until = models.DateTimeField()
    digest = models.BinaryField(max_length=32, unique=True, null=True)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    enrolled_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    # The number of wrong codes typed there since a moment; with too many, it takes none for a while.
    wrong_codes = models.PositiveSmallIntegerField(default=0)
    wrong_since = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("kiosk")

    def __str__(self) -> str:
        return self.name

    @property
    def version(self) -> int:
        """Return the version of the kiosk, which grows when a tablet enrols and when the kiosk is revoked."""
        return 1 + (self.enrolled_at is not None) + (self.revoked_at is not None)

    def places(self) -> Places:
        return self.organisation.places()


class CheckInCode(models.Model):
    """Six digits by which a kiosk checks a person in to a booking, once. Only a digest made with the
    platform's secret is kept, as six digits alone are soon guessed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reservation = models.OneToOneField(Reservation, models.CASCADE, related_name="+")
    instrument = models.ForeignKey(Instrument, models.CASCADE, related_name="+")
    digest = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField()
    wrong_tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("check-in code")
        constraints = [models.UniqueConstraint(fields=["instrument", "digest"], name="checkincode_once")]
