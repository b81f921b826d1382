"""Members of organisations, and the roles that people hold."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.organisations import region_named
from accounts.api.pagination import Pages
from accounts.api.resource import Resource, acts, creates, lists, named, reads
from accounts.api.shapes import Choice, Flag, Instant, Shape, Text
from accounts.domain.roles import ORGANISATION_ROLES, PLATFORM_ROLES, REGION_ROLES
from accounts.models import Membership, RoleGrant
from accounts.selectors import memberships
from accounts.selectors.organisations import organisation_by_code
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
    "facility": None,
    "instrument": None,
    "granted_at": "2026-03-06T02:00:00Z",
    "granted_by": MANAGER,
    "revoked_at": None,
}


class PersonShape(serializers.Serializer[Any]):
    """A person."""

    id = serializers.UUIDField()
    name = serializers.CharField(source="*")


class RoleShape(serializers.Serializer[Any]):
    """A role held for an organisation, for a region and all below it, or for the platform. If `facility` or
    `instrument` is not null, the role is limited to that facility or instrument of the organisation.
    `granted_by` is null if the platform itself granted it."""

    id = serializers.UUIDField()
    user = PersonShape()
    role = serializers.CharField()
    organisation = serializers.CharField(source="organisation.code", allow_null=True)
    region = serializers.CharField(source="region.code", allow_null=True)
    facility = serializers.UUIDField(source="facility_id", allow_null=True)
    instrument = serializers.UUIDField(source="instrument_id", allow_null=True)
    granted_at = Instant()
    granted_by = PersonShape(allow_null=True)
    revoked_at = Instant(allow_null=True)


class MembershipShape(serializers.Serializer[Any]):
    """A person's place in an organisation, with the roles they hold there. Ended memberships stay on
    record."""

    id = serializers.UUIDField()
    user = PersonShape()
    organisation = serializers.CharField(source="organisation.code")
    roles = RoleShape(many=True, source="held")
    started_at = Instant()
    ended_at = Instant(allow_null=True)


class MembershipQuery(Pages):
    organisation = Text(30, default="", help_text="Code of the organisation.")
    user = Text(254, default="", help_text="The person's id or e-mail address.")
    q = Text(100, default="", help_text="Any part of the person's name or e-mail address.")
    active = Flag(default=True, help_text="Only present ones; 0: all that ever were.")


class RoleQuery(Pages):
    organisation = Text(30, default="", help_text="Code of the organisation.")
    user = Text(254, default="", help_text="The person's id or e-mail address.")
    role = Choice(ROLES, required=False)


class RoleBody(Shape):
    """Name an organisation for `researcher`, `manager`, `operator` and `finance`, a region for `coordinator`
    and `auditor`, neither for `administrator`. `manager` and `operator` may be limited to a facility or an
    instrument of the organisation."""

    user = Text(254, help_text="Id or e-mail address of the person.")
    role = Choice(ROLES)
    organisation = Text(30, required=False, allow_null=True, help_text="Code of the organisation.")
    region = Text(40, required=False, allow_null=True, help_text="Code of the region.")
    facility = serializers.UUIDField(
        required=False, allow_null=True, help_text="Id of the facility it is limited to."
    )
    instrument = serializers.UUIDField(
        required=False, allow_null=True, help_text="Id of the instrument it is limited to."
    )


class TakeBody(Shape):
    reason = Text(500, default="", allow_blank=True, help_text="Required unless you give up your own role.")


class Memberships(Resource):
    at, key, tag = "memberships/", "membership_id", TAG
    name, many = "membership", "memberships"
    shape, order = MembershipShape, ("started_at", "id")
    needs_person = True

    def visible(self, pk: UUID) -> Membership:
        return memberships.membership_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        return memberships.with_roles(rows)

    @lists(_("Memberships"), MembershipQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[Membership]:
        """List your own memberships; managers also see those of their organisation, auditors those of their
        regions, administrators all."""
        rows = memberships.memberships_for(self.actor)
        if query["active"]:
            rows = rows.filter(ended_at=None)
        if query["organisation"]:
            rows = rows.filter(organisation__code=query["organisation"])
        if query["q"]:
            rows = memberships.of_people(rows, query["q"])
        return rows.filter(user=person_named(query["user"])) if query["user"] else rows

    @reads(_("A membership"))
    def detail(self, pk: UUID) -> None:
        """Return a membership, to the member and to those who may see the organisation's people."""


class Roles(Resource):
    at, key, name, many, tag = "roles/", "role_id", "role", "roles", TAG
    shape, order = RoleShape, ("granted_at", "id")
    needs_person = True

    def visible(self, pk: UUID) -> RoleGrant:
        return memberships.grant_by_id(self.actor, pk)

    @lists(_("Roles"), RoleQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[RoleGrant]:
        """List the roles in force: your own; managers also see those at their organisation, auditors those in
        their regions, administrators all."""
        rows = memberships.grants_for(self.actor)
        if query["organisation"]:
            rows = rows.filter(organisation__code=query["organisation"])
        if query["user"]:
            rows = rows.filter(user=person_named(query["user"]))
        return rows.filter(role=query["role"]) if "role" in query else rows

    @creates(
        _("Grant a role"),
        RoleBody,
        named="_grant",
        refuses=[409, 422],
        sends={"user": "wang.li@example.org", "role": "finance", "organisation": "hefei-materials"},
        answers=ROLE | {"role": "finance"},
    )
    def grant(self, data: dict[str, Any]) -> UUID:
        """Grant a role. Managers grant the roles of their organisation to its members, administrators all
        roles; nobody grants a role to themselves. 409 `member-first` if the person is not a member, whether
        or not they have an account: invite them. 422 `duties-conflict` if the role and another of the person
        exclude one another: an auditor must not be an administrator, nor manager, finance or coordinator of
        what they audit. If the person holds the role already, it is returned unchanged."""
        if data.get("organisation"):
            data["organisation"] = named("organisation", organisation_by_code, data["organisation"])
        if data.get("region"):
            data["region"] = region_named(data["region"])
        return role_grant(self.by, **data | {"user": person_named(data["user"])}).pk

    @reads(_("A role"), answers=ROLE)
    def detail(self, pk: UUID) -> None:
        """Return a role while it is in force."""

    @acts(
        _("Remove a role"),
        TakeBody,
        versioned=False,
        sends={"reason": "Left the group"},
        answers=ROLE | {"revoked_at": "2026-09-01T01:30:00Z"},
    )
    def revoke(self, pk: UUID, data: dict[str, Any]) -> RoleGrant:
        """Revoke a role; it ends at once. Those who may grant it must give a reason; anybody may give up a
        role of their own. 409 for the last manager of an organisation and the last administrator."""
        return role_revoke(self.by, grant_id=pk, **data)
