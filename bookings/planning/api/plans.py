"""Planned purchases."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import OnPage, Resource, acts, changes, creates, reads
from accounts.api.shapes import Amount, Instant, Shape, Text
from bookings.planning.forms.plans import DropBody, DropForm, PlannedPurchaseBody
from bookings.planning.models import PlannedPurchase
from bookings.planning.selectors.plans import PLANS, plan_by_id, plans_for
from bookings.planning.services.plans import PlanValues, plan_change, plan_drop, plan_make, plan_name_case
from bookings.record.api.lists import listed


class PlanNewBody(PlannedPurchaseBody):
    organisation = Text(40, help_text="Code of the organisation that buys.")


class PlanCaseBody(Shape):
    case = serializers.UUIDField(help_text="A purchase case of the same organisation.")


class PlannedPurchaseShape(serializers.Serializer[Any]):
    """A purchase that an organisation plans; `case`: the purchase case that it became."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    region = serializers.CharField(source="organisation.region.code")
    technique = serializers.CharField(source="technique.code")
    name = serializers.CharField()
    year = serializers.IntegerField()
    quarter = serializers.IntegerField(allow_null=True)
    price = Amount()
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
    page_at, page_name = "planning/purchases/", "plan"

    def visible(self, pk: UUID) -> PlannedPurchase:
        return plan_by_id(self.actor, pk, self.now)

    @listed(_("Planned purchases"), PLANS)
    def rows(self, query: dict[str, Any]) -> QuerySet[PlannedPurchase]:
        """Return the plans of regions whose hours you may read, and of regions that have an agreement in
        force with these; the newest first."""
        return plans_for(self.actor, self.now)

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
        """Enter a planned purchase, at most three years ahead. Managers of the organisation and coordinators
        of its region may do this. The coordinators of this region and those around it are notified, and the
        hosts there of instruments of the class."""
        owner = data.pop("organisation")
        return plan_make(self.by, organisation=owner, values=PlanValues(**data)).pk

    @reads(_("A planned purchase"))
    def detail(self, pk: UUID) -> None:
        """Return a plan as it is now."""

    @changes(_("Change a planned purchase"), PlannedPurchaseBody, method="put", refuses=[403, 404, 409])
    def change(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Replace a plan by another; the organisation stays."""
        return plan_change(self.by, plan_id=pk, values=PlanValues(**data)).pk

    @OnPage(
        "bookings:plan",
        done=_("The plan is dropped, and everybody who had been notified of it is informed."),
        form=DropForm,
        name="drop",
    )
    @acts(_("Drop a planned purchase"), DropBody, refuses=[403, 404, 409])
    def drop(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Drop a planned purchase; everybody who was told of the plan is notified."""
        return plan_drop(self.by, plan_id=pk, **data).pk

    @acts(_("Link a planned purchase to its case"), PlanCaseBody, refuses=[403, 404, 409])
    def case(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Name the purchase case that a plan became."""
        return plan_name_case(self.by, plan_id=pk, **data).pk
