"""The API by which administrators set the identity provider scopes of an organisation."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import Resource, acts, reads
from accounts.api.shapes import Flag, ListOf, Shape, Text
from accounts.domain.roles import Place
from accounts.models import Organisation
from accounts.permissions import require
from accounts.selectors.organisations import organisation_by_id
from accounts.services.federation import scopes_set


class ScopesShape(serializers.Serializer[Any]):
    """The scopes by which identity providers know an organisation, and whether their members join it without
    approval."""

    scopes = serializers.ListField(child=serializers.CharField())
    admits_by_scope = serializers.BooleanField()


class ScopesBody(Shape):
    scopes = ListOf(child=Text(100), help_text="Scopes such as example.edu, as in member@example.edu.")
    admits_by_scope = Flag(
        help_text="Whether members of that institution become members and researchers here without approval."
    )


class OrganisationScopes(Resource):
    at, key, name, tag = "organisations/", "organisation_id", "organisation", "people"
    shape = ScopesShape
    needs_person = True

    def visible(self, pk: UUID) -> Organisation:
        require(self.actor, "administer", Place(None))
        return organisation_by_id(pk)

    @reads(_("Scopes of an organisation"), "scopes")
    def scopes(self, pk: UUID) -> None:
        """Return the scopes by which identity providers know an organisation. Only administrators may read
        this."""

    @acts(
        _("Set the scopes of an organisation"),
        ScopesBody,
        "put",
        "scopes",
        named="_scopes_set",
        refuses=[404],
        once=False,
        sends={"scopes": ["example.edu"], "admits_by_scope": True},
        answers={"scopes": ["example.edu"], "admits_by_scope": True},
    )
    def scopes_set(self, pk: UUID, data: dict[str, Any]) -> Organisation:
        """Set the scopes by which identity providers know an organisation. Only administrators may do this. A
        scope belongs to one organisation."""
        return scopes_set(self.by, organisation=self.visible(pk), **data)
