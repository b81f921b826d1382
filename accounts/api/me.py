"""The API tells callers which person it takes them to be."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.memberships import ROLE, TAG, MembershipShape, RoleShape
from accounts.api.resource import rendered
from accounts.api.schema import operation
from accounts.api.shapes import Instant
from accounts.models import ApiToken, User
from accounts.selectors.memberships import grants_for, memberships_for, with_roles


class TokenInUseShape(serializers.Serializer[Any]):
    """The scopes of the token that the request was sent with, and when it expires."""

    id = serializers.UUIDField()
    scopes = serializers.ListField(child=serializers.CharField())
    expires_at = Instant()


class MeShape(serializers.Serializer[Any]):
    """A person with their present memberships and the roles they hold. `token` is null for requests of a
    browser."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    email = serializers.CharField()
    language = serializers.CharField()
    time_zone = serializers.CharField()
    memberships = MembershipShape(many=True)
    roles = RoleShape(many=True)
    token = TokenInUseShape(allow_null=True)


class Me(Endpoint):
    needs_person = True

    @operation(
        "me",
        _("You"),
        tag=TAG,
        gives=MeShape,
        answers={
            "id": "0197a1de-0000-7000-8000-000000000002",
            "name": "Wang Li",
            "email": "wang.li@example.org",
            "language": "zh-hans",
            "time_zone": "Asia/Shanghai",
            "memberships": [
                {
                    "id": "0197a1de-0000-7000-8000-000000000003",
                    "user": ROLE["user"],
                    "organisation": "hefei-materials",
                    "roles": [ROLE],
                    "started_at": "2026-03-06T02:00:00Z",
                    "ended_at": None,
                }
            ],
            "roles": [ROLE],
            "token": {
                "id": "0197a1de-0000-7000-8000-000000000008",
                "scopes": ["book", "read"],
                "expires_at": "2026-06-04T02:00:00Z",
            },
        },
    )
    def get(self, request: Request) -> Response:
        """Return the person signed in, their memberships, all roles they hold (including those for regions
        and the platform), and what the token of this request allows."""
        user, token = request.user, request.auth
        assert isinstance(user, User)
        own = memberships_for(self.actor).filter(user=user, ended_at=None)
        shown = {
            "id": user.pk,
            "name": user.name,
            "email": user.email,
            "language": user.language,
            "time_zone": user.time_zone,
            "memberships": with_roles(own),
            "roles": grants_for(self.actor).filter(user=user),
            "token": token if isinstance(token, ApiToken) else None,
        }
        return Response(rendered(MeShape, shown))
