"""Voucher programmes, the grants made from them, and the money reserved from them."""

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.roles import Places
from accounts.models import Organisation, Region, User
from accounts.models.keys import new_id
from bookings.record.models.amounts import amount_field


class VoucherProgramme(models.Model):
    """A programme by which a region pays `percent` of the use that its organisations make elsewhere.

    `budget` caps the sum of all grants (null: no cap); `granted` is that sum. `payer_kinds` are the kinds of
    organisations served, `host_regions` the regions where it may be used; empty lists mean no restriction.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    region = models.ForeignKey(Region, models.PROTECT, related_name="programmes")
    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    name_zh = models.CharField(max_length=200, blank=True)
    percent = models.DecimalField(max_digits=6, decimal_places=3)
    cap_per_booking = amount_field(null=True)
    currency = models.CharField(max_length=3)
    budget = amount_field(null=True)
    granted = amount_field(default=0)
    payer_kinds = ArrayField(models.CharField(max_length=20), default=list)
    is_for_small_only = models.BooleanField(default=False)  # serves only small ones among enterprises
    host_regions = ArrayField(models.UUIDField(), default=list)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)
    suspended_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("voucher programme")
        constraints = [
            models.CheckConstraint(condition=Q(percent__gt=0, percent__lte=100), name="programme_percent"),
            models.CheckConstraint(
                condition=Q(granted__gte=0) & (Q(budget=None) | Q(granted__lte=F("budget"))),
                name="programme_within_budget",
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")), name="programme_forward"
            ),
            models.CheckConstraint(
                condition=Q(cap_per_booking=None) | Q(cap_per_booking__gt=0), name="programme_cap"
            ),
            models.CheckConstraint(condition=Q(currency__in=sorted(MINOR_DIGITS)), name="programme_currency"),
        ]

    def __str__(self) -> str:
        return self.name

    def places(self) -> Places:
        return (), self.region.lineage


class VoucherGrant(models.Model):
    """One organisation's yearly amount, usable for bookings that start on the local days [`valid_from`,
    `valid_until`). `held` is reserved, `redeemed` spent, `transferred` moved to the grant of the organisation
    this one was merged into (`PurseTransfer`); the rest is left."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    programme = models.ForeignKey(VoucherProgramme, models.PROTECT, related_name="grants")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="grants")
    code = models.SlugField(max_length=40, unique=True)
    amount = amount_field()
    held = amount_field(default=0)
    redeemed = amount_field(default=0)
    transferred = amount_field(default=0)
    # Codes of the grants that it continues: bookings were quoted with these.
    former_codes = ArrayField(models.CharField(max_length=40), default=list)
    valid_from = models.DateField()
    valid_until = models.DateField()
    suspended_at = models.DateTimeField(null=True)
    granted_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    granted_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("voucher grant")
        constraints = [
            models.CheckConstraint(
                condition=Q(held__gte=0, redeemed__gte=0, transferred__gte=0)
                & Q(amount__gte=F("held") + F("redeemed") + F("transferred")),
                name="grant_never_below_zero",
            ),
            models.CheckConstraint(condition=Q(valid_until__gt=F("valid_from")), name="grant_forward"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def left(self) -> Decimal:
        """Return the amount that is neither reserved nor spent nor transferred to another grant."""
        left: Decimal = self.amount - self.held - self.redeemed - self.transferred
        return left

    def places(self) -> Places:
        return self.organisation.places()
