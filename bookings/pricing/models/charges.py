"""Charges for finished, cancelled or missed reservations, frozen with their inputs."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.domain.roles import Places
from accounts.models import Organisation, Region, User
from accounts.models.keys import new_id
from bookings.pricing.models.vouchers import VoucherGrant
from bookings.record.models import Reservation
from bookings.record.models.amounts import amount_field


class Charge(models.Model):
    """A charge, whose amounts are never edited: computing it again from `inputs` gives `result`, to the cent.
    A correction is a reversing charge (negative amounts) and a new one.

    `total` = `covered` + `payable`, tax included. `final_at` is set once and never moves; from then on the
    charge belongs to `month`, given by its first day, in the host's time zone.
    """

    class Kind(models.TextChoices):
        USE = "use", _("use")
        CANCELLATION = "cancellation", _("cancellation")
        NO_SHOW = "no_show", _("not used")
        REVERSAL = "reversal", _("reversal")
        MELTING = "melting", _("used by others")

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("charge", "open")
        DISPUTED = "disputed", _("disputed")
        FINAL = "final", _("final")
        REVERSED = "reversed", _("reversed")

    ORIGINAL = ("use", "cancellation", "no_show")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reservation = models.ForeignKey(Reservation, models.PROTECT, related_name="charges")
    kind = models.CharField(max_length=12, choices=Kind)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    # For a reversal, the charge that it takes back in full; for a fee reduction on rebooking, the fee it
    # reduces.
    reverses = models.ForeignKey("self", models.PROTECT, null=True, related_name="reversals")
    # Payer, host and their regions, as on the reservation.
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="charges", db_index=False)
    host = models.ForeignKey(Organisation, models.PROTECT, related_name="hosted_charges", db_index=False)
    payer_region = models.ForeignKey(Region, models.PROTECT, related_name="+", db_index=False)
    host_region = models.ForeignKey(Region, models.PROTECT, related_name="+", db_index=False)
    inputs = models.JSONField()
    result = models.JSONField()
    currency = models.CharField(max_length=3)
    tax = amount_field()
    total = amount_field()
    covered = amount_field(default=0)
    payable = amount_field()
    grant = models.ForeignKey(VoucherGrant, models.PROTECT, null=True, related_name="charges")
    created_at = models.DateTimeField()
    open_until = models.DateTimeField(null=True)  # until when the payer may dispute it
    final_at = models.DateTimeField(null=True)
    month = models.DateField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("charge")
        constraints = [
            models.UniqueConstraint(
                fields=["reservation"],
                condition=Q(kind__in=["use", "cancellation", "no_show"]) & ~Q(state="reversed"),
                name="charge_one_in_force",
            ),
            models.UniqueConstraint(
                fields=["reverses", "kind"], condition=Q(reverses__isnull=False), name="charge_reversed_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["reversal", "melting"], reverses__isnull=False)
                | Q(kind__in=["use", "cancellation", "no_show"], reverses=None),
                name="charge_reverses_one",
            ),
            models.CheckConstraint(
                condition=Q(final_at=None, month=None)
                | Q(final_at__isnull=False, month__isnull=False, month__day=1),
                name="charge_month_when_final",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "disputed"], final_at=None)
                | Q(state__in=["final", "reversed"], final_at__isnull=False),
                name="charge_final_or_not",
            ),
            models.CheckConstraint(
                condition=Q(total=models.F("covered") + models.F("payable")), name="charge_sums"
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "-created_at"], name="charge_payer"),
            models.Index(fields=["host", "month"], name="charge_host_month"),
            models.Index(fields=["host", "organisation"], name="charge_host_payer"),
            # Lists and their totals read only this index, not the inputs and results beside it.
            models.Index(
                fields=["created_at", "id"],
                include=[
                    "organisation",
                    "host",
                    "payer_region",
                    "host_region",
                    "reservation",
                    "state",
                    "kind",
                    "month",
                    "currency",
                    "total",
                    "covered",
                    "payable",
                ],
                name="charge_listed",
            ),
            models.Index(fields=["open_until"], condition=Q(state="open"), name="charge_becoming_final"),
        ]

    def places(self) -> Places:
        return (self.organisation_id, self.host_id), (*self.host_region.lineage, *self.payer_region.lineage)


class Dispute(models.Model):
    """A payer's dispute of a charge; the charge does not become final before the dispute is settled."""

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("dispute", "open")
        UPHELD = "upheld", _("upheld")
        REJECTED = "rejected", _("rejected")
        WITHDRAWN = "withdrawn", _("withdrawn")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    charge = models.ForeignKey(Charge, models.PROTECT, related_name="disputes")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    reason = models.CharField(max_length=1000)
    opened_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    answer = models.CharField(max_length=1000, blank=True)
    settled_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    settled_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("dispute")
        constraints = [
            models.UniqueConstraint(fields=["charge"], condition=Q(state="open"), name="dispute_one_open")
        ]


class Correction(models.Model):
    """A correction of a charge, proposed by one person and agreed to by another.

    `inputs` and `result` are those of the new charge, in the form in which a charge stores them; both are
    null if nothing is owed. `replacement` is that charge, once agreed to.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        AGREED = "agreed", _("agreed")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    charge = models.ForeignKey(Charge, models.PROTECT, related_name="corrections")
    state = models.CharField(max_length=10, choices=State, default=State.PROPOSED)
    reason = models.CharField(max_length=1000)
    kind = models.CharField(max_length=12, choices=Charge.Kind, blank=True)
    inputs = models.JSONField(null=True)
    result = models.JSONField(null=True)
    total = amount_field(default=0)
    payable = amount_field(default=0)
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    replacement = models.OneToOneField(Charge, models.PROTECT, null=True, related_name="made_by_correction")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("correction")
        constraints = [
            models.UniqueConstraint(
                fields=["charge"], condition=Q(state="proposed"), name="correction_one_open"
            ),
            models.CheckConstraint(
                condition=Q(state="proposed", decided_by=None)
                | Q(state="withdrawn")
                | (Q(decided_by__isnull=False) & ~Q(decided_by=models.F("proposed_by"))),
                name="correction_second_person",
            ),
        ]
