"""Booking policies."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.memberships import PersonShape
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import (
    Instant,
    Shape,
    Text,
    Whole,
    checked,
    object_of,
    query_values,
    rfc3339,
)
from accounts.api.versions import etag, expected_version
from accounts.domain.errors import NotFound
from accounts.domain.roles import By
from accounts.selectors.memberships import place_of
from instruments.domain.policies import (
    APPROVALS,
    GROUPS,
    LONGEST,
    LONGEST_CODE,
    MEASURES,
    MOST_GROUP_HOURS,
    MOST_LIMIT,
    MOST_QUOTAS,
    SCOPES,
    SPANS,
    parse_policy,
    policy_to_json,
)
from instruments.domain.ratecards import PRICE_GROUPS
from instruments.messages import HAZARD_LABELS, PRICE_GROUP_LABELS
from instruments.models import BookingPolicy, PolicyVersion
from instruments.selectors.policies import load_policy, policy_versions
from instruments.selectors.registry import instrument_by_id
from instruments.services.policies import policy_set


class HorizonShape(serializers.Serializer[Any]):
    """Days ahead, per price group; 60 for one that is not named."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            group: serializers.IntegerField(
                min_value=0,
                max_value=730,
                required=False,
                help_text=PRICE_GROUP_LABELS[group],
            )
            for group in PRICE_GROUPS
        }


def _minutes(least: int, most: int = LONGEST, **kwargs: Any) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=least, max_value=most, required=False, **kwargs)


class QuotaShape(serializers.Serializer[Any]):
    """At most `limit` hours or bookings on this instrument, counted per local day, ISO week,
    month, or of what is to come."""

    scope = serializers.ChoiceField(SCOPES)
    unit = serializers.ChoiceField(MEASURES)
    per = serializers.ChoiceField(SPANS)
    limit = serializers.FloatField(
        min_value=0, max_value=MOST_LIMIT, help_text="Hours may have two decimals."
    )
    price_group = serializers.ChoiceField(
        PRICE_GROUPS, required=False, help_text="Only this group is bound; every one unless named."
    )


class GroupHoursShape(serializers.Serializer[Any]):
    """On these weekdays from `opens` to `closes` (of the next day if not after it) only these may
    book: holders of the certificate, the host organisation's own people, or its region's."""

    days = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=7), help_text="1 is Monday."
    )
    opens = serializers.CharField(help_text="`22:00`, of the instrument's wall clock.")
    closes = serializers.CharField(help_text="`06:00`")
    who = serializers.ChoiceField(GROUPS)
    certificate = serializers.CharField(
        required=False,
        max_length=LONGEST_CODE,
        help_text="Of `certified`: `instrument`, or the code of a technique.",
    )


class ShareShape(serializers.Serializer[Any]):
    """`percent` of each local week is kept for other regions, until `released_minutes` before a
    slot starts."""

    percent = serializers.IntegerField(min_value=0, max_value=100)
    released_minutes = serializers.IntegerField(min_value=0, max_value=525600, required=False)


class PolicyShape(serializers.Serializer[Any]):
    """On what rules an instrument is booked. This describes; `parse_policy` checks."""

    slot_minutes = _minutes(1, help_text="Time step in minutes; default: 30.")
    min_minutes = _minutes(1, 44640, help_text="A multiple of the slot, which it is unless named.")
    max_minutes = _minutes(1, 44640, help_text="A multiple of the slot; default: up to a day.")
    setup_minutes = _minutes(0)
    teardown_minutes = _minutes(0)
    notice_minutes = _minutes(0, 525600)
    horizon_days = HorizonShape(required=False)
    approval = serializers.ChoiceField(APPROVALS, required=False)
    approval_minutes = _minutes(1, 44640)
    check_in_minutes = _minutes(1, allow_null=True)
    offer_minutes = _minutes(
        1,
        44640,
        help_text="How long an offer of the waiting list is held, in minutes; default: 120.",
    )
    units = _minutes(1, 500, help_text="Number of identical units.")
    qualification = serializers.CharField(
        max_length=LONGEST_CODE,
        allow_blank=True,
        allow_null=True,
        required=False,
        help_text="What service mode `self` needs: null nothing, `instrument` a certificate for "
        "this instrument, else the code of a technique.",
    )
    quotas = serializers.ListField(child=QuotaShape(), max_length=MOST_QUOTAS, required=False)
    cross_region_share = ShareShape(required=False, allow_null=True)
    refused_hazards = serializers.ListField(
        child=serializers.ChoiceField(list(HAZARD_LABELS.items())),
        required=False,
        help_text="Classes of hazard that samples of a booking must not have.",
    )
    group_hours = serializers.ListField(
        child=GroupHoursShape(), max_length=MOST_GROUP_HOURS, required=False
    )


