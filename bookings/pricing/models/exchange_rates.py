"""Exchange rates, and the closed months of hosts."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.currencies import MINOR_DIGITS
from accounts.models import Organisation, User
from accounts.models.keys import new_id


class ExchangeRate(models.Model):
    """An exchange rate that a payer's finance entered: one unit of `base` in `quote` on a day. It is never
    edited: a later entry for the same day is a new row, and the newest counts."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="exchange_rates")
    base = models.CharField(max_length=3)
    quote = models.CharField(max_length=3)
    rate = models.DecimalField(max_digits=20, decimal_places=10)
    valid_on = models.DateField()
    source = models.CharField(max_length=200, blank=True)  # who publishes the rate: a bank, a ministry
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()

    class Meta:
        verbose_name = _("exchange rate")
        constraints = [
            models.CheckConstraint(condition=Q(rate__gt=0), name="exchangerate_above_zero"),
            models.CheckConstraint(condition=~Q(base=F("quote")), name="exchangerate_two"),
            models.CheckConstraint(
                condition=Q(base__in=sorted(MINOR_DIGITS), quote__in=sorted(MINOR_DIGITS)),
                name="exchangerate_currencies",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organisation", "base", "quote", "-valid_on", "-entered_at"],
                name="exchangerate_newest",
            )
        ]


class ClosedMonth(models.Model):
    """A month whose statements the host has drawn up: no more charges are added to it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    host = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    month = models.DateField()
    closed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["host", "month"], name="closedmonth_once"),
            models.CheckConstraint(condition=Q(month__day=1), name="closedmonth_first_day"),
        ]
