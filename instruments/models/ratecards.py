"""Dated and versioned prices of one instrument."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

from accounts.domain.currencies import MINOR_DIGITS
from accounts.models.keys import new_id
from instruments.models.instruments import Instrument


class RateCard(models.Model):
    """`card` is the JSON of docs/fees.md. Published cards of one instrument never overlap.

    A draft was never published; `replaced_at`: a newer version with the same first day took its
    place. `revision` counts changes of the row, `version` the cards of the instrument.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="rate_cards")
    version = models.PositiveIntegerField()
    card = models.JSONField()
    currency = models.CharField(max_length=3)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)
    published_at = models.DateTimeField(null=True)
    replaced_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["instrument", "version"], name="ratecard_version_unique"
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="ratecard_forward",
            ),
            models.CheckConstraint(
                condition=Q(published_at=None) | Q(replaced_at=None),
                name="ratecard_published_or_replaced",
            ),
            models.CheckConstraint(
                condition=Q(currency__in=sorted(MINOR_DIGITS)), name="ratecard_currency"
            ),
            ExclusionConstraint(
                name="ratecard_no_overlap",
                expressions=[
                    ("instrument", RangeOperators.EQUAL),
                    (
                        Func(
                            "valid_from",
                            "valid_until",
                            Value("[)"),
                            function="daterange",
                            output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(published_at__isnull=False),
            ),
        ]
