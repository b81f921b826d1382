"""The weights of the audit's rules."""

from typing import Any

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.resource import rendered
from accounts.api.schema import operation
from accounts.api.shapes import checked
from accounts.domain.roles import By
from bookings.audit.domain.risk import FIRST
from bookings.audit.forms.risk import WeightBody
from bookings.audit.selectors.risk import entered_weights
from bookings.audit.services.risk import weight_add


class WeightShape(serializers.Serializer[Any]):
    """The weight of a rule; `valid_from` null: it has always held."""

    rule = serializers.CharField()
    weight = serializers.IntegerField()
    valid_from = serializers.DateField(allow_null=True)
    reason = serializers.CharField()


class WeightsShape(serializers.Serializer[Any]):
    weights = WeightShape(many=True)


class Weights(Endpoint):
    needs_person = True

    @operation("audit_weights", _("Weights of the rules"), tag="audit", gives=WeightsShape)
    def get(self, request: Request) -> Response:
        """Return the weights of the rules by which exceptions are ranked, the newest first. The risk of an
        exception is the weight that held on the day it was found times its severity in per cent."""
        first = [
            {"rule": rule, "weight": weight, "valid_from": None, "reason": ""}
            for rule, weight in FIRST.items()
        ]
        return Response(rendered(WeightsShape, {"weights": [*entered_weights(), *first]}))

    @operation(
        "audit_weight_add", _("Enter a weight"), tag="audit", takes=WeightBody, gives=WeightShape, status=201,
        once=True,
    )  # fmt: skip
    def post(self, request: Request) -> HttpResponseBase:
        """Enter the weight of a rule from a day on, today at the earliest. Only administrators may do this,
        as it holds for all regions; exceptions that were found before keep theirs."""
        data = checked(WeightBody, request.data)

        def add() -> Response:
            return Response(rendered(WeightShape, weight_add(By(self.actor, self.now), **data)), status=201)

        return self.once(add)
