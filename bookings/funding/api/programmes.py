"""Voucher programmes."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import (
    Choice,
    Day,
    Flag,
    Instant,
    ListOf,
    Money,
    Number,
    ReasonBody,
    Shape,
    Text,
    amount,
    asked,
    checked,
    rfc3339,
)
from accounts.api.versions import etag, expected_version
from accounts.models import Organisation
from bookings.funding.domain.programmes import ProgrammeTerms
from bookings.funding.selectors.programmes import (
    Figures,
    host_regions_of,
    load_figures,
    programme_by_id,
    programmes_for,
    state_of_programme,
)
from bookings.funding.services.programmes import (
    programme_change,
    programme_create,
    programme_resume,
    programme_suspend,
)
from bookings.pricing.api.agreements import region_named, regions_named
from bookings.pricing.models import VoucherProgramme
from bookings.record.domain.money import format_number

STATES = ("open", "coming", "suspended", "over")
EXAMPLE = {
    "id": "0197a1de-0000-7000-8000-000000000031",
    "region": "CN-SH",
    "code": "sh-vouchers",
    "name": "Shanghai innovation vouchers",
    "name_zh": "上海科技创新券",
    "percent": "50",
    "cap_per_booking": {"amount": "20000.00", "currency": "CNY"},
    "currency": "CNY",
    "budget": {"amount": "1000000.00", "currency": "CNY"},
    "granted": {"amount": "300000.00", "currency": "CNY"},
    "held": {"amount": "12000.00", "currency": "CNY"},
    "redeemed": {"amount": "80000.00", "currency": "CNY"},
    "transferred": {"amount": "0.00", "currency": "CNY"},
    "left": {"amount": "208000.00", "currency": "CNY"},
    "grants": 6,
    "payer_kinds": ["enterprise"],
    "is_for_small_only": True,
    "host_regions": ["CN-AH", "CN-JS"],
    "valid_from": "2026-01-01",
    "valid_until": "2027-01-01",
    "state": "open",
    "suspended_at": None,
    "created_at": "2026-01-05T02:00:00Z",
    "version": 1,
}


class FiguresShape(serializers.Serializer[Any]):
    """`held` is set aside for bookings made, `redeemed` charged, `transferred` gone to the
    organisation that was merged into; what is `left` of `granted` can still be used."""

    granted = Money()
    held = Money()
    redeemed = Money()
    transferred = Money()
    left = Money()


class ProgrammeShape(FiguresShape):
    """A region pays `percent` of the use its organisations make, from grants that come to
    `budget` at most. Empty lists mean everybody."""

    id = serializers.UUIDField()
    region = serializers.CharField()
    code = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    percent = serializers.CharField()
    cap_per_booking = Money(allow_null=True)
    currency = serializers.CharField()
    budget = Money(allow_null=True)
    grants = serializers.IntegerField(help_text="How many.")
    payer_kinds = serializers.ListField(child=serializers.CharField())
    is_for_small_only = serializers.BooleanField()
    host_regions = serializers.ListField(child=serializers.CharField())
    valid_from = serializers.DateField()
    valid_until = serializers.DateField(allow_null=True)
    state = serializers.ChoiceField(STATES)
    suspended_at = Instant(allow_null=True)
    created_at = Instant()
    version = serializers.IntegerField()


class ProgrammeTermsBody(Shape):
    code = Text(40)
    name = Text(200)
    name_zh = Text(200, default="", allow_blank=True)
    percent = Number(12, 6, help_text="Of what the voucher may pay for, before tax.")
    cap_per_booking = Number(24, 6, required=False, allow_null=True)
    currency = Text(3, required=False, help_text="The region's, unless named.")
    budget = Number(24, 6, required=False, allow_null=True, help_text="Null: no cap over grants.")
    payer_kinds = ListOf(child=Choice(Organisation.Kind.choices), required=False)
    is_for_small_only = Flag(default=False, help_text="Of enterprises, only small ones.")
    host_regions = ListOf(
        child=Text(40), required=False, help_text="Codes of the regions where it may be used."
    )
    valid_from = Day()
    valid_until = Day(
        required=False, allow_null=True, help_text="The first day it no longer holds."
    )


class ProgrammeBody(ProgrammeTermsBody):
    region = Text(40, help_text="The region whose programme it is.")


class ProgrammeQuery(Pages):
    region = Text(40, default="", help_text="Its code.")


def money_or_none(value: Any, currency: str) -> dict[str, str] | None:
    return None if value is None else amount(value, currency)


def figures_json(figures: Figures, currency: str) -> dict[str, Any]:
    return {
        name: amount(getattr(figures, name), currency)
        for name in ("granted", "held", "redeemed", "transferred", "left")
    }


class ProgrammeEndpoint(Endpoint):
    """What the addresses of programmes share."""

    needs_person = True

    def shown(self, rows: list[VoucherProgramme]) -> list[dict[str, Any]]:
        figures, hosts = load_figures(rows), host_regions_of(rows)
        return [
            {
                "id": str(row.pk),
                "region": row.region.code,
                "code": row.code,
                "name": row.name,
                "name_zh": row.name_zh,
                "percent": format_number(row.percent),
                "cap_per_booking": money_or_none(row.cap_per_booking, row.currency),
                "currency": row.currency,
                "budget": money_or_none(row.budget, row.currency),
                **figures_json(figures[row.pk], row.currency),
                "grants": figures[row.pk].grants,
                "payer_kinds": list(row.payer_kinds),
                "is_for_small_only": row.is_for_small_only,
                "host_regions": [region.code for region in hosts[row.pk]],
                "valid_from": row.valid_from.isoformat(),
                "valid_until": row.valid_until.isoformat() if row.valid_until else None,
                "state": state_of_programme(row, self.now),
                "suspended_at": rfc3339(row.suspended_at) if row.suspended_at else None,
                "created_at": rfc3339(row.created_at),
                "version": row.version,
            }
            for row in rows
        ]

    def one(self, programme_id: UUID, status: int = 200) -> Response:
        row = programme_by_id(self.actor, programme_id)
        headers = etag(row.version)
        if status == 201:
            headers["Location"] = reverse("api-programme", kwargs={"programme_id": row.pk})
        return Response(self.shown([row])[0], status=status, headers=headers)


class Programmes(ProgrammeEndpoint):
    @operation(
        "programmes",
        _("Voucher programmes"),
        tag="vouchers",
        query=ProgrammeQuery,
        gives=page(ProgrammeShape),
    )
    def get(self, request: Request) -> Response:
        """Of the regions that the person coordinates or audits, the newest first."""
        query = asked(ProgrammeQuery, request.query_params)
        rows = programmes_for(self.actor)
        if query["region"]:
            rows = rows.filter(region__code=query["region"])
        return paginated(request, rows, query, ("-created_at", "-id"), self.shown)

    @operation(
        "programme_create",
        _("Start a voucher programme"),
        tag="vouchers",
        takes=ProgrammeBody,
        gives=ProgrammeShape,
        status=201,
        once=True,
        sends={
            "region": "CN-SH",
            "code": "sh-vouchers",
            "name": "Shanghai innovation vouchers",
            "percent": "50",
            "cap_per_booking": "20000.00",
            "budget": "1000000.00",
            "payer_kinds": ["enterprise"],
            "is_for_small_only": True,
            "host_regions": ["CN-AH", "CN-JS"],
            "valid_from": "2026-01-01",
            "valid_until": "2027-01-01",
        },
        answers=EXAMPLE,
    )
    def post(self, request: Request) -> HttpResponseBase:
        """For the region's coordinator."""
        data = checked(ProgrammeBody, request.data)

        def create() -> Response:
            region = region_named("region", data["region"])
            values = _values({name: value for name, value in data.items() if name != "region"})
            terms = ProgrammeTerms(
                **{"currency": region.currency, "valid_until": None} | values,
            )
            made = programme_create(actor=self.actor, region=region, terms=terms, now=self.now)
            return self.one(made.pk, status=201)

        return self.once(create)


