"""Exchange rates that payers' finance offices enter."""

from typing import Any

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import Day, Instant, Number, Shape, Text, asked, checked, rfc3339
from accounts.domain.errors import NotPermitted, invalid
from bookings.pricing.models import ExchangeRate
from bookings.pricing.selectors.exchange_rates import accounted_by, rates_for_actor
from bookings.settlement.services.exchange_rates import RATE_DIGITS, RateSaid, rate_enter


class RateShape(serializers.Serializer[Any]):
    """What one unit of `base` is worth in `quote`, by whom and on which day."""

    id = serializers.UUIDField()
    organisation = serializers.CharField()
    base = serializers.CharField()
    quote = serializers.CharField()
    rate = serializers.CharField()
    valid_on = serializers.DateField()
    source = serializers.CharField()  # type: ignore[assignment]
    entered_at = Instant()


class RateBody(Shape):
    organisation = Text(
        40,
        default="",
        allow_blank=True,
        help_text="Its code; default: the caller's only organisation.",
    )
    base = Text(3)
    quote = Text(3)
    rate = Number(max_digits=20, decimal_places=RATE_DIGITS)
    valid_on = Day()
    source = Text(  # type: ignore[assignment]
        200, help_text="Whose rate it is: a bank, a ministry."
    )


def rate_json(row: ExchangeRate) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "organisation": row.organisation.code,
        "base": row.base,
        "quote": row.quote,
        "rate": f"{row.rate.normalize():f}",
        "valid_on": row.valid_on.isoformat(),
        "source": row.source,
        "entered_at": rfc3339(row.entered_at),
    }


class ExchangeRates(Endpoint):
    needs_person = True

    @operation(
        "exchange_rates", _("Exchange rates"), tag="money", query=Pages, gives=page(RateShape)
    )
    def get(self, request: Request) -> Response:
        """Of organisations whose finance or manager the person is, and of an auditor's regions;
        the newest first."""
        query = asked(Pages, request.query_params)
        return paginated(
            request,
            rates_for_actor(self.actor),
            query,
            ("-entered_at", "-id"),
            lambda found: [rate_json(row) for row in found],
        )

    @operation(
        "exchange_rate_enter",
        _("Enter an exchange rate"),
        tag="money",
        takes=RateBody,
        gives=RateShape,
        status=201,
        once=True,
        sends={
            "organisation": "wusong-tech",
            "base": "GBP",
            "quote": "CNY",
            "rate": "9.2",
            "valid_on": "2026-03-31",
            "source": "Bank of China",
        },
    )
    def post(self, request: Request) -> HttpResponseBase:
        """For an organisation's finance. Nothing is edited: a later word of the same day is a
        new row, and the newest counts. No statement changes by it."""
        data = checked(RateBody, request.data)

        def enter() -> Response:
            mine = list(accounted_by(self.actor))
            if not mine:
                raise NotPermitted(capability="account")
            code = data.pop("organisation")
            found = [one for one in mine if one.code == code] if code else mine
            if code and not found:
                raise NotPermitted(capability="account")
            if len(found) != 1:
                raise invalid("organisation", "organisation-needed")
            made = rate_enter(
                actor=self.actor, organisation=found[0], said=RateSaid(**data), now=self.now
            )
            return Response(rate_json(made), status=201)

        return self.once(enter)
