"""How long records are kept, where administrators have set it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.models.keys import new_id
from bookings.privacy.domain.periods import MOST_DAYS


class HoldingPeriod(models.Model):
    """The days that records of a kind (`accounts.work.Kept`) are kept, from a day until a later row. Rows are
    added, never changed; before the first of a kind the platform's own period holds."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=30)
    days = models.PositiveSmallIntegerField()
    valid_from = models.DateField()
    reason = models.CharField(max_length=500)
    entered_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    entered_at = models.DateTimeField()

    class Meta:
        verbose_name = _("holding period")
        constraints = [
            models.UniqueConstraint(fields=["kind", "valid_from"], name="holdingperiod_one_a_day"),
            models.CheckConstraint(condition=Q(days__gte=1, days__lte=MOST_DAYS), name="holdingperiod_range"),
        ]

    def __str__(self) -> str:
        return self.kind
