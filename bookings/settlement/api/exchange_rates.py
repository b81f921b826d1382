"""Exchange rates that payers' finance offices enter."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import Resource, creates, lists
from accounts.api.shapes import Day, Instant, Number, Shape, Text
from bookings.pricing.models import ExchangeRate
from bookings.pricing.selectors.exchange_rates import accounted_named, rates_for_actor
from bookings.record.api.shapes import PlainNumber
from bookings.settlement.services.exchange_rates import RATE_DIGITS, RateTerms, rate_enter


class RateShape(serializers.Serializer[Any]):
    """The value of one unit of `base` in `quote` on a day, and who entered it."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    base = serializers.CharField()
    quote = serializers.CharField()
    rate = PlainNumber()
    valid_on = serializers.DateField()
    source = serializers.CharField()  # type: ignore[assignment]
    entered_at = Instant()


class RateBody(Shape):
    organisation = Text(
        40, default="", allow_blank=True, help_text="Code of the organisation; default: your only one."
    )
    base = Text(3)
    quote = Text(3)
    rate = Number(max_digits=20, decimal_places=RATE_DIGITS)
    valid_on = Day()
    source = Text(  # type: ignore[assignment]
        200, help_text="Source of the rate, such as a bank or a ministry."
    )


class ExchangeRates(Resource):
    at, tag, name, many = "exchange-rates/", "money", "exchange_rate", "exchange_rates"
    shape, order = RateShape, ("-entered_at", "-id")
    needs_person = True

    @lists(_("Exchange rates"))
    def rows(self, query: dict[str, Any]) -> QuerySet[ExchangeRate]:
        """Return the rates of organisations whose finance or managers you belong to, and of an auditor's
        regions; the newest first."""
        return rates_for_actor(self.actor)

    @creates(
        _("Enter an exchange rate"),
        RateBody,
        named="_enter",
        gives=RateShape,
        sends={
            "organisation": "wusong-tech",
            "base": "GBP",
            "quote": "CNY",
            "rate": "9.2",
            "valid_on": "2026-03-31",
            "source": "Bank of China",
        },
    )
    def enter(self, data: dict[str, Any]) -> ExchangeRate:
        """Enter an exchange rate. Only the organisation's finance may do this. Rates are never edited: a
        later entry for the same day is a new row, and the newest counts. Existing statements do not
        change."""
        organisation = accounted_named(self.actor, data.pop("organisation"))
        return rate_enter(self.by, organisation=organisation, terms=RateTerms(**data))
