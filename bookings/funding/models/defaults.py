"""Funding sources that are chosen for a person beforehand."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.models.keys import new_id
from bookings.funding.models.funding import FundingSource


class DefaultSource(models.Model):
    """A share of the bookings of a person that a funding source pays unless they choose otherwise. `is_own`:
    the person chose it; otherwise finance or the source's owner did for them. What a person chose themselves
    wins (`domain/defaults.py`)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="default_sources")
    source = models.ForeignKey(FundingSource, models.PROTECT, related_name="defaults")
    percent = models.DecimalField(max_digits=6, decimal_places=3, default=100)
    is_own = models.BooleanField(default=False)
    set_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        verbose_name = _("default funding source")
        constraints = [
            models.UniqueConstraint(fields=["user", "source", "is_own"], name="defaultsource_once"),
            models.CheckConstraint(
                condition=Q(percent__gt=0, percent__lte=100), name="defaultsource_percent"
            ),
        ]