class ReasonBody(Shape):
    reason = Text(500, default="", allow_blank=True, help_text="Why it changes; kept on record.")


class PolicyBody(PolicyShape, ReasonBody):
    """The fields of the policy, and why it changes."""


class PolicyVersionShape(serializers.Serializer[Any]):
    """What the policy said from `valid_from` on, until the next version."""

    version = serializers.IntegerField()
    valid_from = Instant()
    policy = PolicyShape()
    made_by = PersonShape(
        allow_null=True, help_text="For those who read the host's bookings; else null."
    )
    reason = serializers.CharField(help_text="For those who read the host's bookings; else empty.")


class VersionQuery(Pages):
    version = Whole(required=False, min_value=1, help_text="This one alone.")


class InstrumentPolicyVersions(Endpoint):
    @operation(
        "policy_versions",
        _("Versions of the booking policy"),
        tag="instruments",
        query=VersionQuery,
        gives=page(PolicyVersionShape),
        refuses=[404],
    )
    def get(self, request: Request, instrument_id: UUID) -> Response:
        """The newest first: what a booking was judged by is the one that its `policy_version`
        names."""
        query = query_values(VersionQuery, request.query_params)
        instrument = instrument_by_id(self.actor, instrument_id)
        rows = policy_versions(instrument.pk)
        if "version" in query:
            rows = rows.filter(version=query["version"])
        tells = self.actor.may("read-bookings", place_of(instrument.organisation))
        return paginated(
            request, rows, query, ("-version",), lambda some: [_version(row, tells) for row in some]
        )


def _version(row: PolicyVersion, tells: bool) -> dict[str, Any]:
    """`tells`: with who made it and why."""
    person = {"id": str(row.made_by_id), "name": str(row.made_by)} if row.made_by_id else None
    return {
        "version": row.version,
        "valid_from": rfc3339(row.valid_from),
        "policy": policy_to_json(parse_policy(row.policy)),
        "made_by": person if tells else None,
        "reason": row.reason if tells else "",
    }


class InstrumentPolicy(Endpoint):
    @operation("policy", _("Booking policy"), tag="instruments", gives=PolicyShape, refuses=[404])
    def get(self, request: Request, instrument_id: UUID) -> Response:
        """Every field of the policy; 404 while there is none."""
        instrument = instrument_by_id(self.actor, instrument_id)
        row = getattr(instrument, "policy", None)
        if row is None:
            raise NotFound
        return _answer(row)

    @operation(
        "policy_set",
        _("Set the booking policy"),
        tag="instruments",
        takes=PolicyBody,
        gives=PolicyShape,
        refuses=[404, 409],
        versioned=True,
        sends={
            "slot_minutes": 30,
            "max_minutes": 480,
            "notice_minutes": 120,
            "horizon_days": {"internal": 90, "external": 30},
            "approval": "cross-region",
            "qualification": "instrument",
            "quotas": [{"scope": "user", "unit": "hours", "per": "week", "limit": 20}],
            "cross_region_share": {"percent": 20, "released_minutes": 2880},
        },
    )
    def put(self, request: Request, instrument_id: UUID) -> Response:
        """For the host's managers. A field that is not named takes its default. Reservations
        there are stay as they are. What changes something is a new version, in force at once.
        `If-Match` is the version of the policy."""
        expected = expected_version(request)
        data = object_of(request.data)
        given = {"reason": data.pop("reason")} if "reason" in data else {}
        policy, reason = parse_policy(data), checked(ReasonBody, given)["reason"]
        instrument_by_id(self.actor, instrument_id)
        return _answer(
            policy_set(
                By(self.actor, self.now, expected),
                instrument_id=instrument_id,
                policy=policy,
                reason=reason,
            )
        )


def _answer(row: BookingPolicy) -> Response:
    return Response(policy_to_json(load_policy(row)), headers=etag(row.version))
