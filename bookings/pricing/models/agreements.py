"""Agreements between regions, and their signatures."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Region, User
from accounts.models.keys import new_id


class Agreement(models.Model):
    """An agreement, in force between two regions once every member has signed, on the local days of
    [`valid_from`, `valid_until`). Its terms are never edited; it can be ended earlier."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    name_zh = models.CharField(max_length=200, blank=True)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)
    discount_percent = models.DecimalField(max_digits=6, decimal_places=3, default=0)
    honours_vouchers = models.BooleanField(default=False)
    recognises_qualifications = models.BooleanField(default=False)
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    # When the last member signed; until then it is a proposal.
    signed_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("agreement")
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")), name="agreement_forward"
            ),
            models.CheckConstraint(
                condition=Q(discount_percent__gte=0, discount_percent__lte=100), name="agreement_discount"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AgreementMember(models.Model):
    """A region's place in an agreement, which binds the region once its coordinator has signed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agreement = models.ForeignKey(Agreement, models.CASCADE, related_name="members")
    region = models.ForeignKey(Region, models.PROTECT, related_name="+")
    signed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    signed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["region", "agreement"], name="agreement_member_once"),
            models.CheckConstraint(
                condition=Q(signed_by=None, signed_at=None)
                | Q(signed_by__isnull=False, signed_at__isnull=False),
                name="agreement_member_signed",
            ),
        ]
