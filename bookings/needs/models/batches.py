"""Batches: a region's flexible needs that are placed together, and the time each was offered."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import Organisation, Region, User
from accounts.models.keys import new_id
from bookings.needs.models.needs import Need
from bookings.record.models import Reservation
from bookings.record.models.amounts import amount_field


class Batch(models.Model):
    """The flexible needs of a region's organisations, placed together in a window.

    figures: once it is placed, `{is_first_come, worth, bound, scarce: [{instrument, day, needs, price}]}`, as
    in `domain/batches.py`; bound is null if no solver is installed, day is null for all that an instrument
    may give.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("being placed")
        PLACED = "placed", _("placed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    region = models.ForeignKey(Region, models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    placed_at = models.DateTimeField(null=True)
    figures = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("batch")
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="batch_forward"),
            models.UniqueConstraint(fields=["region"], condition=Q(state="waiting"), name="batch_once"),
        ]
        indexes = [models.Index(fields=["-created_at"], name="batch_created")]

    @property
    def percent(self) -> int | None:
        """Return the percentage of the best plan that was reached at least; None if nobody has computed
        it."""
        bound = self.figures.get("bound")
        return round(100 * self.figures["worth"] / bound) if bound else None

    def places(self) -> Places:
        """Return the places whose people may read it: the region's."""
        return (), self.region.lineage


class BatchPlace(models.Model):
    """The outcome for one need in a batch. reason: why it got its time, or none, with the others, instrument
    and day that this refers to; payable: what the payer would pay."""

    class State(models.TextChoices):
        OFFERED = "offered", _("offered")
        ACCEPTED = "accepted", _("accepted")
        GIVEN_BACK = "given_back", _("given back")
        LAPSED = "lapsed", _("lapsed")
        UNPLACED = "unplaced", _("no place")

    class Reason(models.TextChoices):
        ONLY = "only", _("the only time")
        FREE = "free", _("no other need for it")
        DAY = "day", _("other needs for the day")
        INSTRUMENT = "instrument", _("other needs for the instrument")
        SHARE = "share", _("hours for batches used up")
        NO_MATCH = "no-match", _("no instrument")
        MEANWHILE = "meanwhile", _("booked meanwhile")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    batch = models.ForeignKey(Batch, models.CASCADE, related_name="batch_places")
    # Null once its author is forgotten.
    need = models.ForeignKey(Need, models.SET_NULL, null=True, related_name="batch_places")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    reservation = models.OneToOneField(Reservation, models.CASCADE, null=True, related_name="batch_place")
    state = models.CharField(max_length=10, choices=State)
    reason = models.CharField(max_length=10, choices=Reason)
    others = models.PositiveIntegerField(default=0)
    instrument = models.ForeignKey("instruments.Instrument", models.PROTECT, null=True, related_name="+")
    day = models.DateField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    payable = amount_field(null=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("place in a batch")
        constraints = [
            models.CheckConstraint(
                condition=Q(state="unplaced", reservation=None)
                | (~Q(state="unplaced") & Q(reservation__isnull=False)),
                name="batch_place_held",
            ),
            models.UniqueConstraint(fields=["batch", "need"], name="batch_place_once"),
            models.UniqueConstraint(
                fields=["need"], condition=Q(state="offered"), name="batch_place_offered"
            ),
        ]

    def places(self) -> Places:
        """Return the places whose people may read it: the payer's only, as the host does not know of it
        yet."""
        return (self.organisation_id,), self.organisation.region.lineage
