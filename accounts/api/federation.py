"""Which organisation is whose scope, for those who sign in at their own institution."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.resource import rendered
from accounts.api.schema import operation
from accounts.api.shapes import Flag, ListOf, Shape, Text, checked
from accounts.api.versions import etag, expected_version
from accounts.domain.roles import By, Place
from accounts.models import Organisation
from accounts.permissions import require
from accounts.selectors.organisations import organisation_by_id
from accounts.services.federation import scopes_set

TAG = "people"


class ScopesShape(serializers.Serializer[Any]):
    """What identity providers call an organisation, and whether to be a member there is enough."""

    scopes = serializers.ListField(child=serializers.CharField())
    admits_by_scope = serializers.BooleanField()


class ScopesBody(Shape):
    scopes = ListOf(child=Text(100), help_text="Such as example.edu, of member@example.edu.")
    admits_by_scope = Flag(
        help_text="Whether a member there becomes a member and researcher without approval."
    )


class OrganisationScopes(Endpoint):
    needs_person = True

    @operation(
        "organisation_scopes",
        _("Scopes of an organisation"),
        tag=TAG,
        gives=ScopesShape,
        refuses=[404],
    )
    def get(self, request: Request, organisation_id: UUID) -> Response:
        """For administrators."""
        require(self.actor, "administer", Place(None))
        return _shown(organisation_by_id(organisation_id))

    @operation(
        "organisation_scopes_set",
        _("Set the scopes of an organisation"),
        tag=TAG,
        takes=ScopesBody,
        gives=ScopesShape,
        refuses=[404],
        versioned=True,
        sends={"scopes": ["example.edu"], "admits_by_scope": True},
        answers={"scopes": ["example.edu"], "admits_by_scope": True},
    )
    def put(self, request: Request, organisation_id: UUID) -> Response:
        """For administrators. A scope belongs to one organisation."""
        require(self.actor, "administer", Place(None))
        data = checked(ScopesBody, request.data)
        organisation = scopes_set(
            By(self.actor, self.now, expected_version(request)),
            organisation=organisation_by_id(organisation_id),
            **data,
        )
        return _shown(organisation)


def _shown(organisation: Organisation) -> Response:
    return Response(rendered(ScopesShape, organisation), headers=etag(organisation.version))
