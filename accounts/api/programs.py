"""Lists and removes the programs that a person has allowed to act for them, on the page where such programs
ask (`oauth/authorize/`)."""

from typing import Any
from uuid import UUID

from allauth.idp.oidc.models import Client
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import OnPage, Resource, lists, removes
from accounts.api.shapes import Instant
from accounts.models import User
from accounts.selectors.programs import described, program_by_id, programs_of
from accounts.services.programs import program_remove


class ProgramShape(serializers.Serializer[Any]):
    """A program that acts for you. `id` is its `client_id`, `organisation` the code of the one whose program
    it is, `since` when you allowed it."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    organisation = serializers.CharField(source="organisation.code")
    scopes = serializers.ListField(child=serializers.CharField(), source="allowed")
    since = Instant()
    last_used_at = Instant(help_text="When the program was last used, to within an hour.")


class Programs(Resource):
    at, key, name, many, tag = "me/programs/", "program_id", "program", "programs", "people"
    shape, order = ProgramShape, ("-created_at", "id")
    needs_person, page_at = True, "profile/programs/"

    @property
    def person(self) -> User:
        assert isinstance(self.request.user, User)
        return self.request.user

    def visible(self, pk: UUID) -> Client:
        return program_by_id(self.person, pk, self.by.now)

    def prepared(self, rows: list[Any]) -> list[Any]:
        return described(rows)

    @lists(_("Programs that act for you"))
    def rows(self, query: dict[str, Any]) -> QuerySet[Client]:
        """List the programs that you have allowed to act for you."""
        return programs_of(self.person, self.by.now)

    @OnPage(
        "accounts:profile",
        _("Remove"),
        _("The program can no longer act for you."),
        _("Remove this program? It can no longer act for you until you allow it again."),
        of="",
        below="remove",
    )
    @removes(_("Remove a program that acts for you"), named="_remove")
    def remove(self, pk: UUID) -> None:
        """Take back what you have allowed a program; it stops at once, even if it sends this request."""
        program_remove(self.by, program_id=pk)
