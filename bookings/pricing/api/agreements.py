"""Agreements between regions."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.memberships import PersonShape
from accounts.api.organisations import region_named
from accounts.api.resource import Resource, acts, changes, creates, reads
from accounts.api.shapes import Day, Instant, Shape, Text
from accounts.domain.errors import FieldProblem, Invalid, NotFound
from accounts.models import Region
from accounts.selectors.organisations import region_by_code
from bookings.pricing.domain.agreements import AgreementTerms
from bookings.pricing.forms.agreements import AgreementBody
from bookings.pricing.models import Agreement
from bookings.pricing.selectors.agreements import AGREEMENTS, agreement_by_id, state_on, today_in
from bookings.pricing.services.agreements import (
    agreement_change,
    agreement_end,
    agreement_propose,
    agreement_sign,
)
from bookings.record.api.lists import listed
from bookings.record.api.shapes import PlainNumber

STATES = ("proposed", "coming", "in_force", "over", "withdrawn")
EXAMPLE = {
    "id": "0197a1de-0000-7000-8000-000000000021",
    "code": "anhui-shanghai",
    "name": "Anhui and Shanghai",
    "name_zh": "皖沪大型仪器互认协议",
    "members": [
        {
            "region": "CN-AH",
            "name": "Anhui",
            "name_zh": "安徽",
            "signed_by": {"id": "0197a1de-0000-7000-8000-000000000004", "name": "Zhao Min"},
            "signed_at": "2026-01-10T02:00:00Z",
        },
        {"region": "CN-SH", "name": "Shanghai", "name_zh": "上海", "signed_by": None, "signed_at": None},
    ],
    "valid_from": "2026-02-01",
    "valid_until": "2027-02-01",
    "discount_percent": "10",
    "honours_vouchers": True,
    "recognises_qualifications": True,
    "state": "proposed",
    "proposed_at": "2026-01-08T02:00:00Z",
    "signed_at": None,
    "version": 2,
}


class AgreementMemberShape(serializers.Serializer[Any]):
    region = serializers.CharField(source="region.code")
    name = serializers.CharField(source="region.name")
    name_zh = serializers.CharField(source="region.name_zh")
    signed_by = PersonShape(allow_null=True)
    signed_at = Instant(allow_null=True)


class AgreementShape(serializers.Serializer[Any]):
    """An agreement, in force on the instrument's local days [`valid_from`, `valid_until`) once every member
    has signed."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    members = AgreementMemberShape(many=True)
    valid_from = serializers.DateField()
    valid_until = serializers.DateField(allow_null=True)
    discount_percent = PlainNumber(help_text="Discount on the price of the time.")
    honours_vouchers = serializers.BooleanField()
    recognises_qualifications = serializers.BooleanField()
    state = serializers.ChoiceField(STATES)
    proposed_at = Instant()
    signed_at = Instant(allow_null=True, help_text="When the last member signed.")
    version = serializers.IntegerField()


class SignBody(Shape):
    region = Text(
        40, required=False, help_text="Code of the member that signs; required if you coordinate several."
    )


class AgreementEndBody(Shape):
    valid_until = Day(
        required=False,
        allow_null=True,
        help_text="The first day on which it no longer applies; default: today.",
    )
    reason = Text(500, default="", allow_blank=True)


class Agreements(Resource):
    at, key, tag = "agreements/", "agreement_id", "agreements"
    name, many = "agreement", "agreements"
    shape, order = AgreementShape, ("-proposed_at", "-id")
    needs_person = True

    def visible(self, pk: UUID) -> Agreement:
        return agreement_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        for row in rows:
            row.state = state_on(row, today_in(list(row.members.all()), self.now))
        return rows

    @listed(_("Agreements"), AGREEMENTS)
    def rows(self, query: dict[str, Any]) -> QuerySet[Agreement]:
        """Return the agreements of the regions of your organisations and roles, the newest first; proposals
        only for the members' coordinators and auditors."""
        return AGREEMENTS.rows(self.actor)

    @creates(
        _("Propose an agreement"),
        AgreementBody,
        named="_propose",
        sends={
            "code": EXAMPLE["code"],
            "name": EXAMPLE["name"],
            "regions": ["CN-AH", "CN-SH"],
            "valid_from": "2026-02-01",
            "valid_until": "2027-02-01",
            "discount_percent": "10",
            "honours_vouchers": True,
            "recognises_qualifications": True,
        },
        answers=EXAMPLE,
    )
    def propose(self, data: dict[str, Any]) -> UUID:
        """Propose an agreement; only the coordinator of a member may do this. It binds nobody until every
        member has signed."""
        regions = tuple(region.pk for region in regions_named(data["regions"]))
        terms = {"valid_until": None} | data | {"regions": regions}
        return agreement_propose(self.by, terms=AgreementTerms(**terms)).pk

    @reads(_("An agreement"), answers=EXAMPLE)
    def detail(self, pk: UUID) -> None:
        """Return an agreement. People of the member regions may read it."""

    @changes(
        _("Change a proposal"),
        AgreementBody,
        partial=True,
        refuses=[404, 409],
        sends={"discount_percent": "15"},
        answers=EXAMPLE,
    )
    def change(self, pk: UUID, data: dict[str, Any]) -> None:
        """Change a proposal. The members' coordinators may do this until all have signed. Fields left out
        stay as they are; members that had signed must sign again."""
        if "regions" in data:
            data["regions"] = tuple(region.pk for region in regions_named(data["regions"]))
        agreement_change(self.by, agreement_id=pk, changes=data)

    @acts(_("Sign an agreement"), SignBody, sends={"region": "CN-SH"}, answers=EXAMPLE)
    def sign(self, pk: UUID, data: dict[str, Any]) -> None:
        """Sign an agreement for a member, as its coordinator. The last signature puts it in force; send
        `If-Match` to make sure that you sign what you read."""
        region = region_named(data["region"]) if data.get("region") else None
        agreement_sign(self.by, agreement_id=pk, region_id=region.pk if region else None)

    @acts(
        _("End an agreement"),
        AgreementEndBody,
        sends={"valid_until": "2026-09-01", "reason": "Replaced by a wider one"},
        answers=EXAMPLE | {"valid_until": "2026-09-01"},
    )
    def end(self, pk: UUID, data: dict[str, Any]) -> None:
        """End an agreement earlier than agreed, but not in the past, or withdraw a proposal. The members'
        coordinators may do this. Bookings made under it keep their terms."""
        agreement_end(self.by, agreement_id=pk, **{"valid_until": None, **data})


def regions_named(codes: list[str], field: str = "regions") -> list[Region]:
    """Return the regions with some codes; raise `Invalid` naming every code that does not exist."""
    regions, problems = [], []
    for index, code in enumerate(codes):
        try:
            regions.append(region_by_code(code))
        except NotFound:
            where = f"{field}[{index}]"
            problems.append(FieldProblem(where, "unknown-region", {"region": code}))
    if problems:
        raise Invalid(problems)
    return regions
