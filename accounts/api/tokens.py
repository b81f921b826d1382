"""One's own tokens. They are made where a person confirms who they are: on the profile page, or by
`manage.py issue_token`; a token makes no other."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import Instant, asked, rfc3339
from accounts.api.versions import require_version
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


class Tokens(Endpoint):
    needs_person = True

    @operation("tokens", _("Tokens"), tag="people", query=Pages, gives=page(TokenShape))
    def get(self, request: Request) -> Response:
        """One's own that are not revoked, the newest first."""
        assert isinstance(request.user, User)
        query = asked(Pages, request.query_params)

        def shown(rows: list[ApiToken]) -> list[dict[str, Any]]:
            return [self._json(row) for row in rows]

        return paginated(request, tokens_of(request.user), query, ("-created_at", "-id"), shown)

    def _json(self, row: ApiToken) -> dict[str, Any]:
        return {
            "id": str(row.pk),
            "label": row.label,
            "scopes": row.scopes,
            "created_at": rfc3339(row.created_at),
            "expires_at": rfc3339(row.expires_at),
            "last_used_at": rfc3339(row.last_used_at) if row.last_used_at else None,
            "current": isinstance(self.request.auth, ApiToken) and self.request.auth.pk == row.pk,
        }


class TokenDetail(Endpoint):
    needs_person = True

    @operation(
        "token_revoke",
        _("Revoke a token"),
        tag="people",
        gives=None,
        status=204,
        refuses=[404],
        versioned=True,
    )
    def delete(self, request: Request, token_id: UUID) -> Response:
        """It opens nothing any more, at once; also the one this request came with."""
        assert isinstance(request.user, User)
        if (row := token_of(request.user, str(token_id))) is None:
            raise NotFound
        require_version(request, row.version)
        token_revoke(user=request.user, token_id=token_id, now=self.now)
        return Response(status=204)
