"""The waiting list: ordered entries, and the slots offered for them."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation, Region, User
from accounts.models.keys import new_id
from bookings.record.models import Reservation
from bookings.record.models.amounts import amount_field
from instruments.register.models import Instrument


class WaitingWish(models.Model):
    """A waiting-list entry for `minutes` between `earliest` and `latest` on an instrument, or with
    `any_equivalent` on one with the same techniques in the given regions (none given: everywhere). Entries
    are served in the order of their creation."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        FULFILLED = "fulfilled", _("fulfilled")
        WITHDRAWN = "withdrawn", _("withdrawn")
        EXPIRED = "expired", _("expired")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="+")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    service_mode = models.CharField(max_length=10, choices=Instrument.ServiceMode)
    earliest = models.DateTimeField()
    latest = models.DateTimeField()
    minutes = models.PositiveIntegerField()
    # Times of day in the time zone of the offered instrument (`TimesOfDay`); null: any.
    hours_from = models.TimeField(null=True)
    hours_until = models.TimeField(null=True)
    any_equivalent = models.BooleanField(default=False)
    regions = models.ManyToManyField(Region, related_name="+", blank=True)
    # In all, before tax and vouchers, in the currency of the named instrument.
    max_price = amount_field(null=True)
    # The instruments that it accepts, including the named one, as of the last look.
    instruments = ArrayField(models.UUIDField(), default=list)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    created_at = models.DateTimeField()
    looked_at = models.DateTimeField()  # when the job last looked for a slot for it
    ended_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("waiting-list entry")
        constraints = [
            models.CheckConstraint(
                condition=Q(latest__gt=F("earliest")) & Q(minutes__gt=0), name="wish_forward"
            )
        ]
        indexes = [
            models.Index(fields=["created_at", "id"], condition=Q(state="waiting"), name="wish_order"),
            GinIndex(fields=["instruments"], condition=Q(state="waiting"), name="wish_instruments"),
            models.Index(fields=["looked_at"], condition=Q(state="waiting"), name="wish_looked_at"),
            models.Index(fields=["user", "-created_at"], name="wish_user"),
        ]


class WaitingOffer(models.Model):
    """A slot held for a waiting-list entry; the reservation's state says whether it was taken."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    wish = models.ForeignKey(WaitingWish, models.CASCADE, related_name="offers")
    reservation = models.OneToOneField(Reservation, models.PROTECT, related_name="waiting_offer")
    offered_at = models.DateTimeField()

    class Meta:
        verbose_name = _("offer")
