"""The API for booking policies."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import shapes
from accounts.api.endpoint import Endpoint
from accounts.api.memberships import PersonShape
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.versions import etag, expected_version
from accounts.domain.errors import NotFound
from accounts.domain.roles import By
from accounts.selectors.memberships import place_of
from instruments.policy.domain import policies
from instruments.policy.messages import HAZARD_LABELS
from instruments.policy.models import BookingPolicy, PolicyVersion
from instruments.policy.selectors.policies import load_policy, policy_versions
from instruments.policy.services.policies import policy_set
from instruments.rates.domain.ratecards import PRICE_GROUPS
from instruments.rates.messages import PRICE_GROUP_LABELS
from instruments.register.selectors.registry import instrument_by_id


class HorizonShape(serializers.Serializer[Any]):
    """How many days ahead each price group may book; 60 for a group that is left out."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            group: serializers.IntegerField(
                min_value=0, max_value=730, required=False, help_text=PRICE_GROUP_LABELS[group]
            )
            for group in PRICE_GROUPS
        }


def _minutes(least: int, most: int = policies.LONGEST, **kwargs: Any) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=least, max_value=most, required=False, **kwargs)


class QuotaShape(serializers.Serializer[Any]):
    """A quota: at most `limit` hours or bookings on this instrument per local day, ISO week or month, or
    among upcoming bookings."""

    scope = serializers.ChoiceField(policies.SCOPES)
    unit = serializers.ChoiceField(policies.MEASURES)
    per = serializers.ChoiceField(policies.SPANS)
    limit = serializers.FloatField(
        min_value=0, max_value=policies.MOST_LIMIT, help_text="Hours may have up to two decimals."
    )
    price_group = serializers.ChoiceField(
        PRICE_GROUPS, required=False, help_text="The price group to which the quota applies; default: all."
    )


class GroupHoursShape(serializers.Serializer[Any]):
    """Hours open only to a group. On these weekdays from `opens` to `closes` (on the next day if not after
    `opens`) only `who` may book: holders of the certificate, the host organisation's own people, or those of
    its region."""

    days = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=7),
        max_length=7,
        help_text="Weekdays, from 1 (Monday) to 7 (Sunday).",
    )
    opens = serializers.CharField(help_text="Local time at the instrument, such as `22:00`.")
    closes = serializers.CharField(help_text="Local time at the instrument, such as `06:00`.")
    who = serializers.ChoiceField(policies.GROUPS)
    certificate = serializers.CharField(
        required=False,
        max_length=policies.LONGEST_CODE,
        help_text="With `certified`: `instrument`, or the code of a technique.",
    )


class ShareShape(serializers.Serializer[Any]):
    """The share of each local week, in percent, that is kept for other regions until `released_minutes`
    before a slot starts."""

    percent = serializers.IntegerField(min_value=0, max_value=100)
    released_minutes = serializers.IntegerField(min_value=0, max_value=525600, required=False)


class PolicyShape(serializers.Serializer[Any]):
    """The rules by which an instrument is booked. This only describes the fields; `parse_policy` checks
    them."""

    slot_minutes = _minutes(1, help_text="Time step in minutes; default: 30.")
    min_minutes = _minutes(1, 44640, help_text="A multiple of the slot; default: one slot.")
    max_minutes = _minutes(1, 44640, help_text="A multiple of the slot; default: up to a day.")
    setup_minutes = _minutes(0)
    teardown_minutes = _minutes(0)
    notice_minutes = _minutes(0, 525600)
    horizon_days = HorizonShape(required=False)
    approval = serializers.ChoiceField(policies.APPROVALS, required=False)
    approval_minutes = _minutes(1, 44640)
    check_in_minutes = _minutes(1, allow_null=True)
    offer_minutes = _minutes(
        1, 44640, help_text="How long an offer from the waiting list is held, in minutes; default: 120."
    )
    units = _minutes(1, 500, help_text="Number of identical units.")
    qualification = serializers.CharField(
        max_length=policies.LONGEST_CODE,
        allow_blank=True,
        allow_null=True,
        required=False,
        help_text="Certificate required for service mode `self`: null for none, `instrument` for one "
        "for this instrument, otherwise the code of a technique.",
    )
    quotas = serializers.ListField(child=QuotaShape(), max_length=policies.MOST_QUOTAS, required=False)
    cross_region_share = ShareShape(required=False, allow_null=True)
    refused_hazards = serializers.ListField(
        child=serializers.ChoiceField(list(HAZARD_LABELS.items())),
        max_length=shapes.MOST_ITEMS,
        required=False,
        help_text="Hazard classes of samples that the instrument does not accept; those that its facility "
        "refuses are refused as well.",
    )
    group_hours = serializers.ListField(
        child=GroupHoursShape(), max_length=policies.MOST_GROUP_HOURS, required=False
    )


class ReasonBody(shapes.Shape):
    reason = shapes.Text(
        500, default="", allow_blank=True, help_text="Reason for the change, kept on record."
    )


class PolicyBody(PolicyShape, ReasonBody):
    """The fields of a booking policy to set, and the reason for the change."""


class PolicyVersionShape(serializers.Serializer[Any]):
    """The policy as it was from `valid_from` until the next version."""

    version = serializers.IntegerField()
    valid_from = shapes.Instant()
    policy = PolicyShape()
    made_by = PersonShape(allow_null=True, help_text="Null unless you may read the host's bookings.")
    reason = serializers.CharField(help_text="Empty unless you may read the host's bookings.")


class VersionQuery(Pages):
    version = shapes.Whole(required=False, min_value=1, help_text="Only this version.")


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
        """Lists the versions of an instrument's booking policy, the newest first. The `policy_version` of a
        booking names the one that was applied to it."""
        query = shapes.query_values(VersionQuery, request.query_params)
        instrument = instrument_by_id(self.actor, instrument_id)
        rows = policy_versions(instrument.pk)
        if "version" in query:
            rows = rows.filter(version=query["version"])
        tells = self.actor.may("read-bookings", place_of(instrument.organisation, instrument))
        return paginated(
            request, rows, query, ("-version",), lambda some: [_version(row, tells) for row in some]
        )


def _version(row: PolicyVersion, tells: bool) -> dict[str, Any]:
    """Return a version as JSON; with `tells` it says who made it and why."""
    person = {"id": str(row.made_by_id), "name": str(row.made_by)} if row.made_by_id else None
    return {
        "version": row.version,
        "valid_from": shapes.rfc3339(row.valid_from),
        "policy": policies.policy_to_json(policies.parse_policy(row.policy)),
        "made_by": person if tells else None,
        "reason": row.reason if tells else "",
    }


class InstrumentPolicy(Endpoint):
    @operation("policy", _("Booking policy"), tag="instruments", gives=PolicyShape, refuses=[404])
    def get(self, request: Request, instrument_id: UUID) -> Response:
        """Returns every field of the policy; 404 if there is none yet."""
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
        """Sets the booking policy of an instrument. Only the host's managers may do this. Fields left out
        take their defaults. Existing reservations stay as they are. A change makes a new version, in force at
        once. `If-Match` is the version of the policy."""
        expected = expected_version(request)
        data = shapes.object_of(request.data)
        given = {"reason": data.pop("reason")} if "reason" in data else {}
        policy, reason = policies.parse_policy(data), shapes.checked(ReasonBody, given)["reason"]
        return _answer(
            policy_set(
                By(self.actor, self.now, expected), instrument_id=instrument_id, policy=policy, reason=reason
            )
        )


def _answer(row: BookingPolicy) -> Response:
    return Response(policies.policy_to_json(load_policy(row)), headers=etag(row.version))
