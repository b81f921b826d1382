"""Agreements between regions."""

from decimal import Decimal
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
    Day,
    Flag,
    Instant,
    ListOf,
    Number,
    Shape,
    Text,
    asked,
    checked,
    rfc3339,
)
from accounts.api.versions import etag, expected_version
from accounts.domain.errors import FieldProblem, Invalid, NotFound, invalid
from accounts.models import Region
from accounts.selectors.organisations import region_by_code
from bookings.pricing.domain.agreements import AgreementTerms
from bookings.pricing.models import Agreement
from bookings.pricing.selectors.agreements import (
    agreement_by_id,
    agreements_for,
    agreements_on,
    state_on,
    today_in,
)
from bookings.pricing.services.agreements import (
    agreement_change,
    agreement_end,
    agreement_propose,
    agreement_sign,
)
from bookings.record.domain.money import format_number

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
        {
            "region": "CN-SH",
            "name": "Shanghai",
            "name_zh": "上海",
            "signed_by": None,
            "signed_at": None,
        },
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


class SignerShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class AgreementMemberShape(serializers.Serializer[Any]):
    region = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    signed_by = SignerShape(allow_null=True)
    signed_at = Instant(allow_null=True)


class AgreementShape(serializers.Serializer[Any]):
    """In force on the local days of the instrument from `valid_from` until before `valid_until`,
    once every member has signed."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    members = AgreementMemberShape(many=True)
    valid_from = serializers.DateField()
    valid_until = serializers.DateField(allow_null=True)
    discount_percent = serializers.CharField(help_text="Off what the time costs.")
    honours_vouchers = serializers.BooleanField()
    recognises_qualifications = serializers.BooleanField()
    state = serializers.ChoiceField(STATES)
    proposed_at = Instant()
    signed_at = Instant(allow_null=True, help_text="When the last member signed.")
    version = serializers.IntegerField()


class AgreementBody(Shape):
    code = Text(40)
    name = Text(200)
    name_zh = Text(200, default="", allow_blank=True)
    regions = ListOf(child=Text(40), help_text="The codes of the members.")
    valid_from = Day()
    valid_until = Day(
        required=False, allow_null=True, help_text="The first day it no longer holds."
    )
    discount_percent = Number(12, 6, default=Decimal(0))
    honours_vouchers = Flag(default=False)
    recognises_qualifications = Flag(default=False)


class SignBody(Shape):
    region = Text(
        40, required=False, help_text="For which member, where the person coordinates several."
    )


class AgreementEndBody(Shape):
    valid_until = Day(
        required=False, allow_null=True, help_text="The first day it no longer holds; or today."
    )
    reason = Text(500, default="", allow_blank=True)


class AgreementQuery(Pages):
    region = Text(40, default="", help_text="The code of a member region.")
    in_force_on = Day(required=False)


class AgreementEndpoint(Endpoint):
    """What the addresses of agreements share."""

    needs_person = True

    def shown(self, row: Agreement) -> dict[str, Any]:
        members = list(row.members.all())
        return {
            "id": str(row.pk),
            "code": row.code,
            "name": row.name,
            "name_zh": row.name_zh,
            "members": [
                {
                    "region": member.region.code,
                    "name": member.region.name,
                    "name_zh": member.region.name_zh,
                    "signed_by": {"id": str(member.signed_by.pk), "name": str(member.signed_by)}
                    if member.signed_by
                    else None,
                    "signed_at": rfc3339(member.signed_at) if member.signed_at else None,
                }
                for member in members
            ],
            "valid_from": row.valid_from.isoformat(),
            "valid_until": row.valid_until.isoformat() if row.valid_until else None,
            "discount_percent": format_number(row.discount_percent),
            "honours_vouchers": row.honours_vouchers,
            "recognises_qualifications": row.recognises_qualifications,
            "state": state_on(row, today_in(members, self.now)),
            "proposed_at": rfc3339(row.proposed_at),
            "signed_at": rfc3339(row.signed_at) if row.signed_at else None,
            "version": row.version,
        }

    def one(self, agreement_id: UUID, status: int = 200) -> Response:
        row = agreement_by_id(self.actor, agreement_id)
        headers = etag(row.version)
        if status == 201:
            headers["Location"] = reverse("api-agreement", kwargs={"agreement_id": row.pk})
        return Response(self.shown(row), status=status, headers=headers)


class Agreements(AgreementEndpoint):
    @operation(
        "agreements",
        _("Agreements"),
        tag="agreements",
        query=AgreementQuery,
        gives=page(AgreementShape),
    )
    def get(self, request: Request) -> Response:
        """Those of the regions of one's organisations and roles, the newest first; proposals for
        the members' coordinators and auditors."""
        query = asked(AgreementQuery, request.query_params)
        rows = agreements_for(self.actor)
        if query["region"]:
            rows = rows.filter(members__region__code=query["region"])
        if "in_force_on" in query:
            rows = agreements_on(rows, query["in_force_on"])
        return paginated(
            request,
            rows,
            query,
            ("-proposed_at", "-id"),
            lambda found: [self.shown(row) for row in found],
        )

    @operation(
        "agreement_propose",
        _("Propose an agreement"),
        tag="agreements",
        takes=AgreementBody,
        gives=AgreementShape,
        status=201,
        once=True,
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
    def post(self, request: Request) -> HttpResponseBase:
        """For the coordinator of a member. It binds nobody until every member has signed."""
        data = checked(AgreementBody, request.data)

        def propose() -> Response:
            regions = regions_named(data.pop("regions"))
            terms = AgreementTerms(
                regions=tuple(region.pk for region in regions),
                **{"valid_until": None} | data,
            )
            made = agreement_propose(actor=self.actor, terms=terms, now=self.now)
            return self.one(made.pk, status=201)

        return self.once(propose)


class AgreementDetail(AgreementEndpoint):
    @operation(
        "agreement",
        _("One agreement"),
        tag="agreements",
        gives=AgreementShape,
        refuses=[404],
        answers=EXAMPLE,
    )
    def get(self, request: Request, agreement_id: UUID) -> Response:
        """For people of the member regions."""
        return self.one(agreement_id)

    @operation(
        "agreement_change",
        _("Change a proposal"),
        tag="agreements",
        takes=AgreementBody,
        gives=AgreementShape,
        refuses=[404, 409],
        versioned=True,
        sends={"discount_percent": "15"},
        answers=EXAMPLE,
    )
    def patch(self, request: Request, agreement_id: UUID) -> Response:
        """For the members' coordinators, until all have signed. Only what is named changes;
        whoever had signed signs again."""
        expected = expected_version(request)
        data = checked(AgreementBody, request.data, partial=True)
        agreement_by_id(self.actor, agreement_id)
        if "regions" in data:
            data["regions"] = tuple(region.pk for region in regions_named(data["regions"]))
        agreement_change(
            actor=self.actor,
            agreement_id=agreement_id,
            changes=data,
            expected_version=expected,
            now=self.now,
        )
        return self.one(agreement_id)


class AgreementSign(AgreementEndpoint):
    @operation(
        "agreement_sign",
        _("Sign an agreement"),
        tag="agreements",
        takes=SignBody,
        gives=AgreementShape,
        refuses=[404, 409],
        versioned=True,
        once=True,
        sends={"region": "CN-SH"},
        answers=EXAMPLE,
    )
    def post(self, request: Request, agreement_id: UUID) -> HttpResponseBase:
        """For a member's coordinator. The last to sign puts it in force; send `If-Match`, so that
        what is signed is what was read."""
        expected, data = expected_version(request), checked(SignBody, request.data)

        def sign() -> Response:
            agreement_by_id(self.actor, agreement_id)
            region = region_named("region", data["region"]) if data.get("region") else None
            agreement_sign(
                actor=self.actor,
                agreement_id=agreement_id,
                region_id=region.pk if region else None,
                expected_version=expected,
                now=self.now,
            )
            return self.one(agreement_id)

        return self.once(sign)


class AgreementEnd(AgreementEndpoint):
    @operation(
        "agreement_end",
        _("End an agreement"),
        tag="agreements",
        takes=AgreementEndBody,
        gives=AgreementShape,
        refuses=[404, 409],
        versioned=True,
        once=True,
        sends={"valid_until": "2026-09-01", "reason": "Replaced by a wider one"},
        answers=EXAMPLE | {"valid_until": "2026-09-01"},
    )
    def post(self, request: Request, agreement_id: UUID) -> HttpResponseBase:
        """For the members' coordinators: earlier than agreed, not in the past. A proposal is
        withdrawn. Bookings made under it keep their terms."""
        expected, data = expected_version(request), checked(AgreementEndBody, request.data)

        def end() -> Response:
            agreement_by_id(self.actor, agreement_id)
            agreement_end(
                actor=self.actor,
                agreement_id=agreement_id,
                valid_until=data.get("valid_until"),
                reason=data["reason"],
                expected_version=expected,
                now=self.now,
            )
            return self.one(agreement_id)

        return self.once(end)


def region_named(field: str, code: str) -> Region:
    """`Invalid` at the field if there is no region of the code."""
    try:
        return region_by_code(code)
    except NotFound:
        raise invalid(field, "unknown-region", region=code) from None


def regions_named(codes: list[str], field: str = "regions") -> list[Region]:
    """The regions of some codes; `Invalid` names every one that there is not."""
    found, problems = [], []
    for index, code in enumerate(codes):
        try:
            found.append(region_by_code(code))
        except NotFound:
            where = f"{field}[{index}]"
            problems.append(FieldProblem(where, "unknown-region", {"region": code}))
    if problems:
        raise Invalid(problems)
    return found
