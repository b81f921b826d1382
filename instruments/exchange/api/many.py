"""The API to add photos and capabilities to many instruments at once."""

import base64
import binascii
from typing import Any

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.resource import named
from accounts.api.schema import operation
from accounts.api.shapes import ListOf, Shape, Text, checked
from accounts.domain.errors import NotPermitted, invalid
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import organisation_by_code
from instruments.exchange.domain.many import MOST_PHOTOS
from instruments.exchange.forms.many import CapabilitiesBody, MatchesBody
from instruments.exchange.selectors.numbers import photos_match
from instruments.exchange.services.many import capabilities_bring, photos_add


class OutcomeProblemShape(serializers.Serializer[Any]):
    """Why a photo or row is left out."""

    field = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    numbers = serializers.DictField()


class PhotoOutcomeShape(serializers.Serializer[Any]):
    """The instrument that a photo belongs to, or the reason why it is left out."""

    file = serializers.CharField()
    instrument = serializers.UUIDField(source="instrument.id", allow_null=True, default=None)
    problem = OutcomeProblemShape(allow_null=True)


class PhotoOutcomesShape(serializers.Serializer[Any]):
    results = PhotoOutcomeShape(many=True)


class StatementOutcomeShape(serializers.Serializer[Any]):
    line = serializers.IntegerField()
    number = serializers.CharField()
    parameter = serializers.CharField()
    result = serializers.ChoiceField(["added", "changed", "unchanged", "refused"])
    instrument = serializers.UUIDField(source="instrument.id", allow_null=True, default=None)
    problems = OutcomeProblemShape(many=True)


class StatementOutcomesShape(serializers.Serializer[Any]):
    results = StatementOutcomeShape(many=True)


class PhotosBody(Shape):
    """Photos as several parts `files` of multipart/form-data, each named by the inventory number of its
    instrument."""

    organisation = Text(40, help_text="Code of the organisation.")
    files = ListOf(child=serializers.FileField(max_length=250), max_length=MOST_PHOTOS)


def _managed(endpoint: Endpoint, code: str) -> Organisation:
    organisation = named("organisation", organisation_by_code, code)
    if not endpoint.actor.may("manage-instruments", place_of(organisation)):
        raise NotPermitted(capability="manage-instruments")
    return organisation


class PhotosMatches(Endpoint):
    needs_person = True

    @operation(
        "photos_match",
        _("Which photo belongs where"),
        tag="imports",
        takes=MatchesBody,
        gives=PhotoOutcomesShape,
    )
    def post(self, request: Request) -> Response:
        """Says which instrument photos would belong to by their file names; nothing is saved."""
        data = checked(MatchesBody, request.data)
        outcomes = photos_match(_managed(self, data["organisation"]), data["names"])
        return Response(PhotoOutcomesShape({"results": outcomes}).data)


class Photos(Endpoint):
    needs_person = True
    parser_classes = [MultiPartParser]

    @operation(
        "photos_add",
        _("Add photos to many instruments"),
        tag="imports",
        takes=PhotosBody,
        gives=PhotoOutcomesShape,
    )
    def post(self, request: Request) -> Response:
        """Adds photos to the instruments whose inventory numbers are their file names (`A-1001.jpg`,
        `A-1001_2.jpg`). Each is added or left out by itself; the answer says which and why."""
        data = checked(PhotosBody, request.data)
        files = [(each.name, each.read()) for each in data["files"]]
        by = By(self.actor, self.now)
        outcomes = photos_add(by, organisation=_managed(self, data["organisation"]), files=files)
        return Response(PhotoOutcomesShape({"results": outcomes}).data)


class CapabilitiesTable(Endpoint):
    needs_person = True

    @operation(
        "capabilities_bring",
        _("State what many instruments can do"),
        tag="imports",
        takes=CapabilitiesBody,
        gives=StatementOutcomesShape,
        refuses=[422],
        once=True,
        sends={
            "organisation": "wusong-tech",
            "file": "aW52ZW50b3J5IG51bWJlcixwYXJhbWV0ZXIsbWluLG1heCx1bml0LGNvbmRpdGlvbg0K",
            "dry_run": True,
        },
    )
    def post(self, request: Request) -> HttpResponseBase:
        """States what instruments can do from a table that names its columns in one of its first lines:
        inventory number, parameter, minimum, maximum, unit, condition (Chinese names work as well). A row
        replaces what is stated of its parameter under the same condition; one that is refused changes
        nothing."""
        data = checked(CapabilitiesBody, request.data)
        organisation = _managed(self, data["organisation"])
        try:
            content = base64.b64decode(data["file"], validate=True)
        except (binascii.Error, ValueError):
            raise invalid("file", "not-base64") from None

        def act() -> Response:
            outcomes = capabilities_bring(
                By(self.actor, self.now),
                organisation=organisation,
                content=content,
                file_name=data["file_name"],
                header_row=data.get("header_row", 0),
                dry_run=data["dry_run"],
            )
            return Response(StatementOutcomesShape({"results": outcomes}).data)

        return self.once(act)
