"""Tables of the dated and versioned prices of instruments."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.expressions import RawSQL

from accounts.domain.currencies import MINOR_DIGITS
from accounts.models.keys import new_id
from instruments.register.models.instruments import Instrument

PRICE_GROUPS = ("regional", "partner", "external", "industry")  # of payers other than the host


def asking_price(group: str) -> str:
    """Return SQL for the price of an hour or a sample for a price group, with set-up fee and tax, in
    hundredths of the card's currency. The catalogue sorts by it."""
    net = f"(card #>> '{{rates,{group}}}')::numeric + coalesce((card ->> 'setup_fee')::numeric, 0)"
    return f"(({net}) * (100 + coalesce((card ->> 'tax_percent')::numeric, 0)))"


class RateCard(models.Model):
    """A version of an instrument's prices; `card` is the JSON of docs/fees.md. Published cards of one
    instrument never overlap.

    A draft has neither `published_at` nor `replaced_at`; the latter is set when a newer version with the same
    first day replaces a card. `revision` counts changes of the row, `version` the cards of the instrument.
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
        indexes = [
            models.Index(
                fields=["instrument", "valid_from"],
                name="card_by_day",
                condition=Q(published_at__isnull=False),
            ),
            models.Index(
                fields=["instrument"],
                name="card_by_way",
                condition=Q(published_at__isnull=False, card__has_key="usage"),
            ),
            *(
                models.Index(
                    "currency",
                    RawSQL(asking_price(group), ()),  # noqa: S611  # a text of ours
                    name=f"card_{group}",
                    condition=Q(published_at__isnull=False),
                )
                for group in PRICE_GROUPS
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["instrument", "version"], name="ratecard_version_unique"),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")), name="ratecard_forward"
            ),
            models.CheckConstraint(
                condition=Q(published_at=None) | Q(replaced_at=None), name="ratecard_published_or_replaced"
            ),
            models.CheckConstraint(condition=Q(currency__in=sorted(MINOR_DIGITS)), name="ratecard_currency"),
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
