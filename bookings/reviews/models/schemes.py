"""Review schemes: the rules of a place for purchases, as data."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models.keys import new_id
from bookings.record.models.amounts import amount_field


class ReviewScheme(models.Model):
    """One version of a scheme; a changed file makes a new version, and cases keep theirs.

    regions: codes, in any spelling; money: the kinds of money it covers, empty for any; least, most: price in
    its currency; full_hours, full_percent: from where on an instrument counts as full; look: where
    instruments are compared; grounds: `{code, side, name, name_zh}`, and `contradicts` for grounds that
    cannot be combined; experts: opinions needed; days: working days of a step, by state. A null or empty
    value, and a step without days, is not stated by the scheme.
    """

    class Money(models.TextChoices):
        CENTRAL = "central", _("central government")
        REGIONAL = "regional", _("the region")
        COUNCIL = "council", _("research council")
        OWN = "own", _("own funds")

    class Look(models.TextChoices):
        APPLICANT = "applicant", _("within the applicant's organisation")
        CITY = "city", _("in the city")
        REGION = "region", _("in the region")
        AGREED = "agreed", _("in all agreed regions")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    name_zh = models.CharField(max_length=200)
    regions = ArrayField(models.CharField(max_length=20))
    money = ArrayField(models.CharField(max_length=10, choices=Money), default=list, blank=True)
    currency = models.CharField(max_length=3)
    least = amount_field(null=True, blank=True)
    most = amount_field(null=True, blank=True)
    full_hours = models.PositiveIntegerField(null=True, blank=True)
    full_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    look = models.CharField(max_length=10, choices=Look, blank=True)
    grounds = models.JSONField(default=list, blank=True)
    experts = models.PositiveSmallIntegerField(null=True, blank=True)
    days = models.JSONField(default=dict, blank=True)
    appeal_days = models.PositiveSmallIntegerField(null=True, blank=True)
    valid_from = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=500)
    source_date = models.CharField(max_length=10)  # a year, month or day
    digest = models.CharField(max_length=64)
    loaded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("review scheme")
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="reviewscheme_version"),
            models.CheckConstraint(
                condition=Q(most=None) | Q(least=None) | Q(most__gt=F("least")), name="reviewscheme_scope"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.version}"
