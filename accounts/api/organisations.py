"""Regions and organisations: the reference lists, and entering and changing them."""

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
from accounts.api.shapes import Choice, Flag, Instant, Nothing, Shape, Text, asked, checked
from accounts.api.versions import etag, expected_version
from accounts.domain.errors import NotFound, invalid
from accounts.domain.organisations import MOST_REGION_NAME, MOST_TEXT, PAPER
from accounts.models import Organisation, Region
from accounts.selectors.organisations import (
    bookable_organisations,
    organisation_by_id,
    organisations,
    reads_paper,
    region_by_code,
    regions,
)
from accounts.services.organisations import (
    organisation_change,
    organisation_create,
    region_change,
    region_close,
    region_create,
)

REGION = {
    "id": "0197a1de-0000-7000-8000-000000000011",
    "scheme": "ISO 3166-2",
    "code": "CN-JS",
    "parent": "CN",
    "name": "Jiangsu",
    "name_zh": "江苏",
    "time_zone": "Asia/Shanghai",
    "currency": "CNY",
    "holiday_calendar": "CN",
    "shares": True,
    "closed_at": None,
}
ORGANISATION = {
    "id": "0197a1de-0000-7000-8000-000000000012",
    "code": "first-university",
    "name": "First University",
    "name_zh": "第一大学",
    "kind": "university",
    "is_small": False,
    "region": "CN-AH",
    "ror": "https://ror.org/04c4dkn09",
    "closed_at": None,
    "legal_name": "First University",
    "address": "1 University Road\n230000 Hefei",
    "tax_number": "12340000485001086E",
    "bank_account": "",
    "invoice_email": "finance@first.example",
}


class RegionShape(serializers.Serializer[Any]):
    """An administrative area. `shares`: one between which instruments are shared."""

    id = serializers.UUIDField()
    scheme = serializers.CharField()
    code = serializers.CharField()
    parent = serializers.CharField(  # type: ignore[assignment]
        source="parent.code", allow_null=True
    )
    name = serializers.CharField()
    name_zh = serializers.CharField()
    time_zone = serializers.CharField()
    currency = serializers.CharField()
    holiday_calendar = serializers.CharField()
    shares = serializers.BooleanField()
    closed_at = Instant(allow_null=True)