def _values(data: dict[str, Any]) -> dict[str, Any]:
    """The fields of the terms that a body names."""
    values = dict(data)
    if "host_regions" in values:
        found = regions_named(values["host_regions"], "host_regions")
        values["host_regions"] = tuple(region.pk for region in found)
    if "payer_kinds" in values:
        values["payer_kinds"] = tuple(values["payer_kinds"])
    return values


class ProgrammeDetail(ProgrammeEndpoint):
    @operation(
        "programme",
        _("One voucher programme"),
        tag="vouchers",
        gives=ProgrammeShape,
        refuses=[404],
        answers=EXAMPLE,
    )
    def get(self, request: Request, programme_id: UUID) -> Response:
        """For coordinators and auditors of the region. The figures have no version."""
        return self.one(programme_id)

    @operation(
        "programme_change",
        _("Change a voucher programme"),
        tag="vouchers",
        takes=ProgrammeTermsBody,
        gives=ProgrammeShape,
        refuses=[404],
        versioned=True,
        sends={"budget": "1200000.00"},
        answers=EXAMPLE,
    )
    def patch(self, request: Request, programme_id: UUID) -> Response:
        """For the region's coordinator. Only what is named changes, for bookings to come."""
        expected = expected_version(request)
        data = checked(ProgrammeTermsBody, request.data, partial=True)
        programme_by_id(self.actor, programme_id)
        programme_change(
            actor=self.actor,
            programme_id=programme_id,
            changes=_values(data),
            expected_version=expected,
            now=self.now,
        )
        return self.one(programme_id)


class ProgrammeSuspend(ProgrammeEndpoint):
    @operation(
        "programme_suspend",
        _("Suspend a voucher programme"),
        tag="vouchers",
        takes=ReasonBody,
        gives=ProgrammeShape,
        refuses=[404, 409],
        versioned=True,
        once=True,
    )
    def post(self, request: Request, programme_id: UUID) -> HttpResponseBase:
        """For the region's coordinator. Its grants cover no booking any more; what is set aside
        stays."""
        expected, data = expected_version(request), checked(ReasonBody, request.data)

        def suspend() -> Response:
            programme_by_id(self.actor, programme_id)
            programme_suspend(
                actor=self.actor,
                programme_id=programme_id,
                reason=data["reason"],
                expected_version=expected,
                now=self.now,
            )
            return self.one(programme_id)

        return self.once(suspend)


class ProgrammeResume(ProgrammeEndpoint):
    @operation(
        "programme_resume",
        _("Resume a voucher programme"),
        tag="vouchers",
        gives=ProgrammeShape,
        refuses=[404, 409],
        versioned=True,
        once=True,
    )
    def post(self, request: Request, programme_id: UUID) -> HttpResponseBase:
        """For the region's coordinator."""
        expected = expected_version(request)

        def resume() -> Response:
            programme_by_id(self.actor, programme_id)
            programme_resume(
                actor=self.actor,
                programme_id=programme_id,
                expected_version=expected,
                now=self.now,
            )
            return self.one(programme_id)

        return self.once(resume)
