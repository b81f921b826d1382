"""How long records are kept."""

from typing import Any

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.memberships import PersonShape
from accounts.api.resource import rendered
from accounts.api.schema import operation
from accounts.api.shapes import checked
from accounts.domain.roles import By, Place
from accounts.permissions import require
from bookings.privacy.forms.periods import PeriodBody
from bookings.privacy.selectors.periods import entered_periods
from bookings.privacy.services.periods import period_add


class HoldingPeriodShape(serializers.Serializer[Any]):
    """The days that records of a kind are kept from a day on, who entered it and why."""

    kind = serializers.CharField()
    days = serializers.IntegerField()
    valid_from = serializers.DateField()
    entered_by = PersonShape(allow_null=True)
    reason = serializers.CharField()


class HoldingPeriodsShape(serializers.Serializer[Any]):
    periods = HoldingPeriodShape(many=True)


class HoldingPeriods(Endpoint):
    needs_person = True

    @operation("holding_periods", _("Holding periods"), tag="operations", gives=HoldingPeriodsShape)
    def get(self, request: Request) -> Response:
        """Return the periods that administrators have entered, the newest first; `GET operations/settings/`
        has those that hold today. Only administrators may read this."""
        require(self.actor, "administer", Place(None))
        return Response(rendered(HoldingPeriodsShape, {"periods": entered_periods()}))

    @operation(
        "holding_period_add", _("Enter a holding period"), tag="operations", takes=PeriodBody,
        gives=HoldingPeriodShape, status=201, once=True,
    )  # fmt: skip
    def post(self, request: Request) -> HttpResponseBase:
        """Keep records of a kind for so many days from a day on, today at the earliest. What is older is
        removed in the night after. Only administrators may do this."""
        data = checked(PeriodBody, request.data)

        def add() -> Response:
            row = period_add(By(self.actor, self.now), **data)
            return Response(rendered(HoldingPeriodShape, row), status=201)

        return self.once(add)
