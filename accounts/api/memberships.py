"""Members of organisations, and roles."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import Choice, Flag, Instant, Shape, Text, asked, checked, rfc3339
from accounts.domain.errors import NotFound, invalid
from accounts.domain.roles import ORGANISATION_ROLES, PLATFORM_ROLES, REGION_ROLES
from accounts.models import Membership, Organisation, Region, RoleGrant, User
from accounts.selectors.memberships import (
    grant_by_id,
    grants_for,
    membership_by_id,
    memberships_for,
    with_roles,
)
from accounts.selectors.organisations import organisation_by_code, region_by_code
from accounts.selectors.users import person_named
from accounts.services.memberships import role_grant, role_revoke

TAG = "people"
ROLES = sorted(ORGANISATION_ROLES | REGION_ROLES | PLATFORM_ROLES)
PERSON = {"id": "0197a1de-0000-7000-8000-000000000002", "name": "Wang Li"}
MANAGER = {"id": "0197a1de-0000-7000-8000-000000000004", "name": "Zhao Min"}
ROLE = {
    "id": "0197a1de-0000-7000-8000-000000000005",
    "user": PERSON,
    "role": "researcher",
    "organisation": "hefei-materials",
    "region": None,
    "granted_at": "2026-03-06T02:00:00Z",
    "granted_by": MANAGER,
    "revoked_at": None,
}


class PersonShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class RoleShape(serializers.Serializer[Any]):
    """A role held for an organisation, for a region with all below it, or for the platform.
    `granted_by` null: by the platform itself."""

    id = serializers.UUIDField()
    user = PersonShape()
    role = serializers.CharField()
    organisation = serializers.CharField(allow_null=True)
    region = serializers.CharField(allow_null=True)
    granted_at = Instant()
    granted_by = PersonShape(allow_null=True)
    revoked_at = Instant(allow_null=True)


class MembershipShape(serializers.Serializer[Any]):
    """A person's place in an organisation with the roles they hold there; ended ones stay on
    record."""

    id = serializers.UUIDField()
    user = PersonShape()
    organisation = serializers.CharField()
    roles = RoleShape(many=True)
    started_at = Instant()
    ended_at = Instant(allow_null=True)


class MembershipQuery(Pages):
    organisation = Text(30, default="", help_text="Its code.")
    user = Text(254, default="", help_text="The person's id or e-mail address.")
    active = Flag(default=True, help_text="Only present ones; 0: all that ever were.")


class RoleQuery(Pages):
    organisation = Text(30, default="", help_text="Its code.")
    user = Text(254, default="", help_text="The person's id or e-mail address.")
    role = Choice(ROLES, required=False)


class RoleBody(Shape):
    """Name an organisation for `researcher`, `manager` and `finance`, a region for `coordinator`
    and `auditor`, neither for `administrator`."""

    user = Text(254, help_text="An id or e-mail address.")
    role = Choice(ROLES)
    organisation = Text(30, required=False, allow_null=True, help_text="Its code.")
    region = Text(40, required=False, allow_null=True, help_text="Its code.")


class TakeBody(Shape):
    reason = Text(500, default="", allow_blank=True, help_text="Owed but for one's own role.")


def person_json(user: User) -> dict[str, str]:
    return {"id": str(user.pk), "name": str(user)}


def role_json(grant: RoleGrant) -> dict[str, Any]:
    return {
        "id": str(grant.pk),
        "user": person_json(grant.user),
        "role": grant.role,
        "organisation": grant.organisation.code if grant.organisation else None,
        "region": grant.region.code if grant.region else None,
        "granted_at": rfc3339(grant.granted_at),
        "granted_by": person_json(grant.granted_by) if grant.granted_by else None,
        "revoked_at": rfc3339(grant.revoked_at) if grant.revoked_at else None,
    }


def memberships_json(found: list[Membership]) -> list[dict[str, Any]]:
    return [
        {
            "id": str(row.pk),
            "user": person_json(row.user),
            "organisation": row.organisation.code,
            "roles": [role_json(grant) for grant in roles],
            "started_at": rfc3339(row.started_at),
            "ended_at": rfc3339(row.ended_at) if row.ended_at else None,
        }
        for row, roles in with_roles(found)
    ]


def organisation_named(code: str) -> Organisation:
    """`Invalid` where a body names none."""
    try:
        return organisation_by_code("" if "\0" in code else code)
    except NotFound:
        raise invalid("organisation", "unknown-value") from None


class Memberships(Endpoint):
    needs_person = True

    @operation(
        "memberships", _("Memberships"), tag=TAG, query=MembershipQuery, gives=page(MembershipShape)
    )
    def get(self, request: Request) -> Response:
        """One's own; for managers those of their organisation, for auditors those of their
        regions, for administrators all."""
        query = asked(MembershipQuery, request.query_params)
        rows = memberships_for(self.actor)
        if query["active"]:
            rows = rows.filter(ended_at=None)
        if query["organisation"]:
            rows = rows.filter(organisation__code=query["organisation"])
        if query["user"]:
            rows = rows.filter(user=person_named(query["user"]))
        return paginated(request, rows, query, ("started_at", "id"), memberships_json)


class MembershipDetail(Endpoint):
    needs_person = True

    @operation("membership", _("One membership"), tag=TAG, gives=MembershipShape, refuses=[404])
    def get(self, request: Request, membership_id: UUID) -> Response:
        """For the person, and for whoever may see the organisation's people."""
        return Response(memberships_json([membership_by_id(self.actor, membership_id)])[0])


