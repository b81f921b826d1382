"""Charges for finished, cancelled or missed reservations and for attended courses, frozen with their
inputs."""

from datetime import datetime
from uuid import UUID

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
from bookings.record.models.copies import Copied
from instruments.register.models import Instrument
from instruments.training.models import Course, Enrolment


class Charge(Copied):
    """A charge, whose amounts are never edited: computing it again from `inputs` gives `result`, to the cent.
    A correction is a reversing charge (negative amounts) and a new one.

    It is for a `reservation`, or for an `enrolment`: a place in a course that was attended.

    `total` = `covered` + `payable`, tax included. `final_at` is set once and never moves; from then on the
    charge belongs to `month`, given by its first day, in the host's time zone.
    """

    class Kind(models.TextChoices):
        USE = "use", _("use")
        CANCELLATION = "cancellation", _("cancellation")
        NO_SHOW = "no_show", _("not used")
        REVERSAL = "reversal", _("reversal")
        MELTING = "melting", _("used by others")
        TRAINING = "training", _("course attended")

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("charge", "open")
        DISPUTED = "disputed", _("disputed")
        FINAL = "final", _("final")
        REVERSED = "reversed", _("reversed")

    ORIGINAL = ("use", "cancellation", "no_show", "training")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reservation = models.ForeignKey(Reservation, models.PROTECT, null=True, related_name="charges")
    # Enrolments are never deleted; a constraint would be checked for every charge while all wait.
    enrolment = models.ForeignKey(
        Enrolment, models.PROTECT, null=True, related_name="charges", db_index=False, db_constraint=False
    )
    kind = models.CharField(max_length=12, choices=Kind)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    # For a reversal, the charge that it takes back in full; for a fee reduction on rebooking, the fee it
    # reduces.
    reverses = models.ForeignKey("self", models.PROTECT, null=True, related_name="reversals")
    # Payer, host and their regions, as on the reservation, or on the day of the course.
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
    # When and by whom the host ticked it as checked, for its own work: it changes nothing of the charge.
    checked_at = models.DateTimeField(null=True)
    checked_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
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
                fields=["enrolment"],
                condition=Q(kind="training") & ~Q(state="reversed"),
                name="charge_one_of_a_place",
            ),
            models.CheckConstraint(
                condition=Q(reservation__isnull=False, enrolment=None)
                | Q(reservation=None, enrolment__isnull=False, kind__in=["training", "reversal"]),
                name="charge_of_one_thing",
            ),
            models.UniqueConstraint(
                fields=["reverses", "kind"], condition=Q(reverses__isnull=False), name="charge_reversed_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["reversal", "melting"], reverses__isnull=False)
                | Q(kind__in=["use", "cancellation", "no_show", "training"], reverses=None),
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
            models.Index(fields=["modified", "id"], name="charge_modified"),
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
                    "enrolment",
                    "state",
                    "kind",
                    "month",
                    "currency",
                    "total",
                    "covered",
                    "payable",
                ],
                name="charge_listing",
            ),
            models.Index(fields=["open_until"], condition=Q(state="open"), name="charge_becoming_final"),
            models.Index(fields=["enrolment"], condition=Q(enrolment__isnull=False), name="charge_enrolment"),
        ]

    def places(self) -> Places:
        return (self.organisation_id, self.host_id), (*self.host_region.lineage, *self.payer_region.lineage)

    # What the charge is for. The caller has loaded the reservation or the enrolment, with these rows.

    @property
    def place(self) -> Enrolment:
        """Return the place in a course, of a charge that is for no reservation."""
        assert self.enrolment is not None
        return self.enrolment

    @property
    def thing(self) -> Instrument | Course:
        """Return the instrument that was booked, or the course that was attended."""
        return self.reservation.instrument if self.reservation else self.place.session.course

    @property
    def person(self) -> User:
        """Return the person who booked or attended."""
        return self.reservation.user if self.reservation else self.place.user

    @property
    def people(self) -> frozenset[UUID]:
        """Return the ids of the people whose own charge it is: who booked or attended, and who entered it."""
        if self.reservation:
            return frozenset({self.reservation.user_id, self.reservation.made_by_id})
        return frozenset({self.place.user_id, self.place.asked_by_id})

    @property
    def start_at(self) -> datetime:
        """Return the start of the booking or course session."""
        return self.reservation.start_at if self.reservation else self.place.session.start_at

    @property
    def end_at(self) -> datetime:
        """Return the end of the booking or course session."""
        return self.reservation.end_at if self.reservation else self.place.session.end_at

    @property
    def time_zone(self) -> str:
        """Return the time zone of the facility where it took place."""
        at = self.reservation.instrument if self.reservation else self.place.session
        return at.facility.time_zone


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
