"""Facilities: the sites that house instruments."""

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
from accounts.api.shapes import Number, Shape, Text, WebAddress, asked, checked
from accounts.api.versions import etag, expected_version
from accounts.domain.errors import NotFound, invalid
from accounts.models import Organisation
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


class Facilities(Endpoint):
    @operation(
        "facilities",
        _("Facilities"),
        tag="facilities",
        query=FacilityQuery,
        gives=page(FacilityShape),
    )
    def get(self, request: Request) -> Response:
        """All sites, by name."""
        query = asked(FacilityQuery, request.query_params)
        rows = facilities()
        if query["organisation"]:
            rows = rows.filter(organisation__code=query["organisation"])
        return paginated(
            request,
            rows,
            query,
            ("name", "id"),
            lambda found: FacilityShape(found, many=True).data,
        )

    @operation(
        "facility_create",
        _("Enter a facility"),
        tag="facilities",
        takes=FacilityBody,
        gives=FacilityShape,
        status=201,
        once=True,
        sends={
            "organisation": "hefei-materials",
            "name": "Instruments Centre",
            "name_zh": "理化科学实验中心",
            "time_zone": "Asia/Shanghai",
            "address": "96 Jinzhai Road, Hefei",
        },
    )
    def post(self, request: Request) -> HttpResponseBase:
        """For the organisation's managers."""
        data = checked(FacilityBody, request.data)

        def create() -> Response:
            organisation = _organisation(data.pop("organisation"))
            made = facility_create(
                actor=self.actor, organisation=organisation, now=self.now, **data
            )
            return one(made, status=201)

        return self.once(create)


class FacilityDetail(Endpoint):
    @operation("facility", _("One facility"), tag="facilities", gives=FacilityShape, refuses=[404])
    def get(self, request: Request, facility_id: UUID) -> Response:
        """One site."""
        return one(facility_by_id(facility_id))

    @operation(
        "facility_update",
        _("Change a facility"),
        tag="facilities",
        takes=FacilityChanges,
        gives=FacilityShape,
        refuses=[404],
        versioned=True,
        sends={"contact_email": "instruments@hefei-materials.example"},
    )
    def patch(self, request: Request, facility_id: UUID) -> Response:
        """For the organisation's managers. What is not named stays as it is."""
        changed = facility_update(
            actor=self.actor,
            facility_id=facility_id,
            changes=checked(FacilityChanges, request.data),
            expected_version=expected_version(request),
            now=self.now,
        )
        return one(changed)


def one(facility: Facility, status: int = 200) -> Response:
    headers = etag(facility.version)
    if status == 201:
        headers["Location"] = reverse("api-facility", kwargs={"facility_id": facility.pk})
    return Response(FacilityShape(facility).data, status=status, headers=headers)


def _organisation(code: str) -> Organisation:
    try:
        return organisation_by_code(code)
    except NotFound:
        raise invalid("organisation", "unknown-value") from None
