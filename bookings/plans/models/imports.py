"""Calendars that were kept elsewhere, and the bookings that came from them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation, User
from accounts.models.keys import new_id
from bookings.record.models import Reservation


class BookingImport(models.Model):
    """One imported file: by whom, for which payer, and the outcome of its rows."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    booked = models.PositiveIntegerField()
    unchanged = models.PositiveIntegerField()
    refused = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("import of bookings")


class ImportedBooking(models.Model):
    """The row of a file that a reservation came from; the row is recognised whatever became of the
    reservation since. `digest` is of its content."""

    reservation = models.OneToOneField(Reservation, models.PROTECT, primary_key=True, related_name="imported")
    run = models.ForeignKey(BookingImport, models.PROTECT, related_name="bookings")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+", db_index=False)
    reference = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    line = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("imported booking")
        constraints = [
            # The same row is never booked twice.
            models.UniqueConstraint(fields=["organisation", "reference"], name="imported_booking_once")
        ]
