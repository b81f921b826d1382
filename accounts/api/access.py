"""Requests for a role, made after a page was refused."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api import shapes
from accounts.api.memberships import MANAGER, PERSON, ROLES, TAG, PersonShape
from accounts.api.organisations import region_named
from accounts.api.pagination import Pages
from accounts.api.resource import OnPage, Resource, acts, lists, reads
from accounts.models import AccessRequest
from accounts.selectors.access import access_requests_for
from accounts.selectors.rows import visible
from accounts.services.access import access_decline, access_grant

REQUEST = {
    "id": "0197a1de-0000-7000-8000-000000000008",
    "user": PERSON,
    "organisation": "hefei-materials",
    "capability": "manage-instruments",
    "path": "/requests/",
    "state": "requested",
    "created_at": "2026-03-06T02:00:00Z",
    "role": None,
    "decided_by": None,
    "decided_at": None,
    "reason": None,
}
DECIDED = {"decided_by": MANAGER, "decided_at": "2026-03-06T03:00:00Z"}


class AccessRequestShape(serializers.Serializer[Any]):
    """A request for a role of an organisation; without an organisation, of a region or the platform.
    `capability` is what the refused page at `path` needs, `role` the role that was given, `reason` why the
    request was declined."""

    id = serializers.UUIDField()
    user = PersonShape()
    organisation = serializers.CharField(source="organisation.code", allow_null=True)
    capability = shapes.TextOrNull()
    path = shapes.TextOrNull()
    state = serializers.ChoiceField(AccessRequest.State.choices)
    created_at = shapes.Instant()
    role = shapes.TextOrNull()
    decided_by = PersonShape(allow_null=True)
    decided_at = shapes.Instant(allow_null=True)
    reason = shapes.TextOrNull()


class AccessQuery(Pages):
    state = shapes.Choice(AccessRequest.State.choices, required=False)


class AccessGrantBody(shapes.Shape):
    role = shapes.Choice(ROLES, required=False)
    region = shapes.Text(
        40, required=False, allow_null=True, help_text="Code of the region, for a role of a region."
    )


class AccessRequests(Resource):
    for_persons = True
    at, key, tag = "access-requests/", "request_id", TAG
    name, many = "access_request", "access_requests"
    shape, order = AccessRequestShape, ("created_at", "id")
    needs_person, page_at, page_name = True, "people/access/", "access"

    def visible(self, pk: UUID) -> AccessRequest:
        return visible(access_requests_for(self.actor), pk=pk)

    @lists(_("Requests for a role"), AccessQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[AccessRequest]:
        """List your own requests for a role, and those that you may answer."""
        rows = access_requests_for(self.actor)
        return rows.filter(state=query["state"]) if "state" in query else rows

    @reads(_("A request for a role"), answers=REQUEST)
    def detail(self, pk: UUID) -> None:
        """The person who asked and those who may give the role may read it."""

    @OnPage("bookings:home", done=_("The role is given and takes effect at once."), of="")
    @acts(
        _("Grant a request for a role"),
        AccessGrantBody,
        refuses=[404, 409, 422],
        versioned=False,
        sends={"role": "manager"},
        answers=REQUEST | DECIDED | {"state": "approved", "role": "manager"},
    )
    def grant(self, pk: UUID, data: dict[str, Any]) -> AccessRequest:
        """Give the person one of the roles that carry what they asked for: managers of the organisation the
        roles of theirs, administrators all. Nobody grants their own request. 409 `asker-left` if the person
        no longer belongs where they asked."""
        if data.get("region"):
            data["region"] = region_named(data["region"])
        access_grant(self.by, request_id=pk, **{"role": ""} | data)
        return self.visible(pk)

    @OnPage("bookings:home", done=_("The request is declined."), of="")
    @acts(
        _("Decline a request for a role"),
        shapes.ReasonBody,
        versioned=False,
        sends={"reason": "Your work does not need it."},
        answers=REQUEST | DECIDED | {"state": "rejected", "reason": "Your work does not need it."},
    )
    def decline(self, pk: UUID, data: dict[str, Any]) -> AccessRequest:
        """Decline, with a reason that the person is told."""
        access_decline(self.by, request_id=pk, **data)
        return self.visible(pk)
