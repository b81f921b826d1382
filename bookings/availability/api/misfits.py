"""Which bookings new opening hours or a new policy would no longer allow."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.resource import rendered
from accounts.api.schema import PeriodShape, operation
from accounts.domain.errors import FieldProblem, Invalid, invalid
from instruments.api.opening import OpeningHoursShape
from instruments.api.policies import PolicyShape
from instruments.domain.opening import parse_hours
from instruments.domain.policies import parse_policy
from instruments.selectors.managing import instrument_to_manage
from instruments.selectors.misfits import load_misfits

# It describes; `parse_hours` and `parse_policy` check.


class NewRulesBody(serializers.Serializer[Any]):
    """What is about to be set; what is not named stays as it is."""

    opening_hours = OpeningHoursShape(required=False)
    policy = PolicyShape(required=False)


class MisfitShape(PeriodShape):
    """A coming booking, and the rules that would refuse it then and do not now; or kept hours
    (`state` is `kept`, `id` theirs) that would not all fit then."""

    id = serializers.UUIDField(source="reservation")
    state = serializers.CharField()
    person = serializers.CharField()
    organisation = serializers.CharField()
    codes = serializers.ListField(child=serializers.CharField())


class MisfitsShape(serializers.Serializer[Any]):
    results = MisfitShape(many=True)


def _read(data: Mapping[str, Any], name: str, parse: Any) -> Any:
    """The value of a field, None where it is not named; its problems under its name."""
    if name not in data:
        return None
    try:
        return parse(data[name])
    except Invalid as refused:
        raise Invalid(
            [
                FieldProblem(f"{name}.{p.field}" if p.field else name, p.code, p.numbers)
                for p in refused.problems
            ]
        ) from None


class InstrumentMisfits(Endpoint):
    @operation(
        "misfits",
        _("Bookings that would no longer comply"),
        tag="instruments",
        takes=NewRulesBody,
        gives=MisfitsShape,
        refuses=[404],
        sends={
            "opening_hours": {"weekly": [{"weekday": 1, "opens": "08:00", "closes": "16:00"}]},
            "policy": {"slot_minutes": 60, "max_minutes": 240},
        },
    )
    def post(self, request: Request, instrument_id: UUID) -> Response:
        """For the host's managers, before they set new hours or a new policy: the coming bookings
        that these would refuse, by grid, length, opening hours or certificate, and the present
        ones do not. Nothing is done; bookings stay as they are, whatever is set."""
        data = request.data
        if not isinstance(data, Mapping):
            raise invalid("", "not-an-object")
        unknown = sorted(str(name) for name in data if name not in ("opening_hours", "policy"))
        if unknown:
            raise Invalid([FieldProblem(name, "unknown-field") for name in unknown])
        hours = _read(data, "opening_hours", parse_hours)
        policy = _read(data, "policy", parse_policy)
        instrument = instrument_to_manage(self.actor, instrument_id)
        misfits = load_misfits(instrument, self.now, hours=hours, policy=policy)
        return Response(rendered(MisfitsShape, {"results": misfits}))
