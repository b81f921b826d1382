"""Faults of instruments that people report."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.domain.roles import Places
from accounts.models import User
from accounts.models.keys import new_id
from bookings.availability.models import Closure
from instruments.register.models import Instrument


class FaultReport(models.Model):
    """A report that an instrument does not work as it should. It closes nothing: the host's managers confirm
    or dismiss it. An instrument has at most one open report; people who report further faults join it, and
    may only raise its severity."""

    class Severity(models.TextChoices):
        USABLE = "usable", _("still usable")
        UNUSABLE = "unusable", _("not usable")

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("fault", "open")
        CONFIRMED = "confirmed", pgettext_lazy("fault", "confirmed")
        DISMISSED = "dismissed", pgettext_lazy("fault", "dismissed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="faults")
    severity = models.CharField(max_length=10, choices=Severity)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    created_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    # The closure made by confirming it; null if it was only noted.
    closure = models.ForeignKey(Closure, models.SET_NULL, null=True, related_name="faults")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("fault report")
        constraints = [
            models.UniqueConstraint(fields=["instrument"], condition=Q(state="open"), name="fault_open_once"),
            models.CheckConstraint(
                condition=Q(state="open", decided_at=None) | ~Q(state="open") & Q(decided_at__isnull=False),
                name="fault_decided",
            ),
        ]

    def places(self) -> Places:
        return self.instrument.places()


class FaultNote(models.Model):
    """One person's note in a report: first that of whoever opened it, then those of others. The photo, in two
    sizes, is in the storage of uploads under the note's id."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    fault = models.ForeignKey(FaultReport, models.PROTECT, related_name="notes")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    text = models.CharField(max_length=1000, blank=True)
    severity = models.CharField(max_length=10, choices=FaultReport.Severity)
    has_photo = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("note of a fault report")
        indexes = [models.Index(fields=["user", "-created_at"], name="faultnote_day")]
