"""Voucher programmes."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.organisations import region_named
from accounts.api.resource import Resource, acts, changes, creates, reads
from accounts.api.shapes import Instant, Money, ReasonBody, Text
from bookings.funding.domain.programmes import ProgrammeTerms
from bookings.funding.forms.programmes import ProgrammeTermsBody
from bookings.funding.selectors import programmes
from bookings.funding.services.programmes import (
    programme_change,
    programme_create,
    programme_resume,
    programme_suspend,
)
from bookings.pricing.api.agreements import regions_named
from bookings.pricing.models import VoucherProgramme
from bookings.record.api.lists import listed
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
    """The figures of a grant or programme. `held` is reserved for bookings made, `redeemed` was charged,
    `transferred` moved to the organisation that this one was merged into; what is `left` of `granted` can
    still be used."""

    granted = Money(source="figures.granted")
    held = Money(source="figures.held")
    redeemed = Money(source="figures.redeemed")
    transferred = Money(source="figures.transferred")
    left = Money(source="figures.left")


class ProgrammeShape(FiguresShape):
    """A programme by which a region pays `percent` of the use that its organisations make, from grants that
    together do not exceed `budget`. Empty lists mean no restriction."""

    id = serializers.UUIDField()
    region = serializers.CharField(source="region.code")
    code = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    percent = PlainNumber()
    cap_per_booking = Money(allow_null=True)
    currency = serializers.CharField()
    budget = Money(allow_null=True)
    grants = serializers.IntegerField(source="figures.grants", help_text="Number of grants.")
    payer_kinds = serializers.ListField(child=serializers.CharField())
    is_for_small_only = serializers.BooleanField()
    host_regions = serializers.ListField(child=serializers.CharField(), source="hosts")
    valid_from = serializers.DateField()
    valid_until = serializers.DateField(allow_null=True)
    state = serializers.ChoiceField(STATES)
    suspended_at = Instant(allow_null=True)
    created_at = Instant()
    version = serializers.IntegerField()


class ProgrammeBody(ProgrammeTermsBody):
    region = Text(40, help_text="Code of the region whose programme this is.")


def _values(data: dict[str, Any]) -> dict[str, Any]:
    """Return those terms of a programme that a body contains."""
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
        return programmes.programme_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        hosts = programmes.host_regions_of(rows)
        for row in programmes.with_figures(rows):
            row.state = programmes.state_of_programme(row, self.now)
            row.hosts = [region.code for region in hosts[row.pk]]
        return rows

    @listed(_("Voucher programmes"), programmes.PROGRAMMES)
    def rows(self, query: dict[str, Any]) -> QuerySet[VoucherProgramme]:
        """Return programmes of the regions that the person coordinates or audits, the newest first."""
        return programmes.programmes_for(self.actor)

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
        """Create a voucher programme. Only the region's coordinator may do this."""
        region = region_named(data.pop("region"))
        terms = {"currency": region.currency, "valid_until": None} | _values(data)
        return programme_create(self.by, region=region, terms=ProgrammeTerms(**terms)).pk

    @reads(_("A voucher programme"), answers=EXAMPLE)
    def detail(self, pk: UUID) -> None:
        """Return a voucher programme. Coordinators and auditors of the region may read it. The `version` does
        not cover the figures."""

    @changes(
        _("Change a voucher programme"),
        ProgrammeTermsBody,
        partial=True,
        sends={"budget": "1200000.00"},
        answers=EXAMPLE,
    )
    def change(self, pk: UUID, data: dict[str, Any]) -> None:
        """Change a programme. Only the region's coordinator may do this. Fields left out stay as they are;
        changes apply to bookings to come."""
        programme_change(self.by, programme_id=pk, changes=_values(data))

    @acts(_("Suspend a voucher programme"), ReasonBody)
    def suspend(self, pk: UUID, data: dict[str, Any]) -> None:
        """Suspend a programme. Only the region's coordinator may do this. Its grants cover no more bookings;
        reserved money stays reserved."""
        programme_suspend(self.by, programme_id=pk, **data)

    @acts(_("Resume a voucher programme"))
    def resume(self, pk: UUID) -> None:
        """Let the grants of a suspended programme cover bookings again. Only the region's coordinator may do
        this."""
        programme_resume(self.by, programme_id=pk)
