"""Enquiries, which publish needs to hosts, and the bids that answer them."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.domain.roles import Places
from accounts.models import Organisation, Region, User
from accounts.models.keys import new_id
from bookings.needs.models import Need
from bookings.record.models import Reservation
from bookings.record.models.amounts import amount_field
from bookings.record.models.copies import Copied
from instruments.register.models import Instrument


class Enquiry(Copied):
    """A request to hosts, with the contents of the need at the time. If it is confidential, they see neither
    who enquires nor the need's text; they never see requirements and budget.

    techniques: codes, the most characteristic first; regions, hosts: the hosts it goes to, all if both are
    empty; put_aside_by: ids of hosts that will not answer it; reason: why it was not met.
    """

    class State(models.TextChoices):
        OPEN = "open", _("open")
        ANSWERED = "answered", _("answered")
        AWARDED = "awarded", _("awarded")
        FULFILLED = "fulfilled", _("fulfilled")
        UNMET = "unmet", _("unmet")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Reason(models.TextChoices):
        NO_BID = "no-bid", _("no bids received")
        PRICE = "price", _("price too high")
        TIME = "time", _("no suitable time")
        CONDITIONS = "conditions", _("conditions not acceptable")
        NOT_CHOSEN = "not-chosen", _("no bid was chosen")
        FELL_THROUGH = "fell-through", _("the booking did not take place")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # Null once its author is forgotten.
    need = models.ForeignKey(Need, models.SET_NULL, null=True, related_name="enquiries")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    region = models.ForeignKey(Region, models.PROTECT, related_name="+")
    is_confidential = models.BooleanField()
    regions = models.ManyToManyField(Region, related_name="+", blank=True)
    hosts = models.ManyToManyField(Organisation, related_name="+", blank=True)
    put_aside_by = ArrayField(models.UUIDField(), default=list, db_default=[])
    terms = ArrayField(models.CharField(max_length=60))
    techniques = ArrayField(models.CharField(max_length=60))
    sample = models.CharField(max_length=200, blank=True)
    quantity = models.PositiveIntegerField(null=True)
    modes = ArrayField(models.CharField(max_length=10, choices=Instrument.ServiceMode), default=list)
    earliest = models.DateTimeField()
    latest = models.DateTimeField()
    minutes = models.PositiveIntegerField()
    closes_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    reason = models.CharField(max_length=12, choices=Reason, blank=True)
    reservation = models.OneToOneField(Reservation, models.PROTECT, null=True, related_name="enquiry_met")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("enquiry")
        constraints = [
            models.CheckConstraint(
                condition=Q(latest__gt=F("earliest"), minutes__gt=0, closes_at__lte=F("latest")),
                name="enquiry_forward",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["awarded", "fulfilled"], reservation__isnull=False)
                | ~Q(state__in=["awarded", "fulfilled"]),
                name="enquiry_award",
            ),
            models.UniqueConstraint(
                fields=["need"], condition=Q(state__in=["open", "answered", "awarded"]), name="enquiry_once"
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="enquiry_user"),
            models.Index(fields=["organisation", "-created_at"], name="enquiry_payer"),
            models.Index(
                fields=["closes_at"], condition=Q(state__in=["open", "answered"]), name="enquiry_closes"
            ),
            models.Index(fields=["created_at"], name="enquiry_created"),
            models.Index(fields=["modified", "id"], name="enquiry_modified"),
        ]

    @property
    def length(self) -> timedelta:
        return timedelta(minutes=self.minutes)

    def places(self) -> Places:
        """Return the organisation and the region whose people may read it: the payer's."""
        return (self.organisation_id,), self.region.lineage


