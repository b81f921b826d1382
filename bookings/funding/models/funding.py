"""Funding sources, from which a home organisation pays."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.roles import Places
from accounts.models import Organisation, User
from accounts.models.keys import new_id
from bookings.record.models.amounts import amount_field


class FundingSource(models.Model):
    """A project, account or cost centre of an organisation, chargeable for bookings that start on the local
    days of [`valid_from`, `valid_until`).

    `budget` null: no limit. `held` is reserved, `spent` was charged, `transferred` moved to the source of the
    organisation that this one was merged into. `is_open`: every member may charge it; otherwise only `users`
    and the owner may.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="funding_sources")
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    owner = models.ForeignKey(User, models.PROTECT, related_name="+")
    users = models.ManyToManyField(User, related_name="funding_sources")
    is_open = models.BooleanField(default=False)
    currency = models.CharField(max_length=3)
    budget = amount_field(null=True)
    held = amount_field(default=0)
    spent = amount_field(default=0)
    transferred = amount_field(default=0)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)
    suspended_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("funding source")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "code"], name="source_code_unique"),
            models.CheckConstraint(condition=Q(held__gte=0), name="source_held"),
            models.CheckConstraint(condition=Q(transferred__gte=0), name="source_transferred"),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")), name="source_forward"
            ),
            models.CheckConstraint(condition=Q(budget=None) | Q(budget__gte=0), name="source_budget"),
            models.CheckConstraint(condition=Q(currency__in=sorted(MINOR_DIGITS)), name="source_currency"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def left(self) -> Decimal | None:
        """Return the amount that is neither reserved nor spent nor transferred; below zero if use has
        exceeded it. None without a budget."""
        if self.budget is None:
            return None
        left: Decimal = self.budget - self.held - self.spent - self.transferred
        return left

    def places(self) -> Places:
        return self.organisation.places()
