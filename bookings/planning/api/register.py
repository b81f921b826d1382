"""The public register of decisions on purchases, and a case as PDF."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request

from accounts.api.resource import Resource, lists, reads, tells
from accounts.api.schema import operation
from accounts.api.shapes import Number
from bookings.planning.adapters.papers import case_pdf
from bookings.planning.selectors.register import (
    decided_by_key,
    decided_cases,
    load_decided,
    load_figures,
)
from bookings.record.api.files import PDF, FileEndpoint
from bookings.reviews.messages import grounds_said
from bookings.reviews.models import PurchaseCase, ReviewScheme
from bookings.reviews.selectors.cases import case_by_id


class RegisteredDecisionShape(serializers.Serializer[Any]):
    """A decision, without anything from which the applicant could be known. `price_from`,
    `price_below`: the band of the price, without an end where null; `region`: null where too few
    organisations are there; `month`: its first day; `hours`: needed a year."""

    key = serializers.CharField()
    month = serializers.DateField()
    techniques = serializers.ListField(child=serializers.CharField())
    region = serializers.CharField(source="region.code", allow_null=True, default=None)
    money = serializers.ChoiceField(ReviewScheme.Money.choices)
    price_from = Number(18, 3, source="least")
    price_below = Number(18, 3, source="most", allow_null=True)
    currency = serializers.CharField()
    decision = serializers.CharField()
    grounds = serializers.ListField(child=serializers.CharField())
    hours = serializers.IntegerField()
    scheme = serializers.CharField(source="scheme.code")
    scheme_version = serializers.IntegerField(source="scheme.version")


class DecidedFiguresShape(serializers.Serializer[Any]):
    """What the decision was made by, in whole hours; null where it is not known."""

    compared = serializers.IntegerField()
    fitting = serializers.IntegerField()
    mean_hours = serializers.IntegerField(allow_null=True)
    spare_hours = serializers.IntegerField()
    unmet_hours = serializers.IntegerField()
    coverage = serializers.CharField()
    promised_hours = serializers.IntegerField()
    break_even_hours = serializers.IntegerField(allow_null=True)


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
        return decided_by_key(pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        return load_decided(rows)

    @lists(_("Decisions on purchases"))
    def rows(self, query: dict[str, Any]) -> QuerySet[PurchaseCase]:
        """The public register: all decisions that are not under appeal, the newest first."""
        return decided_cases()

    @reads(_("A decision on a purchase"))
    def detail(self, pk: str) -> None:
        """As it is told to everybody."""

    @tells(_("The figures of a decision"), DecidedFiguresShape)
    def figures(self, pk: str) -> dict[str, Any]:
        """What it was made by: of the comparison as it was frozen."""
        return load_figures(decided_by_key(pk))


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
        """One page, in the language asked for (`?lang=`)."""
        case = case_by_id(self.actor, case_id)
        return self.file(
            case_pdf(case, grounds_said(case.grounds, case.scheme)),
            PDF,
            f"purchase-case-{case.pk}.pdf",
        )
