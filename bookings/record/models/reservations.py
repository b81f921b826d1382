"""Reservations: requests for a period."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import Organisation, Region, User
from accounts.models.keys import new_id
from bookings.record.models.amounts import amount_field
from bookings.record.models.copies import Copied
from bookings.record.models.references import Referenced
from instruments.rates.models import RateCard
from instruments.register.models import Instrument


class Reservation(Referenced, Copied):
    """A request for a period of one unit. A hold is a reservation in state `held`."""

    class State(models.TextChoices):
        HELD = "held", _("held")
        REQUESTED = "requested", _("requested")
        CONFIRMED = "confirmed", _("confirmed")
        IN_USE = "in_use", _("in use")
        COMPLETED = "completed", _("completed")
        CANCELLED = "cancelled", _("cancelled")
        REJECTED = "rejected", _("rejected")
        EXPIRED = "expired", _("expired")
        NO_SHOW = "no_show", _("not used")
        DISPLACED = "displaced", _("displaced")

    class HeldFor(models.TextChoices):
        BID = "bid", _("bid")
        BATCH = "batch", _("batch")

    class Struck(models.TextChoices):
        WAS_THERE = "was_there", _("the person was there")
        HOST_FAULT = "host_fault", _("it was the owner's fault")
        OTHER = "other", _("another reason")

    class Purpose(models.TextChoices):
        RESEARCH = "research", _("research")
        DEVELOPMENT = "development", _("development")
        TEACHING = "teaching", _("teaching")
        OTHER = "other", _("other")

    # Foreign keys are indexed below together with the fields they are queried with, or are never queried.
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="reservations", db_index=False)
    unit = models.IntegerField(default=1)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    setup_minutes = models.PositiveIntegerField(default=0)
    teardown_minutes = models.PositiveIntegerField(default=0)
    check_in_minutes = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=10, choices=State)
    # Why a hold is kept, other than for its person's own form; empty once it is booked.
    held_for = models.CharField(max_length=8, choices=HeldFor, blank=True, default="", db_default="")

    # The parties. Host and payer with their regions stay as they were when it was made.
    user = models.ForeignKey(User, models.PROTECT, related_name="reservations", db_index=False)
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="reservations", db_index=False
    )
    payer_region = models.ForeignKey(Region, models.PROTECT, related_name="+")
    host = models.ForeignKey(Organisation, models.PROTECT, related_name="hosted_reservations", db_index=False)
    host_region = models.ForeignKey(Region, models.PROTECT, related_name="+")

    service_mode = models.CharField(max_length=10, choices=Instrument.ServiceMode)
    purpose = models.CharField(max_length=12, choices=Purpose, default=Purpose.RESEARCH)
    purpose_text = models.CharField(max_length=500, blank=True)
    samples = models.CharField(max_length=500, blank=True)
    price_group = models.CharField(max_length=10)
    rate_card = models.ForeignKey(RateCard, models.PROTECT, related_name="reservations", db_index=False)
    # The policy version by whose rules it was judged last; null: made before versions were stored.
    policy_version = models.PositiveIntegerField(null=True)
    # For the group `partner`: the agreement that applied when it was made, or last moved.
    agreement = models.ForeignKey(
        "bookings.Agreement", models.PROTECT, null=True, related_name="+", db_index=False
    )

    requested_at = models.DateTimeField()
    deadline_at = models.DateTimeField(null=True)  # deadline of a hold or an unanswered request
    confirmed_at = models.DateTimeField(null=True)  # when first confirmed; null for a request that never was
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    ended_at = models.DateTimeField(null=True)  # when it reached a final state
    is_ended_by_host = models.BooleanField(default=False)  # then it costs the payer nothing
    reason = models.CharField(max_length=500, blank=True)
    # Rules that a manager overrode for it, by code, for auditors.
    overrides = ArrayField(models.CharField(max_length=30), default=list)
    # Prevents avoiding a late fee by moving: the minimum percent for cancelling, and the cost of late
    # shortening so far, before tax.
    least_percent = models.DecimalField(max_digits=6, decimal_places=3, default=0)
    shortening_fee = amount_field(default=0)
    # Second thoughts: its person cancelled it just after making it, free of charge; and the instrument's day
    # on which they did so, or shortened or moved it free of charge, which is possible once a day.
    is_second_thought = models.BooleanField(default=False)
    second_thought_on = models.DateField(null=True)
    # Why the host removed the no-show that the booking counted as; without times of use it costs nothing.
    struck = models.CharField(max_length=10, choices=Struck, blank=True, default="", db_default="")

    # Where it is one of several made together.
    series = models.ForeignKey(
        "bookings.Series", models.PROTECT, null=True, related_name="reservations", db_index=False
    )
    occurrence_at = models.DateTimeField(null=True)  # the start that the rule gave, whatever it is now
    chain = models.ForeignKey(
        "bookings.Chain", models.PROTECT, null=True, related_name="reservations", db_index=False
    )
    step = models.PositiveSmallIntegerField(null=True)  # of the chain, from 1
    # The need that it was booked for, as who booked says; it counts if the need is its person's own.
    for_need = models.UUIDField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("reservation")
        constraints = [
            models.CheckConstraint(condition=Q(end_at__gt=F("start_at")), name="reservation_forward"),
            models.CheckConstraint(
                condition=Q(state__in=["held", "requested"], deadline_at__isnull=False)
                | ~Q(state__in=["held", "requested"]),
                name="reservation_waits_until",
            ),
            models.CheckConstraint(
                condition=Q(chain=None, step=None) | Q(chain__isnull=False, step__gte=1),
                name="reservation_step",
            ),
            models.UniqueConstraint(
                fields=["user", "instrument", "second_thought_on"],
                condition=Q(second_thought_on__isnull=False),
                name="reservation_second_thought",
            ),
            # The same occurrence is never booked twice.
            models.UniqueConstraint(
                fields=["series", "occurrence_at"],
                condition=Q(state__in=["held", "requested", "confirmed", "in_use", "completed"]),
                name="reservation_occurrence",
            ),
        ]
        indexes = [
            models.Index(fields=["modified", "id"], name="reservation_modified"),
            models.Index(fields=["start_at", "id"], name="reservation_start"),
            models.Index(fields=["user", "-start_at"], name="reservation_user"),
            models.Index(
                fields=["made_by", "-start_at"],
                condition=~Q(user=F("made_by")),
                name="reservation_for_others",
            ),
            models.Index(fields=["organisation", "-start_at"], name="reservation_payer"),
            models.Index(fields=["host", "-start_at"], name="reservation_host"),
            models.Index(fields=["instrument", "start_at"], name="reservation_instrument"),
            models.Index(
                fields=["instrument", "start_at"], condition=Q(state="no_show"), name="reservation_no_show"
            ),
            models.Index(fields=["series"], condition=Q(series__isnull=False), name="reservation_series"),
            models.Index(fields=["chain"], condition=Q(chain__isnull=False), name="reservation_chain"),
            models.Index(
                fields=["deadline_at"],
                condition=Q(state__in=["held", "requested"]),
                name="reservation_deadlines",
            ),
            models.Index(
                fields=["end_at"], condition=Q(state__in=["confirmed", "in_use"]), name="reservation_open"
            ),
            models.Index(
                fields=["start_at"],
                condition=Q(state="confirmed", check_in_minutes__isnull=False),
                name="reservation_check_in",
            ),
        ]

    def places(self) -> Places:
        """Return the places whose people may read it: payer and host; for a bid's hold only the payer, whose
        identity the host does not know yet."""
        if self.held_for:
            return (self.organisation_id,), self.payer_region.lineage
        return (self.organisation_id, self.host_id), (*self.host_region.lineage, *self.payer_region.lineage)
