"""Booking policies."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.schema import operation
from accounts.api.versions import etag, expected_version
from accounts.domain.errors import NotFound
from instruments.domain.policies import APPROVALS, LONGEST, parse_policy, policy_to_json
from instruments.domain.ratecards import PRICE_GROUPS
from instruments.models import BookingPolicy
from instruments.selectors.policies import load_policy
from instruments.selectors.registry import instrument_by_id
from instruments.services.policies import policy_set


class HorizonShape(serializers.Serializer[Any]):
    """Days ahead, per price group; 60 for one that is not named."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            group: serializers.IntegerField(min_value=0, max_value=730, required=False)
            for group in PRICE_GROUPS
        }


def _minutes(least: int, most: int = LONGEST, **kwargs: Any) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=least, max_value=most, required=False, **kwargs)


class PolicyShape(serializers.Serializer[Any]):
    """On what rules an instrument is booked. This describes; `parse_policy` checks."""

    slot_minutes = _minutes(1, help_text="Grid step; 30 unless named.")
    min_minutes = _minutes(1, 44640, help_text="A multiple of the slot, which it is unless named.")
    max_minutes = _minutes(1, 44640, help_text="A multiple of the slot, up to a day unless named.")
    setup_minutes = _minutes(0)
    teardown_minutes = _minutes(0)
    notice_minutes = _minutes(0, 525600)
    horizon_days = HorizonShape(required=False)
    approval = serializers.ChoiceField(APPROVALS, required=False)
    approval_minutes = _minutes(1, 44640)
    check_in_minutes = _minutes(1, allow_null=True)
    units = _minutes(1, 500, help_text="Identical copies.")


class InstrumentPolicy(Endpoint):
    @operation("policy", _("Booking policy"), tag="instruments", gives=PolicyShape, refuses=[404])
    def get(self, request: Request, instrument_id: UUID) -> Response:
        """Every field of the policy; 404 while there is none."""
        found = instrument_by_id(self.actor, instrument_id)
        row = getattr(found, "policy", None)
        if row is None:
            raise NotFound
        return _answer(row)

    @operation(
        "policy_set",
        _("Set the booking policy"),
        tag="instruments",
        takes=PolicyShape,
        gives=PolicyShape,
        refuses=[404, 409],
        versioned=True,
        sends={
            "slot_minutes": 30,
            "max_minutes": 480,
            "notice_minutes": 120,
            "horizon_days": {"internal": 90, "external": 30},
            "approval": "cross-region",
        },
    )
    def put(self, request: Request, instrument_id: UUID) -> Response:
        """For the host's managers. A field that is not named takes its default. Reservations
        there are stay as they are. `If-Match` is the version of the policy."""
        expected = expected_version(request)
        policy = parse_policy(request.data)
        instrument_by_id(self.actor, instrument_id)
        return _answer(
            policy_set(
                actor=self.actor,
                instrument_id=instrument_id,
                policy=policy,
                expected_version=expected,
                now=self.now,
            )
        )


def _answer(row: BookingPolicy) -> Response:
    return Response(policy_to_json(load_policy(row)), headers=etag(row.version))
