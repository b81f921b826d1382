"""Planned purchases."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.pagination import Pages
from accounts.api.resource import Resource, acts, changes, creates, lists, reads
from accounts.api.shapes import Choice, Instant, Number, ReasonBody, Shape, Text, Whole
from bookings.planning.domain.plans import MOST_HOURS
from bookings.planning.models import PlannedPurchase
from bookings.planning.selectors.plans import plan_by_id, plans_for, plans_of_class
from bookings.planning.services.plans import (
    PlanValues,
    plan_change,
    plan_drop,
    plan_make,
    plan_name_case,
)


class PlannedPurchaseBody(Shape):
    technique = Text(60, help_text="The class of what is bought: a code.")
    name = Text(200, help_text="The standard name, without maker or model.")
    year = Whole(min_value=2000, max_value=2200, help_text="At most three years ahead.")
    quarter = Whole(min_value=1, max_value=4, required=False, allow_null=True)
    price = Number(18, 3, min_value=1)
    currency = Text(3, default="", help_text="That of the organisation's region, unless named.")
    hours = Whole(min_value=1, max_value=MOST_HOURS, help_text="Expected of it a year.")
    place = Text(200, default="", allow_blank=True, help_text="Where it will stand.")
    confidence = Choice(PlannedPurchase.Confidence.choices, default="considered")


class PlanNewBody(PlannedPurchaseBody):
    organisation = Text(40, help_text="Who buys: a code.")


class PlanCaseBody(Shape):
    case = serializers.UUIDField(help_text="A purchase case of the same organisation.")


class PlansQuery(Pages):
    technique = Text(60, required=False, help_text="A code; what is narrower counts.")
    state = Choice(PlannedPurchase.State.choices, required=False)


class PlannedPurchaseShape(serializers.Serializer[Any]):
    """What an organisation means to buy; `case`: the review that it became."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    region = serializers.CharField(source="organisation.region.code")
    technique = serializers.CharField(source="technique.code")
    name = serializers.CharField()
    year = serializers.IntegerField()
    quarter = serializers.IntegerField(allow_null=True)
    price = Number(18, 3)
    currency = serializers.CharField()
    hours = serializers.IntegerField()
    place = serializers.CharField()
    confidence = serializers.ChoiceField(PlannedPurchase.Confidence.choices)
    state = serializers.ChoiceField(PlannedPurchase.State.choices)
    case = serializers.UUIDField(source="case_id", allow_null=True)
    created_at = Instant()
    changed_at = Instant()
    version = serializers.IntegerField()


class PlannedPurchases(Resource):
    at, key, name, many = "planned-purchases/", "plan_id", "planned_purchase", "planned_purchases"
    tag, shape, write_scope, needs_person = "statistics", PlannedPurchaseShape, "manage", True

    def visible(self, pk: UUID) -> PlannedPurchase:
        return plan_by_id(self.actor, pk, self.now)

    @lists(_("Planned purchases"), PlansQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[PlannedPurchase]:
        """Those of the regions whose hours one reads, and of the regions with which an agreement
        is in force; the newest first."""
        rows = plans_for(self.actor, self.now)
        if technique := query.get("technique"):
            rows = plans_of_class(rows, technique)
        if state := query.get("state"):
            rows = rows.filter(state=state)
        return rows

    @creates(
        _("Enter a planned purchase"),
        PlanNewBody,
        refuses=[403, 409],
        sends={
            "organisation": "wusong-tech",
            "technique": "PaNET01113",
            "name": "Transmission electron microscope",
            "year": 2027,
            "quarter": 2,
            "price": "6500000.00",
            "currency": "CNY",
            "hours": 1400,
            "confidence": "likely",
        },
    )
    def make(self, data: dict[str, Any]) -> UUID:
        """For managers of the organisation and coordinators of its region, at most three years
        ahead. The coordinators and the hosts of the class around are told."""
        owner = data.pop("organisation")
        return plan_make(self.by, organisation=owner, values=PlanValues(**data)).pk

    @reads(_("A planned purchase"))
    def detail(self, pk: UUID) -> None:
        """As it is now."""

    @changes(
        _("Change a planned purchase"), PlannedPurchaseBody, method="put", refuses=[403, 404, 409]
    )
    def change(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Put another in its place; the organisation stays."""
        return plan_change(self.by, plan_id=pk, values=PlanValues(**data)).pk

    @acts(_("Drop a planned purchase"), ReasonBody, refuses=[403, 404, 409])
    def drop(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Say that it will not be bought. Who was told of it is told."""
        return plan_drop(self.by, plan_id=pk, **data).pk

    @acts(_("Name the case of a planned purchase"), PlanCaseBody, refuses=[403, 404, 409])
    def case(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Say which purchase case it became."""
        return plan_name_case(self.by, plan_id=pk, **data).pk
