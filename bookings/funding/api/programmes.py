"""Voucher programmes."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.organisations import region_named
from accounts.api.pagination import Pages
from accounts.api.resource import Resource, acts, changes, creates, lists, reads
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
)
from accounts.models import Organisation
from bookings.funding.domain.programmes import ProgrammeTerms
from bookings.funding.selectors.programmes import (
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
from bookings.pricing.api.agreements import regions_named
from bookings.pricing.models import VoucherProgramme
from bookings.record.api.shapes import PlainNumber

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

    granted = Money(source="figures.granted")
    held = Money(source="figures.held")
    redeemed = Money(source="figures.redeemed")
    transferred = Money(source="figures.transferred")
    left = Money(source="figures.left")


class ProgrammeShape(FiguresShape):
    """A region pays `percent` of the use its organisations make, from grants that come to
    `budget` at most. Empty lists mean everybody."""

    id = serializers.UUIDField()
    region = serializers.CharField(source="region.code")
    code = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    percent = PlainNumber()
    cap_per_booking = Money(allow_null=True)
    currency = serializers.CharField()
    budget = Money(allow_null=True)
    grants = serializers.IntegerField(source="figures.grants", help_text="How many.")
    payer_kinds = serializers.ListField(child=serializers.CharField())
    is_for_small_only = serializers.BooleanField()
    host_regions = serializers.ListField(child=serializers.CharField(), source="hosts")
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


def _values(data: dict[str, Any]) -> dict[str, Any]:
    """The fields of the terms that a body names."""
    values = dict(data)
    if "host_regions" in values:
        regions = regions_named(values["host_regions"], "host_regions")
        values["host_regions"] = tuple(region.pk for region in regions)
    if "payer_kinds" in values:
        values["payer_kinds"] = tuple(values["payer_kinds"])
    return values


class Programmes(Resource):
    at, key, tag = "programmes/", "programme_id", "vouchers"
    name, many = "programme", "programmes"
    shape = ProgrammeShape
    needs_person = True

    def visible(self, pk: UUID) -> VoucherProgramme:
        return programme_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        figures, hosts = load_figures(rows), host_regions_of(rows)
        for row in rows:
            row.figures, row.state = figures[row.pk], state_of_programme(row, self.now)
            row.hosts = [region.code for region in hosts[row.pk]]
        return rows

    @lists(_("Voucher programmes"), ProgrammeQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[VoucherProgramme]:
        """Of the regions that the person coordinates or audits, the newest first."""
        rows = programmes_for(self.actor)
        return rows.filter(region__code=query["region"]) if query["region"] else rows

    @creates(
        _("Start a voucher programme"),
        ProgrammeBody,
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
    def create(self, data: dict[str, Any]) -> UUID:
        """For the region's coordinator."""
        region = region_named(data.pop("region"))
        terms = {"currency": region.currency, "valid_until": None} | _values(data)
        return programme_create(self.by, region=region, terms=ProgrammeTerms(**terms)).pk

    @reads(_("One voucher programme"), answers=EXAMPLE)
    def detail(self, pk: UUID) -> None:
        """For coordinators and auditors of the region. The figures have no version."""

    @changes(
        _("Change a voucher programme"),
        ProgrammeTermsBody,
        partial=True,
        sends={"budget": "1200000.00"},
        answers=EXAMPLE,
    )
    def change(self, pk: UUID, data: dict[str, Any]) -> None:
        """For the region's coordinator. Only what is named changes, for bookings to come."""
        self.visible(pk)
        programme_change(self.by, programme_id=pk, changes=_values(data))

    @acts(_("Suspend a voucher programme"), ReasonBody)
    def suspend(self, pk: UUID, data: dict[str, Any]) -> None:
        """For the region's coordinator. Its grants cover no booking any more; what is set aside
        stays."""
        self.visible(pk)
        programme_suspend(self.by, programme_id=pk, **data)

    @acts(_("Resume a voucher programme"))
    def resume(self, pk: UUID) -> None:
        """For the region's coordinator."""
        self.visible(pk)
        programme_resume(self.by, programme_id=pk)
