"""Show a charge recomputed from its stored inputs, line by line."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.resource import rendered
from accounts.api.schema import operation
from bookings.charging.selectors.replay import charge_replay


class StepShape(serializers.Serializer[Any]):
    """One line of the calculation: `of` are the numbers it is computed from, `exact` is the result before
    rounding. `agrees`: the stored and the recomputed value are equal."""

    kind = serializers.CharField()
    code = serializers.CharField(allow_blank=True)
    of = serializers.DictField(child=serializers.CharField())
    exact = serializers.CharField(allow_null=True)
    stored = serializers.CharField(
        allow_null=True, help_text="Null: this line has no stored value of its own."
    )
    recomputed = serializers.CharField(allow_null=True)
    agrees = serializers.BooleanField()


class DifferenceShape(serializers.Serializer[Any]):
    """A field of a charge whose stored and recomputed values differ."""

    field = serializers.CharField(help_text="Path of the field, such as `result.lines[1].amount`.")
    stored = serializers.CharField(allow_null=True)
    recomputed = serializers.CharField(allow_null=True)


class ReplayShape(serializers.Serializer[Any]):
    """A recomputed charge. `agrees`: every stored field is reproduced to the cent."""

    charge = serializers.UUIDField(source="charge.pk")
    kind = serializers.CharField(source="charge.kind")
    currency = serializers.CharField(source="charge.currency")
    is_known = serializers.BooleanField(
        source="replay.is_known", help_text="Whether charges of this kind can be recomputed."
    )
    agrees = serializers.BooleanField(source="replay.agrees")
    steps = StepShape(many=True, source="replay.steps")
    differences = DifferenceShape(many=True, source="replay.differences")


class ChargeReplay(Endpoint):
    needs_person = True

    @operation("charge_replay", _("A recomputed charge"), tag="money", gives=ReplayShape, refuses=[404])
    def get(self, request: Request, charge_id: UUID) -> Response:
        """Recompute a charge from its stored inputs and return the result, line by line, beside what is
        stored. Nothing changes."""
        return Response(rendered(ReplayShape, charge_replay(self.actor, charge_id)))
