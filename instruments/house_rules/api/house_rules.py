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
from accounts.selectors.rows import visible
from instruments.house_rules.models import HouseRules, HouseRulesAcceptance
from instruments.house_rules.selectors.house_rules import house_rules_versions, load_house_rules
from instruments.house_rules.services.house_rules import LONGEST_RULES, house_rules_accept, house_rules_set
from instruments.managing.api.facilities import Facilities
from instruments.managing.api.registry import InstrumentResource
from instruments.register.selectors.registry import instrument_by_id


class HouseRulesShape(serializers.Serializer[Any]):
    """A version of the house rules of an instrument or a facility."""

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
    """The rules as plain text in both languages. If both are empty, there are no rules from now on."""

    text = Text(LONGEST_RULES, default="", allow_blank=True)
    text_zh = Text(LONGEST_RULES, default="", allow_blank=True)


class HouseRulesAcceptBody(Shape):
    version = Whole(min_value=1, help_text="The current version.")


class AcceptedShape(serializers.Serializer[Any]):
    """A person's acceptance of a version of house rules."""

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
        """Returns the instrument's own house rules or, if it has none, those of its facility; 404 if there
        are none. People who book it for the first time send the version they accept as `house_rules`."""
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
        """Sets the instrument's own house rules, as a new version. Only the host's managers may do this.
        People who accepted an earlier one are asked again at check-in; bookings stay as they are. `If-Match`
        is the last version."""
        row = house_rules_set(self.by, instrument_id=pk, **data)
        return row or _last(instrument=pk)

    @parts(
        _("Versions of the house rules"),
        HouseRulesShape,
        below="house-rules/versions",
        address="api-house-rules-versions",
        named="house_rules_versions",
        order=("-version",),
    )
    def house_rules_past(self, pk: UUID, query: Pages) -> QuerySet[HouseRules]:
        """Lists the versions of the instrument's own rules, the newest first."""
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
        """Accepts the house rules in force in your name. Accepting them again changes nothing."""
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
        """Sets the house rules of a facility, which apply to all its instruments that have none of their own.
        Only the host's managers may do this; `If-Match` is the last version."""
        row = house_rules_set(self.by, facility_id=pk, **data)
        return row or _last(facility=pk)


def _last(**place: UUID) -> HouseRules:
    """Return the last version of an instrument's or facility's rules; `NotFound` if none was ever set."""
    return visible(HouseRules.objects.select_related("made_by").order_by("-version"), **place)
