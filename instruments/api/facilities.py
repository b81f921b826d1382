"""Facilities: the sites that house instruments."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.pagination import Pages
from accounts.api.resource import Resource, changes, creates, lists, named, reads
from accounts.api.shapes import Number, Shape, Text, WebAddress
from accounts.selectors.organisations import organisation_by_code
from instruments.models import Facility
from instruments.selectors.registry import facilities, facility_by_id
from instruments.services.registry import facility_create, facility_update


class FacilityShape(serializers.Serializer[Any]):
    """A site: its address, its time zone, whom to ask."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    region = serializers.CharField(source="organisation.region.code")
    name = serializers.CharField()
    name_zh = serializers.CharField()
    time_zone = serializers.CharField()
    address = serializers.CharField()
    contact_name = serializers.CharField()
    contact_email = serializers.CharField()
    contact_phone = serializers.CharField()
    website = serializers.CharField()
    latitude = serializers.DecimalField(8, 5, allow_null=True)
    longitude = serializers.DecimalField(8, 5, allow_null=True)
    version = serializers.IntegerField()


class FacilityChanges(Shape):
    """What is said of a site; organisation and time zone stay."""

    name = Text(200, required=False)
    name_zh = Text(200, required=False, allow_blank=True)
    address = Text(300, required=False, allow_blank=True)
    contact_name = Text(120, required=False, allow_blank=True)
    contact_email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    contact_phone = Text(60, required=False, allow_blank=True)
    website = WebAddress(200, required=False, allow_blank=True)
    latitude = Number(8, 5, min_value=-90, max_value=90, required=False, allow_null=True)
    longitude = Number(8, 5, min_value=-180, max_value=180, required=False, allow_null=True)


class FacilityBody(FacilityChanges):
    """A new site."""

    organisation = Text(40, help_text="Its code.")
    name = Text(200)
    time_zone = Text(64, help_text="An IANA zone: `Asia/Shanghai`.")


class FacilityQuery(Pages):
    organisation = Text(40, default="", help_text="Of one organisation: its code.")


class Facilities(Resource):
    at, key, tag = "facilities/", "facility_id", "facilities"
    name, many = "facility", "facilities"
    shape, order = FacilityShape, ("name", "id")

    def visible(self, pk: UUID) -> Facility:
        return facility_by_id(pk)

    @lists(_("Facilities"), FacilityQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[Facility]:
        """All sites, by name."""
        rows = facilities()
        if query["organisation"]:
            rows = rows.filter(organisation__code=query["organisation"])
        return rows

    @creates(
        _("Enter a facility"),
        FacilityBody,
        sends={
            "organisation": "hefei-materials",
            "name": "Instruments Centre",
            "name_zh": "理化科学实验中心",
            "time_zone": "Asia/Shanghai",
            "address": "96 Jinzhai Road, Hefei",
        },
    )
    def create(self, data: dict[str, Any]) -> Facility:
        """For the organisation's managers."""
        data["organisation"] = named("organisation", organisation_by_code, data["organisation"])
        return facility_create(self.by, **data)

    @reads(_("One facility"))
    def detail(self, pk: UUID) -> None:
        """One site."""

    @changes(
        _("Change a facility"),
        FacilityChanges,
        named="_update",
        sends={"contact_email": "instruments@hefei-materials.example"},
    )
    def change(self, pk: UUID, data: dict[str, Any]) -> Facility:
        """For the organisation's managers. What is not named stays as it is."""
        return facility_update(self.by, facility_id=pk, changes=data)
