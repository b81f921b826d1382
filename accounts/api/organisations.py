"""Regions and organisations: the reference lists."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import Flag, asked
from accounts.selectors.organisations import bookable_organisations, organisations, regions


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


class OrganisationQuery(Pages):
    mine = Flag(default=False, help_text="Only those you may book for.")


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


class Organisations(Endpoint):
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
