"""Money reserved for bookings, and money moved from one grant or source to another."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.models.keys import new_id
from bookings.funding.models.funding import FundingSource
from bookings.pricing.models import VoucherGrant
from bookings.record.models import Reservation
from bookings.record.models.amounts import amount_field
from instruments.training.models import Enrolment


class Earmark(models.Model):
    """Money of a grant or of a funding source reserved for one reservation, or of a funding source for one
    place in a course.

    `amount` is in the currency of the grant or source: for a source, the quoted amount times `rate`. `held`
    turns into `redeemed` when the reservation or place is charged; what was not needed is released.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reservation = models.ForeignKey(Reservation, models.PROTECT, null=True, related_name="earmarks")
    # Enrolments are never deleted; a constraint would lock their table.
    enrolment = models.ForeignKey(
        Enrolment, models.PROTECT, null=True, related_name="earmarks", db_index=False, db_constraint=False
    )
    grant = models.ForeignKey(VoucherGrant, models.PROTECT, null=True, related_name="earmarks")
    source = models.ForeignKey(FundingSource, models.PROTECT, null=True, related_name="earmarks")
    percent = models.DecimalField(max_digits=6, decimal_places=3, null=True)  # of a source
    rate = models.DecimalField(max_digits=20, decimal_places=10, default=1)
    held = amount_field(default=0)
    redeemed = amount_field(default=0)
    created_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("earmark")
        constraints = [
            models.CheckConstraint(
                condition=Q(grant__isnull=False, source=None, percent=None)
                | Q(grant=None, source__isnull=False, percent__isnull=False),
                name="earmark_one_purse",
            ),
            models.CheckConstraint(condition=Q(held__gte=0, redeemed__gte=0), name="earmark_not_negative"),
            # One cost is never paid by two vouchers.
            models.UniqueConstraint(
                fields=["reservation"],
                condition=Q(grant__isnull=False, released_at=None),
                name="earmark_one_grant",
            ),
            models.UniqueConstraint(
                fields=["reservation", "source"],
                condition=Q(source__isnull=False, released_at=None),
                name="earmark_source_once",
            ),
            models.UniqueConstraint(
                fields=["enrolment", "source"],
                condition=Q(enrolment__isnull=False, released_at=None),
                name="earmark_place_once",
            ),
            models.CheckConstraint(
                condition=Q(reservation__isnull=False, enrolment=None)
                | Q(reservation=None, enrolment__isnull=False, grant=None),
                name="earmark_of_one_thing",
            ),
        ]
        indexes = [
            models.Index(fields=["enrolment"], condition=Q(enrolment__isnull=False), name="earmark_enrolment")
        ]

    # The caller has loaded the reservation or the enrolment.

    @property
    def subject(self) -> Reservation | Enrolment:
        """Return the booking or the place in a course that the money is for."""
        subject = self.reservation or self.enrolment
        assert subject is not None
        return subject

    @property
    def start_at(self) -> datetime:
        """Return the start of the booking or course session."""
        subject = self.subject
        return subject.session.start_at if isinstance(subject, Enrolment) else subject.start_at


class PurseTransfer(models.Model):
    """A transfer of what a grant or a funding source had left to a new one, when its organisation was merged
    into another. `amount` null: a source without a budget. Never altered: the database refuses every UPDATE,
    DELETE and TRUNCATE."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    grant_from = models.OneToOneField(VoucherGrant, models.PROTECT, null=True, related_name="gone")
    grant_to = models.OneToOneField(VoucherGrant, models.PROTECT, null=True, related_name="came")
    source_from = models.OneToOneField(FundingSource, models.PROTECT, null=True, related_name="gone")
    source_to = models.OneToOneField(FundingSource, models.PROTECT, null=True, related_name="came")
    amount = amount_field(null=True)
    at = models.DateTimeField()
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("transfer to a merged organisation")
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    grant_from__isnull=False,
                    grant_to__isnull=False,
                    source_from=None,
                    source_to=None,
                    amount__gte=0,
                )
                | Q(grant_from=None, grant_to=None, source_from__isnull=False, source_to__isnull=False),
                name="pursetransfer_one_kind",
            )
        ]
