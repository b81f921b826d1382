"""Requests that could not be met for lack of capacity."""

from django.db import models
from django.db.models import Q

from accounts.models import Organisation, Region, User
from instruments.register.models import Instrument
from instruments.vocabulary.models import Technique


class UnmetDemand(models.Model):
    """An unmet request, counted once per person, instrument or query, and day."""

    class Kind(models.TextChoices):
        REFUSED = "refused"
        SEARCH = "search"

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=10, choices=Kind)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    region = models.ForeignKey(Region, models.PROTECT, null=True, related_name="+")
    instrument = models.ForeignKey(Instrument, models.CASCADE, null=True, related_name="+")
    # Of a search; of a refusal they are the instrument's.
    technique = models.ForeignKey(Technique, models.SET_NULL, null=True, related_name="+", db_index=False)
    query = models.CharField(max_length=500, blank=True)
    # Of a booking refused by a rule: its code. Such rows say why an instrument stood idle; they are no unmet
    # demand, which is refused for lack of capacity.
    code = models.CharField(max_length=40, blank=True, default="", db_default="")
    minutes = models.PositiveIntegerField()
    wanted_from = models.DateTimeField()
    wanted_until = models.DateTimeField()
    on_date = models.DateField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "instrument", "query", "on_date"],
                nulls_distinct=False,
                name="demand_once_a_day",
            ),
            models.CheckConstraint(
                condition=Q(kind="refused", instrument__isnull=False) | Q(kind="search", instrument=None),
                name="demand_kind",
            ),
        ]
        indexes = [models.Index(fields=["on_date"], name="demand_date")]