class OrganisationShape(serializers.Serializer[Any]):
    """A university, institute, hospital, government body or enterprise."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    kind = serializers.CharField()
    is_small = serializers.BooleanField()
    region = serializers.CharField(source="region.code")
    ror = serializers.CharField()
    closed_at = Instant(allow_null=True)


class OrganisationRecordShape(OrganisationShape):
    """One organisation. What statements print is null but for its managers and finance, auditors
    and coordinators of its region, and administrators."""

    legal_name = serializers.CharField(allow_null=True)
    address = serializers.CharField(allow_null=True, help_text="Lines.")
    tax_number = serializers.CharField(allow_null=True)
    bank_account = serializers.CharField(allow_null=True, help_text="Lines.")
    invoice_email = serializers.CharField(allow_null=True)


class RegionChanges(Shape):
    code = Text(20, help_text="Its id stays, whatever its code.")
    parent = Text(  # type: ignore[assignment]
        20, allow_null=True, help_text="The code of the region it lies in."
    )
    name = Text(MOST_REGION_NAME)
    name_zh = Text(MOST_REGION_NAME, allow_blank=True)
    time_zone = Text(64, help_text="Such as Asia/Shanghai.")
    currency = Text(3)
    holiday_calendar = Text(
        20, allow_blank=True, help_text="Country, or country-subdivision: CN, GB-SCT, US-WA."
    )
    shares = Flag(help_text="Whether it shares instruments with other regions.")


class RegionBody(RegionChanges):
    """A place of ISO 3166, ISO 3166-2 or GB/T 2260 needs its scheme and code alone, and its time
    zone where its country has several."""

    scheme = Text(20, help_text="`iso-3166-2`, `gb-t-2260`, `iso-3166`, or one of your own.")

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for name, field in fields.items():
            field.required = name in {"scheme", "code"}
        return fields


class OrganisationChanges(Shape):
    code = Text(30, help_text="Letters, digits, dashes, underscores. Its id stays.")
    name = Text(MOST_TEXT["name"])
    name_zh = Text(MOST_TEXT["name_zh"], allow_blank=True)
    kind = Choice(Organisation.Kind.choices)
    is_small = Flag(help_text="Enterprises alone.")
    ror = Text(200, allow_blank=True, help_text="Such as https://ror.org/04c4dkn09.")
    legal_name = Text(MOST_TEXT["legal_name"], allow_blank=True)
    address = Text(MOST_TEXT["address"], allow_blank=True, help_text="Lines.")
    tax_number = Text(MOST_TEXT["tax_number"], allow_blank=True)
    bank_account = Text(MOST_TEXT["bank_account"], allow_blank=True, help_text="Lines.")
    invoice_email = Text(MOST_TEXT["invoice_email"], allow_blank=True)


class OrganisationBody(OrganisationChanges):
    region = Text(20, help_text="Its code.")

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for name, field in fields.items():
            field.required = name in {"code", "name", "kind", "region"}
        return fields


class OrganisationQuery(Pages):
    mine = Flag(default=False, help_text="Only those you may book for.")


def region_json(region: Region, status: int = 200) -> Response:
    headers = etag(region.version)
    if status == 201:
        headers["Location"] = reverse("api-region", kwargs={"code": region.code})
    return Response(RegionShape(region).data, status=status, headers=headers)


def region_named(code: str, field: str = "region") -> Region:
    """`Invalid` where a body names none."""
    try:
        return region_by_code(code)
    except NotFound:
        raise invalid(field, "unknown-region", region=code) from None


class Regions(Endpoint):
    @operation(
        "regions",
        _("Regions"),
        tag="reference",
        query=Pages,
        gives=page(RegionShape),
    )
    def get(self, request: Request) -> Response:
        """Administrative areas; those with `shares` share instruments between each other."""
        query = asked(Pages, request.query_params)
        return paginated(
            request,
            regions(),
            query,
            ("scheme", "code"),
            lambda rows: RegionShape(rows, many=True).data,
        )

    @operation(
        "region_create",
        _("Enter a region"),
        tag="reference",
        takes=RegionBody,
        gives=RegionShape,
        status=201,
        refuses=[409],
        once=True,
        sends={"scheme": "iso-3166-2", "code": "CN-JS", "shares": True},
        answers=REGION,
    )
    def post(self, request: Request) -> HttpResponseBase:
        """For administrators. What is not named of a place in a shipped list is filled in, its
        parent too: the nearest region above it that stands."""
        data = checked(RegionBody, request.data)

        def create() -> Response:
            parent = data.pop("parent", None)
            above = region_named(parent, "parent") if parent else None
            made = region_create(actor=self.actor, parent=above, now=self.now, **data)
            return region_json(made, 201)

        return self.once(create)


class RegionDetail(Endpoint):
    @operation(
        "region",
        _("One region"),
        tag="reference",
        gives=RegionShape,
        refuses=[404],
        answers=REGION,
    )
    def get(self, request: Request, code: str) -> Response:
        """By its code."""
        return region_json(region_by_code(code))

    @operation(
        "region_change",
        _("Change a region"),
        tag="reference",
        takes=RegionChanges,
        gives=RegionShape,
        refuses=[404, 409],
        versioned=True,
        sends={"name_zh": "江苏"},
        answers=REGION,
    )
    def patch(self, request: Request, code: str) -> Response:
        """For administrators. What is not named stays as it is. What lies below it follows it
        below another parent."""
        data = checked(RegionChanges, request.data, partial=True)
        if parent := data.get("parent"):
            data["parent"] = region_named(parent, "parent")
        changed = region_change(
            actor=self.actor,
            region_id=region_by_code(code).pk,
            expected_version=expected_version(request),
            now=self.now,
            **data,
        )
        return region_json(changed)


class RegionClose(Endpoint):
    @operation(
        "region_close",
        _("Close a region"),
        tag="reference",
        takes=Nothing,
        gives=RegionShape,
        refuses=[404, 409],
        versioned=True,
        once=True,
        answers=REGION | {"shares": False, "closed_at": "2026-03-06T02:00:00Z"},
    )
    def post(self, request: Request, code: str) -> HttpResponseBase:
        """For administrators, for good. 409 while an open organisation is in it
        (`region-has-organisations`) or an open region below it (`region-has-regions`)."""
        checked(Nothing, request.data)

        def close() -> Response:
            return region_json(
                region_close(
                    actor=self.actor,
                    region_id=region_by_code(code).pk,
                    expected_version=expected_version(request),
                    now=self.now,
                )
            )

        return self.once(close)


class OrganisationEndpoint(Endpoint):
    def shown(self, organisation: Organisation, status: int = 200) -> Response:
        headers = etag(organisation.version)
        if status == 201:
            headers["Location"] = reverse(
                "api-organisation", kwargs={"organisation_id": organisation.pk}
            )
        content = dict(OrganisationRecordShape(organisation).data)
        if not reads_paper(self.actor, organisation):
            content |= dict.fromkeys(PAPER)
        return Response(content, status=status, headers=headers)


class Organisations(OrganisationEndpoint):
    @operation(
        "organisations",
        _("Organisations"),
        tag="reference",
        query=OrganisationQuery,
        gives=page(OrganisationShape),
    )
    def get(self, request: Request) -> Response:
        """All organisations, or with `mine=1` those the person may book for."""
        query = asked(OrganisationQuery, request.query_params)
        rows = bookable_organisations(self.actor) if query["mine"] else organisations()
        return paginated(
            request,
            rows,
            query,
            ("code",),
            lambda found: OrganisationShape(found, many=True).data,
        )

    @operation(
        "organisation_create",
        _("Enter an organisation"),
        tag="reference",
        takes=OrganisationBody,
        gives=OrganisationRecordShape,
        status=201,
        refuses=[409],
        once=True,
        sends={
            "code": "first-university",
            "name": "First University",
            "name_zh": "第一大学",
            "kind": "university",
            "region": "CN-AH",
        },
        answers=ORGANISATION,
    )
    def post(self, request: Request) -> HttpResponseBase:
        """For coordinators of its region or of one above it, and administrators."""
        data = checked(OrganisationBody, request.data)

        def create() -> Response:
            region = region_named(data.pop("region"))
            made = organisation_create(actor=self.actor, region=region, now=self.now, **data)
            return self.shown(made, 201)

        return self.once(create)


class OrganisationDetail(OrganisationEndpoint):
    @operation(
        "organisation",
        _("One organisation"),
        tag="reference",
        gives=OrganisationRecordShape,
        refuses=[404],
        answers=ORGANISATION,
    )
    def get(self, request: Request, organisation_id: UUID) -> Response:
        """For anybody; what statements print for some alone."""
        return self.shown(organisation_by_id(organisation_id))

    @operation(
        "organisation_change",
        _("Change an organisation"),
        tag="reference",
        takes=OrganisationChanges,
        gives=OrganisationRecordShape,
        refuses=[404, 409],
        versioned=True,
        sends={"name": "First University of Hefei"},
        answers=ORGANISATION | {"name": "First University of Hefei"},
    )
    def patch(self, request: Request, organisation_id: UUID) -> Response:
        """For coordinators of its region or of one above it, and administrators. What is not
        named stays as it is."""
        changed = organisation_change(
            actor=self.actor,
            organisation_id=organisation_id,
            expected_version=expected_version(request),
            now=self.now,
            **checked(OrganisationChanges, request.data, partial=True),
        )
        return self.shown(changed)
