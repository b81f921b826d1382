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
from accounts.api.shapes import Instant, Shape, Text, checked
from accounts.models import ApiToken, User
from accounts.selectors.memberships import grants_for, memberships_for, service_account_of, with_roles
from accounts.services.users import default_choose


class TokenInUseShape(serializers.Serializer[Any]):
    """The scopes of the token that the request was sent with, and when it expires."""

    id = serializers.UUIDField()
    scopes = serializers.ListField(child=serializers.CharField())
    expires_at = Instant(allow_null=True, help_text="Null: a service account's, until it is revoked.")


class ServiceAccountInUseShape(serializers.Serializer[Any]):
    """The service account that a request acts as: no person, and without memberships or grants of its own."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(
        source="organisation.code", help_text="Code of the organisation that it belongs to."
    )
    purpose = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())


class MeShape(serializers.Serializer[Any]):
    """A person with their present memberships and the roles they hold, or a service account. `token` is null
    for requests of a browser and for tokens of OAuth."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    email = serializers.CharField(help_text="Empty: of a service account.")
    language = serializers.CharField()
    time_zone = serializers.CharField()
    memberships = MembershipShape(many=True)
    roles = RoleShape(many=True)
    organisation = serializers.CharField(
        allow_null=True,
        help_text="Code of the organisation that requests are for when they name none, if one was chosen.",
    )
    service_account = ServiceAccountInUseShape(allow_null=True, help_text="Null: the request is a person's.")
    token = TokenInUseShape(allow_null=True)


class MeBody(Shape):
    organisation = Text(
        40,
        required=False,
        allow_null=True,
        help_text="Code or id of one of your organisations, for which requests are that name none. Null: "
        "whoever belongs to several must name one.",
    )


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
            "organisation": None,
            "service_account": None,
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
        return Response(self.shown(request))

    @operation(
        "me_change",
        _("Change your settings"),
        tag=TAG,
        takes=MeBody,
        gives=MeShape,
        sends={"organisation": "hefei-materials"},
    )
    def patch(self, request: Request) -> Response:
        """Choose which of your organisations requests are for that name none. It ends with your membership
        there."""
        data = checked(MeBody, request.data)
        if "organisation" in data:
            default_choose(self.by, organisation=data["organisation"] or "")
        return Response(self.shown(request))

    def shown(self, request: Request) -> Any:
        user, token = request.user, request.auth
        assert isinstance(user, User)
        own = memberships_for(self.actor).filter(user=user, ended_at=None)
        account = service_account_of(user)
        default = own.filter(is_default=True).values_list("organisation__code", flat=True).first()
        shown = {
            "id": user.pk,
            "name": user.name,
            "email": "" if account else user.email,
            "language": user.language,
            "time_zone": user.time_zone,
            "memberships": with_roles(own),
            "organisation": account.organisation.code if account else default,
            "roles": grants_for(self.actor).filter(user=user),
            "service_account": account,
            "token": token if isinstance(token, ApiToken) else None,
        }
        return rendered(MeShape, shown)
