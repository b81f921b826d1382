"""House rules of instruments and facilities."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.pagination import Pages
from accounts.api.resource import acts, parts, tells
from accounts.api.shapes import Instant, Shape, Text, Whole
from accounts.domain.errors import NotFound
from instruments.api.facilities import Facilities
from instruments.api.registry import InstrumentResource
from instruments.models import HouseRules, HouseRulesAcceptance
from instruments.selectors.house_rules import house_rules_versions, load_house_rules
from instruments.selectors.registry import facility_by_id, instrument_by_id
from instruments.services.house_rules import (
    LONGEST_RULES,
    house_rules_accept,
    house_rules_set,
)


class HouseRulesShape(serializers.Serializer[Any]):
    """A version of house rules: of an instrument, or of its facility."""

    version = serializers.IntegerField()
    instrument = serializers.UUIDField(source="instrument_id", allow_null=True)
    facility = serializers.UUIDField(source="facility_id", allow_null=True)
    text = serializers.CharField()
    text_zh = serializers.CharField()
    valid_from = Instant()


class RulesInForceShape(HouseRulesShape):
    """The house rules in force, and the newest version of them that the caller has accepted."""

    accepted = serializers.IntegerField(allow_null=True)


class HouseRulesBody(Shape):
    """Plain text. Both empty: there are no rules from now on."""

    text = Text(LONGEST_RULES, default="", allow_blank=True)
    text_zh = Text(LONGEST_RULES, default="", allow_blank=True)


class HouseRulesAcceptBody(Shape):
    version = Whole(min_value=1, help_text="The one in force.")


class AcceptedShape(serializers.Serializer[Any]):
    """That somebody has accepted a version."""

    version = serializers.IntegerField(source="rules.version")
    accepted_at = Instant()


SENDS = {"text": "Wear gloves. Log out when you leave.", "text_zh": "请戴手套，离开时退出登录。"}


class InstrumentHouseRules(InstrumentResource):
    @tells(
        _("House rules in force"),
        RulesInForceShape,
        below="house-rules",
        address="api-house-rules",
        named="house_rules",
    )
    def house_rules(self, pk: UUID) -> HouseRules:
        """Those of the instrument, else those of its facility; 404 where there are none. Whoever
        books names their version in `house_rules`, the first time."""
        rules = load_house_rules(instrument_by_id(self.actor, pk), self.actor.user_id)
        if rules is None:
            raise NotFound
        return rules

    @acts(
        _("Set the house rules of an instrument"),
        HouseRulesBody,
        method="put",
        below="house-rules",
        gives=HouseRulesShape,
        named="instrument_house_rules_set",
        refuses=[404],
        once=False,
        sends=SENDS,
    )
    def set_rules(self, pk: UUID, data: dict[str, Any]) -> HouseRules:
        """For the host's managers: a new version. Who has accepted an earlier one is asked again
        when they check in; bookings stay as they are. `If-Match` is the last version."""
        instrument = instrument_by_id(self.actor, pk)
        row = house_rules_set(self.by, instrument_id=pk, **data)
        return row or _last(instrument)

    @parts(
        _("Versions of the house rules"),
        HouseRulesShape,
        below="house-rules/versions",
        address="api-house-rules-versions",
        named="house_rules_versions",
        order=("-version",),
    )
    def house_rules_past(self, pk: UUID, query: Pages) -> QuerySet[HouseRules]:
        """Of the instrument's own, the newest first."""
        return house_rules_versions(instrument_by_id(self.actor, pk))

    @acts(
        _("Accept the house rules"),
        HouseRulesAcceptBody,
        below="house-rules/accept",
        address="api-house-rules-accept",
        named="house_rules_accept",
        gives=AcceptedShape,
        refuses=[404, 412],
        versioned=False,
        scope="book",
    )
    def house_rules_accept(self, pk: UUID, data: dict[str, Any]) -> HouseRulesAcceptance:
        """Those in force, for oneself. Once more changes nothing."""
        return house_rules_accept(self.by, instrument_id=pk, version=data["version"])


class FacilityHouseRules(Facilities):
    @acts(
        _("Set the house rules of a facility"),
        HouseRulesBody,
        method="put",
        below="house-rules",
        gives=HouseRulesShape,
        named="facility_house_rules_set",
        refuses=[404],
        once=False,
        sends=SENDS,
    )
    def set_rules(self, pk: UUID, data: dict[str, Any]) -> HouseRules:
        """Of all its instruments that have none of their own. For the host's managers; `If-Match`
        is the last version."""
        facility = facility_by_id(pk)
        row = house_rules_set(self.by, facility_id=pk, **data)
        return row or _last(facility)


def _last(place: Any) -> HouseRules:
    """The last version; `NotFound` where nothing was ever set."""
    row = house_rules_versions(place).first()
    if row is None:
        raise NotFound
    return row
