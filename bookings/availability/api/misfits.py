"""List bookings that new opening hours or a new policy would no longer allow."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.memberships import PersonShape
from accounts.api.resource import rendered
from accounts.api.schema import PeriodShape, operation
from accounts.api.shapes import replaced_by
from accounts.domain.errors import FieldProblem, Invalid, invalid, unknown_fields
from instruments.managing.selectors.misfits import load_misfits
from instruments.opening.api.opening import OpeningHoursShape
from instruments.opening.domain.opening import parse_hours
from instruments.policy.api.policies import PolicyShape
from instruments.policy.domain.policies import parse_policy
from instruments.register.selectors.registry import instrument_to_manage

# It only describes the body; `parse_hours` and `parse_policy` check it.


class NewRulesBody(serializers.Serializer[Any]):
    """The opening hours or the policy that are about to be set; a field left out stays as it is."""

    opening_hours = OpeningHoursShape(required=False)
    policy = PolicyShape(required=False)


class MisfitShape(PeriodShape):
    """An upcoming booking, and the rules that would refuse it then but do not now; or guaranteed hours
    (`state` is `kept`, `id` is theirs) that would no longer fit completely."""

    id = serializers.UUIDField(source="reservation")
    state = serializers.CharField()
    user = PersonShape(allow_null=True, help_text="Null for guaranteed hours and slots held for a bid.")
    person = serializers.CharField(style=replaced_by("user"))
    organisation = serializers.CharField()
    codes = serializers.ListField(child=serializers.CharField())


class MisfitsShape(serializers.Serializer[Any]):
    results = MisfitShape(many=True)


def _read(data: Mapping[str, Any], name: str, parse: Any) -> Any:
    """Return the parsed value of a field, None if it is not given; raise `Invalid` with its problems below
    its name."""
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
        """List, for the host's managers, the upcoming bookings that new hours or a new policy would refuse by
        grid, length, opening hours or certificate, and that the present ones allow. Nothing is changed;
        bookings stay as they are even when the new rules are set."""
        data = request.data
        if not isinstance(data, Mapping):
            raise invalid("", "not-an-object")
        if unknown := unknown_fields(data, ("opening_hours", "policy")):
            raise Invalid(unknown)
        hours = _read(data, "opening_hours", parse_hours)
        policy = _read(data, "policy", parse_policy)
        instrument = instrument_to_manage(self.actor, instrument_id)
        misfits = load_misfits(instrument, self.now, hours=hours, policy=policy)
        return Response(rendered(MisfitsShape, {"results": misfits}))
