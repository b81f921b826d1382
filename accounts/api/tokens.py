"""Lists and revokes a person's own tokens. They are created on the profile page, where the person confirms
who they are, or by `manage.py issue_token`; a token cannot create another."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import OnPage, Resource, lists, removes
from accounts.api.shapes import Instant
from accounts.domain.errors import NotFound
from accounts.models import ApiToken, User
from accounts.selectors.tokens import token_of, tokens_of
from accounts.services.tokens import token_revoke


class TokenShape(serializers.Serializer[Any]):
    """A token without its secret. `current`: the one that this request was sent with."""

    id = serializers.UUIDField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field, as DRF means it
    scopes = serializers.ListField(child=serializers.CharField())
    created_at = Instant()
    expires_at = Instant()
    last_used_at = Instant(allow_null=True, help_text="When the token was last used, to within five minutes.")
    current = serializers.BooleanField()


class Tokens(Resource):
    at, key, name, many, tag = "tokens/", "token_id", "token", "tokens", "people"
    shape = TokenShape
    needs_person, page_at = True, "profile/tokens/"

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
        """List your tokens that are not revoked, newest first."""
        return tokens_of(self.person)

    @OnPage("accounts:profile", done=_("The token is revoked and can no longer be used."), of="")
    @removes(_("Revoke a token"), named="_revoke")
    def revoke(self, pk: UUID) -> None:
        """Revoke one of your tokens, which stops working at once, even if this request uses it."""
        token_revoke(self.by, token_id=pk)
