"""The API for facilities, the sites that house instruments."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.pagination import Pages
from accounts.api.resource import Resource, changes, creates, lists, named, reads
from accounts.api.shapes import Text
from accounts.selectors.organisations import organisation_by_code
from instruments.managing.forms.facilities import FacilityBody, FacilityChanges
from instruments.managing.services.registry import facility_create, facility_update
from instruments.register.models import Facility
from instruments.register.selectors.registry import facilities, facility_by_id


class FacilityShape(serializers.Serializer[Any]):
    """A site: its address, its time zone, its contact."""

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
    refused_hazards = serializers.ListField(child=serializers.CharField())
    version = serializers.IntegerField()


class FacilityQuery(Pages):
    organisation = Text(40, default="", help_text="Code of an organisation: only its facilities.")


class Facilities(Resource):
    at, key, tag = "facilities/", "facility_id", "facilities"
    name, many = "facility", "facilities"
    shape, order = FacilityShape, ("name", "id")

    def visible(self, pk: UUID) -> Facility:
        return facility_by_id(pk)

    @lists(_("Facilities"), FacilityQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[Facility]:
        """Lists all sites, by name."""
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
        """Enters a site of an organisation. Only the organisation's managers may do this."""
        data["organisation"] = named("organisation", organisation_by_code, data["organisation"])
        return facility_create(self.by, **data)

    @reads(_("A facility"))
    def detail(self, pk: UUID) -> None:
        """Returns one site."""

    @changes(
        _("Change a facility"),
        FacilityChanges,
        named="_update",
        sends={"contact_email": "instruments@hefei-materials.example"},
    )
    def change(self, pk: UUID, data: dict[str, Any]) -> Facility:
        """Changes the record of a site. Only the organisation's managers may do this. Fields left out stay as
        they are."""
        return facility_update(self.by, facility_id=pk, changes=data)
