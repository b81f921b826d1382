"""Faults of instruments that people report."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.domain.roles import Places
from accounts.models import User
from accounts.models.keys import new_id
from bookings.availability.models import Closure
from bookings.usage.models.kiosks import Kiosk
from instruments.register.models import Instrument


class FaultReport(models.Model):
    """A report that an instrument does not work as it should. It closes nothing: the host's managers confirm
    or dismiss it. Once confirmed it is a known issue of the instrument until it is repaired. An instrument
    has at most one open report; people who report further faults join it, and may only raise its severity."""

    class Severity(models.TextChoices):
        USABLE = "usable", _("still usable")
        UNUSABLE = "unusable", _("not usable")

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("fault", "open")
        CONFIRMED = "confirmed", pgettext_lazy("fault", "confirmed")
        REPAIRED = "repaired", pgettext_lazy("fault", "repaired")
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
    # Who sees to the repair: one of the host's managers. Without a constraint, which would lock all people.
    assignee = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    repaired_at = models.DateTimeField(null=True)
    repair = models.CharField(max_length=1000, blank=True, default="", db_default="")
    # What the repair cost the host, in the currency that its region had then.
    cost = models.DecimalField(max_digits=14, decimal_places=3, null=True)
    currency = models.CharField(max_length=3, blank=True, default="", db_default="")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("fault report")
        constraints = [
            models.UniqueConstraint(fields=["instrument"], condition=Q(state="open"), name="fault_open_once"),
            models.CheckConstraint(
                condition=Q(state="open", decided_at=None) | ~Q(state="open") & Q(decided_at__isnull=False),
                name="fault_decided",
            ),
            models.CheckConstraint(
                condition=Q(state="repaired", repaired_at__isnull=False)
                | ~Q(state="repaired") & Q(repaired_at=None),
                name="fault_repaired",
            ),
        ]

    def closes_at(self, now: datetime) -> bool:
        """Return whether the instrument is closed for this fault at a moment."""
        closure = self.closure
        return (
            closure is not None
            and closure.start_at <= now
            and (closure.end_at is None or now < closure.end_at)
        )

    def down(self, now: datetime) -> timedelta | None:
        """Return how long the instrument has been closed for this fault by a moment; None if it was not."""
        if self.closure is None:
            return None
        return max(timedelta(0), min(self.closure.end_at or now, now) - self.closure.start_at)

    def places(self) -> Places:
        return self.instrument.places()


class FaultNote(models.Model):
    """One person's note in a report: first that of whoever opened it, then those of others; or one that
    somebody wrote at a `kiosk`, without their name. The photo, in two sizes, is in the storage of uploads
    under the note's id."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    fault = models.ForeignKey(FaultReport, models.PROTECT, related_name="notes")
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    kiosk = models.ForeignKey(
        Kiosk, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    text = models.CharField(max_length=1000, blank=True)
    severity = models.CharField(max_length=10, choices=FaultReport.Severity)
    has_photo = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("note of a fault report")
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, kiosk=None) | Q(user=None, kiosk__isnull=False),
                name="faultnote_of_one",
            )
        ]
        indexes = [models.Index(fields=["user", "-created_at"], name="faultnote_day")]

    @property
    def writer(self) -> User | Kiosk | None:
        """Return who wrote it, or the kiosk where it was written (load both with the note)."""
        return self.user or self.kiosk
