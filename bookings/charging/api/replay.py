"""A charge computed again, line by line."""

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
    """One line of the calculation: `of`, the numbers it is made of; `exact`, what comes out
    before rounding. `agrees`: what is stored is what is recomputed."""

    kind = serializers.CharField()
    code = serializers.CharField(allow_blank=True)
    of = serializers.DictField(child=serializers.CharField())
    exact = serializers.CharField(allow_null=True)
    stored = serializers.CharField(
        allow_null=True, help_text="Null: nothing of this line is stored by itself."
    )
    recomputed = serializers.CharField(allow_null=True)
    agrees = serializers.BooleanField()


class DifferenceShape(serializers.Serializer[Any]):
    """A field that was stored as one thing and comes out as another."""

    field = serializers.CharField(help_text="A path: `result.lines[1].amount`.")
    stored = serializers.CharField(allow_null=True)
    recomputed = serializers.CharField(allow_null=True)


class ReplayShape(serializers.Serializer[Any]):
    """`agrees`: every stored field comes out again, to the cent."""

    charge = serializers.UUIDField(source="charge.pk")
    kind = serializers.CharField(source="charge.kind")
    currency = serializers.CharField(source="charge.currency")
    is_known = serializers.BooleanField(
        source="replay.is_known", help_text="There is a rule to recompute its kind by."
    )
    agrees = serializers.BooleanField(source="replay.agrees")
    steps = StepShape(many=True, source="replay.steps")
    differences = DifferenceShape(many=True, source="replay.differences")


class ChargeReplay(Endpoint):
    needs_person = True

    @operation(
        "charge_replay", _("A charge computed again"), tag="money", gives=ReplayShape, refuses=[404]
    )
    def get(self, request: Request, charge_id: UUID) -> Response:
        """What its stored inputs come to now, line by line, beside what is stored. Nothing is
        changed."""
        return Response(rendered(ReplayShape, charge_replay(self.actor, charge_id)))
