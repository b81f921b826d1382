"""Regions and organisations: list, enter and change them."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.pagination import Pages
from accounts.api.resource import Resource, acts, changes, creates, lists, reads
from accounts.api.shapes import Choice, Flag, Instant, Nothing, Shape, Text
from accounts.domain.errors import NotFound, invalid
from accounts.domain.organisations import MOST_REGION_NAME, MOST_TEXT, PAPER
from accounts.models import Organisation, Region
from accounts.selectors.organisations import (
    bookable_organisations,
    organisation_by_id,
    organisations_listed,
    reads_paper,
    region_by_code,
    regions,
)
from accounts.services import organisations as organisation_services

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
    "bank_name": "Example Bank, Hefei Branch",
    "account_number": "0000 1702 0000 0218",
    "iban": "",
    "bic": "",
    "bank_account": "",
    "invoice_email": "finance@first.example",
    "order_number": "",
}


class RegionShape(serializers.Serializer[Any]):
    """An administrative area. `shares`: it is one of the regions between which instruments are shared."""

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
    """One organisation. The invoice details are null except for its managers and finance, auditors and
    coordinators of its region, and administrators."""

    legal_name = serializers.CharField(allow_null=True)
    address = serializers.CharField(allow_null=True, help_text="One or more lines.")
    tax_number = serializers.CharField(allow_null=True)
    bank_name = serializers.CharField(allow_null=True, help_text="With the branch.")
    account_number = serializers.CharField(allow_null=True)
    iban = serializers.CharField(allow_null=True)
    bic = serializers.CharField(allow_null=True)
    bank_account = serializers.CharField(
        allow_null=True, help_text="One or more lines, for what has no field of its own."
    )
    invoice_email = serializers.CharField(allow_null=True)
    order_number = serializers.CharField(
        allow_null=True, help_text="What statements to it quote, unless one has its own."
    )


class RegionChanges(Shape):
    code = Text(20, help_text="The id of the region stays the same when its code changes.")
    parent = Text(  # type: ignore[assignment]
        20, allow_null=True, help_text="Code of the region that contains it."
    )
    name = Text(MOST_REGION_NAME)
    name_zh = Text(MOST_REGION_NAME, allow_blank=True)
    time_zone = Text(64, help_text="An IANA time zone such as Asia/Shanghai.")
    currency = Text(3)
    holiday_calendar = Text(
        20, allow_blank=True, help_text="Code of a country or subdivision, such as CN, GB-SCT or US-WA."
    )
    shares = Flag(help_text="Whether it shares instruments with other regions.")


class RegionBody(RegionChanges):
    """A place of ISO 3166, ISO 3166-2 or GB/T 2260 needs only its scheme and code, and a time zone if its
    country has several."""

    scheme = Text(20, help_text="`iso-3166-2`, `gb-t-2260`, `iso-3166`, or one of your own.")

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for name, field in fields.items():
            field.required = name in {"scheme", "code"}
        return fields


class OrganisationChanges(Shape):
    code = Text(
        30, help_text="Letters, digits, dashes and underscores. The id stays the same when the code changes."
    )
    name = Text(MOST_TEXT["name"])
    name_zh = Text(MOST_TEXT["name_zh"], allow_blank=True)
    kind = Choice(Organisation.Kind.choices)
    is_small = Flag(help_text="Only enterprises can be small.")
    ror = Text(200, allow_blank=True, help_text="ROR identifier, such as https://ror.org/04c4dkn09.")
    legal_name = Text(MOST_TEXT["legal_name"], allow_blank=True)
    address = Text(MOST_TEXT["address"], allow_blank=True, help_text="One or more lines.")
    tax_number = Text(MOST_TEXT["tax_number"], allow_blank=True)
    bank_name = Text(MOST_TEXT["bank_name"], allow_blank=True, help_text="With the branch.")
    account_number = Text(MOST_TEXT["account_number"], allow_blank=True)
    iban = Text(42, allow_blank=True, help_text="With or without blanks.")
    bic = Text(14, allow_blank=True)
    bank_account = Text(
        MOST_TEXT["bank_account"],
        allow_blank=True,
        help_text="One or more lines, for what has no field of its own.",
    )
    invoice_email = Text(MOST_TEXT["invoice_email"], allow_blank=True)
    order_number = Text(
        MOST_TEXT["order_number"],
        allow_blank=True,
        help_text="What statements to it quote, unless one has its own.",
    )


class OrganisationBody(OrganisationChanges):
    region = Text(20, help_text="Code of the region.")

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for name, field in fields.items():
            field.required = name in {"code", "name", "kind", "region"}
        return fields


class OrganisationQuery(Pages):
    mine = Flag(default=False, help_text="Only those you may book for.")
    q = Text(100, default="", help_text="Any part of its name, code or ROR identifier.")
    region = Text(20, default="", help_text="A code; regions below it are included.")
    kind = Choice(Organisation.Kind.choices, required=False)
    state = Choice([(name, name) for name in ("open", "closed", "all")], default="all")


def region_named(code: str, field: str = "region") -> Region:
    """Return the region whose code a body gives in this field; `Invalid` if there is none."""
    try:
        return region_by_code(code)
    except NotFound:
        raise invalid(field, "unknown-region", region=code) from None


class Regions(Resource):
    at, key, converter, tag = "regions/", "code", "str", "reference"
    name, many = "region", "regions"
    shape, order = RegionShape, ("scheme", "code")

    def visible(self, pk: Any) -> Region:
        return region_by_code(pk)

    def location(self, row: Region) -> str:
        return reverse("api-region", kwargs={"code": row.code})

    @lists(_("Regions"))
    def rows(self, query: dict[str, Any]) -> QuerySet[Region]:
        """List the administrative areas; those with `shares` share instruments with each other."""
        return regions()

    @creates(
        _("Enter a region"),
        RegionBody,
        refuses=[409],
        sends={"scheme": "iso-3166-2", "code": "CN-JS", "shares": True},
        answers=REGION,
    )
    def create(self, data: dict[str, Any]) -> Region:
        """Enter a region. Only administrators may do this. For a place in a shipped list, fields left out are
        filled in, including its parent: the nearest region above it that has been entered."""
        parent = data.pop("parent", None)
        above = region_named(parent, "parent") if parent else None
        return organisation_services.region_create(self.by, parent=above, **data)

    @reads(_("A region"), answers=REGION)
    def detail(self, code: str) -> None:
        """Return a region by its code."""

    @changes(
        _("Change a region"),
        RegionChanges,
        partial=True,
        refuses=[404, 409],
        sends={"name_zh": "江苏"},
        answers=REGION,
    )
    def change(self, code: str, data: dict[str, Any]) -> Region:
        """Change a region. Only administrators may do this. Fields left out stay as they are. If the parent
        changes, the regions below this one move with it."""
        if parent := data.get("parent"):
            data["parent"] = region_named(parent, "parent")
        return organisation_services.region_change(self.by, region_id=region_by_code(code).pk, **data)

    @acts(
        _("Close a region"), Nothing, answers=REGION | {"shares": False, "closed_at": "2026-03-06T02:00:00Z"}
    )
    def close(self, code: str, data: dict[str, Any]) -> Region:
        """Close a region for good. Only administrators may do this. 409 while it has an open organisation
        (`region-has-organisations`) or an open region below it (`region-has-regions`)."""
        return organisation_services.region_close(self.by, region_id=region_by_code(code).pk)


class Organisations(Resource):
    at, key, tag = "organisations/", "organisation_id", "reference"
    name, many = "organisation", "organisations"
    shape, order = OrganisationRecordShape, ("code",)

    def visible(self, pk: UUID) -> Organisation:
        return organisation_by_id(pk)

    def shown(self, rows: list[Any]) -> list[Any]:
        return [
            shown if reads_paper(self.actor, row) else shown | dict.fromkeys(PAPER)
            for row, shown in zip(rows, super().shown(rows), strict=True)
        ]

    @lists(_("Organisations"), OrganisationQuery, gives=OrganisationShape)
    def rows(self, query: dict[str, Any]) -> QuerySet[Organisation]:
        """List all organisations, or with `mine=1` those that you may book for."""
        rows = organisations_listed(query["q"], query["region"], query.get("kind", ""), query["state"])
        if query["mine"]:
            rows = rows.filter(pk__in=bookable_organisations(self.actor).order_by().values("pk"))
        return rows

    @creates(
        _("Enter an organisation"),
        OrganisationBody,
        refuses=[409],
        sends={
            "code": "first-university",
            "name": "First University",
            "name_zh": "第一大学",
            "kind": "university",
            "region": "CN-AH",
        },
        answers=ORGANISATION,
    )
    def create(self, data: dict[str, Any]) -> Organisation:
        """Enter an organisation. Coordinators of its region, or of one above it, and administrators may do
        this."""
        return organisation_services.organisation_create(
            self.by, **data | {"region": region_named(data["region"])}
        )

    @reads(_("An organisation"), answers=ORGANISATION)
    def detail(self, pk: UUID) -> None:
        """Return an organisation, to anybody; its invoice details are shown only to some."""

    @changes(
        _("Change an organisation"),
        OrganisationChanges,
        partial=True,
        refuses=[404, 409],
        sends={"name": "First University of Hefei"},
        answers=ORGANISATION | {"name": "First University of Hefei"},
    )
    def change(self, pk: UUID, data: dict[str, Any]) -> Organisation:
        """Change an organisation. Coordinators of its region, or of one above it, and administrators may do
        this. Fields left out stay as they are."""
        return organisation_services.organisation_change(self.by, organisation_id=pk, **data)