class Bid(models.Model):
    """A host's offer for an enquiry. conditions: codes; text: a message to the person who enquired;
    discount_percent: by how much it is below the rate card, for the reason `discount_reason`; reason: why it
    was declined or lapsed, empty if nobody said."""

    class State(models.TextChoices):
        MADE = "made", _("made")
        AMENDED = "amended", _("amended")
        WITHDRAWN = "withdrawn", _("withdrawn")
        ACCEPTED = "accepted", _("accepted")
        DECLINED = "declined", _("declined")
        LAPSED = "lapsed", _("lapsed")

    class Shown(models.TextChoices):
        """The states as people read them: made and amended say what the host did, but not what comes next."""

        MADE = "made", pgettext_lazy("bid", "awaiting an answer")
        AMENDED = "amended", pgettext_lazy("bid", "changed, awaiting an answer")
        WITHDRAWN = "withdrawn", _("withdrawn")
        ACCEPTED = "accepted", _("accepted")
        DECLINED = "declined", _("declined")
        LAPSED = "lapsed", _("lapsed")

    class Condition(models.TextChoices):
        AFTER_TEST = "after-test", _("after a test measurement")
        TRAINING = "training", _("training first, then on your own")
        SAMPLE_FIRST = "sample-first", _("the sample arrives beforehand")
        ASSISTED = "assisted", _("with staff of the host throughout")

    class Reason(models.TextChoices):
        PRICE = "price", _("price too high")
        TIME = "time", _("no suitable time")
        CONDITIONS = "conditions", _("conditions not acceptable")
        OTHER_CHOSEN = "other-chosen", _("another bid was chosen")
        WITHDRAWN = "withdrawn", _("the enquiry was withdrawn")
        CLOSED = "closed", _("the enquiry closed without an award")
        UNANSWERED = "unanswered", _("it was not answered in time")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    enquiry = models.ForeignKey(Enquiry, models.PROTECT, related_name="bids")
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="+")
    host = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    service_mode = models.CharField(max_length=10, choices=Instrument.ServiceMode)
    conditions = ArrayField(models.CharField(max_length=12, choices=Condition), default=list)
    text = models.CharField(max_length=1000, blank=True)
    valid_until = models.DateTimeField()
    discount_percent = models.DecimalField(max_digits=5, decimal_places=2, default=0, db_default=0)
    discount_reason = models.CharField(max_length=200, blank=True, db_default="")
    state = models.CharField(max_length=10, choices=State, default=State.MADE)
    reason = models.CharField(max_length=12, choices=Reason, blank=True, db_default="")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("bid")
        constraints = [
            models.UniqueConstraint(
                fields=["enquiry", "instrument"],
                condition=Q(state__in=["made", "amended", "accepted"]),
                name="bid_once",
            ),
            models.UniqueConstraint(fields=["enquiry"], condition=Q(state="accepted"), name="bid_award"),
            models.CheckConstraint(
                condition=Q(discount_percent__gte=0, discount_percent__lte=100), name="bid_discount"
            ),
        ]
        indexes = [
            models.Index(fields=["host", "-created_at"], name="bid_host"),
            models.Index(
                fields=["valid_until"], condition=Q(state__in=["made", "amended"]), name="bid_lapses"
            ),
        ]

    @property
    def condition_labels(self) -> list[str]:
        return [str(Bid.Condition(code).label) for code in self.conditions]

    @property
    def starts(self) -> list[datetime]:
        """Return the starts of the times that it holds; only for bids loaded with their slots."""
        return [slot.reservation.start_at for slot in self.slots.all()]

    def places(self) -> Places:
        """Return the organisation and the region whose people may read it: the host's. They may not know yet
        who enquired."""
        return (self.host_id,), self.host.region.lineage


class BidSlot(models.Model):
    """A time that a bid holds, with its price, which does not change any more."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    bid = models.ForeignKey(Bid, models.CASCADE, related_name="slots")
    reservation = models.OneToOneField(Reservation, models.CASCADE, related_name="bid_slot")
    quote = models.JSONField()
    currency = models.CharField(max_length=3)
    total = amount_field()
    payable = amount_field()

    @property
    def covered(self) -> Decimal:
        """Return what a voucher of the enquirer pays of the price."""
        covered: Decimal = self.total - self.payable
        return covered
