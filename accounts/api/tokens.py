"""One's own tokens. They are made where a person confirms who they are: on the profile page, or by
`manage.py issue_token`; a token makes no other."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import Resource, lists, removes
from accounts.api.shapes import Instant
from accounts.domain.errors import NotFound
from accounts.models import ApiToken, User
from accounts.selectors.tokens import token_of, tokens_of
from accounts.services.tokens import token_revoke


class TokenShape(serializers.Serializer[Any]):
    """A token, without what it opens with. `current`: the one this request came with."""

    id = serializers.UUIDField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field, as DRF means it
    scopes = serializers.ListField(child=serializers.CharField())
    created_at = Instant()
    expires_at = Instant()
    last_used_at = Instant(allow_null=True, help_text="To within five minutes.")
    current = serializers.BooleanField()


class Tokens(Resource):
    at, key, name, many, tag = "tokens/", "token_id", "token", "tokens", "people"
    shape = TokenShape
    needs_person = True

    @property
    def person(self) -> User:
        assert isinstance(self.request.user, User)
        return self.request.user

    def visible(self, pk: UUID) -> ApiToken:
        row = token_of(self.person, str(pk))
        if row is None:
            raise NotFound
        return row

    def prepared(self, rows: list[Any]) -> list[Any]:
        used = self.request.auth
        for row in rows:
            row.current = isinstance(used, ApiToken) and used.pk == row.pk
        return rows

    @lists(_("Tokens"))
    def rows(self, query: dict[str, Any]) -> QuerySet[ApiToken]:
        """One's own that are not revoked, the newest first."""
        return tokens_of(self.person)

    @removes(_("Revoke a token"), named="_revoke")
    def revoke(self, pk: UUID) -> None:
        """It opens nothing any more, at once; also the one this request came with."""
        self.meant(pk)
        token_revoke(user=self.person, token_id=pk, now=self.now)
