"""The public register of decisions on purchases, and a case as PDF."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request

from accounts.api.resource import Resource, reads, tells
from accounts.api.schema import operation
from accounts.api.shapes import Amount
from bookings.planning.adapters.papers import case_pdf
from bookings.planning.selectors import register
from bookings.record.api.files import PDF, FileEndpoint
from bookings.record.api.lists import listed
from bookings.reviews.messages import grounds_said
from bookings.reviews.models import PurchaseCase, ReviewScheme
from bookings.reviews.selectors.cases import case_by_id


class RegisteredDecisionShape(serializers.Serializer[Any]):
    """A decision, without anything that would reveal the applicant. `price_from`, `price_below`: the band of
    the price, null for no limit; `region`: null if it has too few organisations; `month`: its first day;
    `hours`: hours needed a year."""

    key = serializers.CharField()
    month = serializers.DateField()
    techniques = serializers.ListField(child=serializers.CharField())
    region = serializers.CharField(source="region.code", allow_null=True, default=None)
    money = serializers.ChoiceField(ReviewScheme.Money.choices)
    price_from = Amount(source="least")
    price_below = Amount(source="most", allow_null=True)
    currency = serializers.CharField()
    decision = serializers.CharField()
    grounds = serializers.ListField(child=serializers.CharField())
    reason = serializers.CharField(help_text="Names of people and of the applicant are masked.")
    conditions = serializers.CharField(help_text="Empty if there are none.")
    hours = serializers.IntegerField()
    scheme = serializers.CharField(source="scheme.code")
    scheme_version = serializers.IntegerField(source="scheme.version")


class DecidedFiguresShape(serializers.Serializer[Any]):
    """Figures behind the decision, in whole hours; null if unknown, or if `hidden` because they come from too
    few organisations."""

    compared = serializers.IntegerField()
    fitting = serializers.IntegerField()
    mean_hours = serializers.IntegerField(allow_null=True)
    spare_hours = serializers.IntegerField(allow_null=True)
    unmet_hours = serializers.IntegerField(allow_null=True)
    coverage = serializers.CharField()
    promised_hours = serializers.IntegerField()
    break_even_hours = serializers.IntegerField(allow_null=True)
    hidden = serializers.ListField(child=serializers.CharField(), help_text="Names of the hidden figures.")


class ReviewRegister(Resource):
    at, key, name, many, tag = (
        "review-register/",
        "decision",
        "review_register_decision",
        "review_register",
        "statistics",
    )
    converter, shape, order = "slug", RegisteredDecisionShape, ("-decided_at",)

    def visible(self, pk: str) -> PurchaseCase:
        return register.decided_by_key(pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        return register.load_decided(rows)

    @listed(_("Decisions on purchases"), register.DECISIONS)
    def rows(self, query: dict[str, Any]) -> QuerySet[PurchaseCase]:
        """Return the public register: all decisions that are not under appeal, the newest first."""
        return register.decided_cases()

    @reads(_("A decision on a purchase"))
    def detail(self, pk: str) -> None:
        """Return a decision as everybody may read it."""

    @tells(_("The figures of a decision"), DecidedFiguresShape)
    def figures(self, pk: str) -> dict[str, Any]:
        """Return the figures behind a decision, from the frozen comparison."""
        return register.load_figures(register.decided_by_key(pk), least=settings.PUBLIC_LEAST_ORGANISATIONS)


class CasePdf(FileEndpoint):
    @operation(
        "purchase_case_pdf",
        _("A purchase case as PDF"),
        tag="statistics",
        gives=OpenApiTypes.BINARY,
        media=PDF,
        refuses=[404],
    )
    def get(self, request: Request, case_id: UUID) -> HttpResponse:
        """Return a purchase case as a one-page PDF, in the requested language (`?lang=`)."""
        case = case_by_id(self.actor, case_id)
        return self.file(
            case_pdf(case, grounds_said(case.grounds, case.scheme)), PDF, f"purchase-case-{case.pk}.pdf"
        )