class Roles(Endpoint):
    needs_person = True

    @operation("roles", _("Roles"), tag=TAG, query=RoleQuery, gives=page(RoleShape))
    def get(self, request: Request) -> Response:
        """Roles in force: one's own; for managers those at their organisation, for auditors those
        in their regions, for administrators all."""
        query = asked(RoleQuery, request.query_params)
        rows = grants_for(self.actor)
        if query["organisation"]:
            rows = rows.filter(organisation__code=query["organisation"])
        if query["user"]:
            rows = rows.filter(user=person_named(query["user"]))
        if "role" in query:
            rows = rows.filter(role=query["role"])
        return paginated(
            request,
            rows,
            query,
            ("granted_at", "id"),
            lambda found: [role_json(grant) for grant in found],
        )

    @operation(
        "role_grant",
        _("Give a role"),
        tag=TAG,
        takes=RoleBody,
        gives=RoleShape,
        status=201,
        refuses=[409, 422],
        once=True,
        sends={"user": "wang.li@example.org", "role": "finance", "organisation": "hefei-materials"},
        answers=ROLE | {"role": "finance"},
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Managers give those of their organisation to its members, administrators all; nobody
        gives themselves a role. 409 `member-first` for whoever is no member, with an account or
        without one: invite them. 422 `duties-conflict`: who audits is neither administrator,
        nor manager, finance or coordinator of what they audit. One held already is answered as
        it is."""
        data = checked(RoleBody, request.data)

        def grant() -> Response:
            organisation, region = self._place(data)
            made = role_grant(
                actor=self.actor,
                user=person_named(data["user"]),
                role=data["role"],
                organisation=organisation,
                region=region,
                now=self.now,
            )
            headers = {"Location": reverse("api-role", kwargs={"role_id": made.pk})}
            shown = role_json(grant_by_id(self.actor, made.pk))
            return Response(shown, status=201, headers=headers)

        return self.once(grant)

    def _place(self, data: dict[str, Any]) -> tuple[Organisation | None, Region | None]:
        organisation = (
            organisation_named(data["organisation"]) if data.get("organisation") else None
        )
        region = None
        if code := data.get("region"):
            try:
                region = region_by_code("" if "\0" in code else code)
            except NotFound:
                raise invalid("region", "unknown-region", region=code) from None
        return organisation, region


class RoleDetail(Endpoint):
    needs_person = True

    @operation("role", _("One role"), tag=TAG, gives=RoleShape, refuses=[404], answers=ROLE)
    def get(self, request: Request, role_id: UUID) -> Response:
        """While it is in force."""
        return Response(role_json(grant_by_id(self.actor, role_id)))


class RoleRevoke(Endpoint):
    needs_person = True

    @operation(
        "role_revoke",
        _("Remove a role"),
        tag=TAG,
        takes=TakeBody,
        gives=RoleShape,
        refuses=[404, 409],
        once=True,
        sends={"reason": "Left the group"},
        answers=ROLE | {"revoked_at": "2026-09-01T01:30:00Z"},
    )
    def post(self, request: Request, role_id: UUID) -> HttpResponseBase:
        """Whoever may give it, with a reason; or one's own. It ends at once. The last manager of
        an organisation and the last administrator keep theirs: 409."""
        data = checked(TakeBody, request.data)

        def revoke() -> Response:
            grant_by_id(self.actor, role_id)
            taken = role_revoke(
                actor=self.actor, grant_id=role_id, reason=data["reason"], now=self.now
            )
            return Response(role_json(taken))

        return self.once(revoke)
