"""Requests to enter an organisation that is missing from the platform."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.memberships import PERSON, PersonShape
from accounts.api.organisations import OrganisationBody, region_named
from accounts.api.pagination import Pages
from accounts.api.resource import Resource, acts, creates, lists, named, reads, removes
from accounts.api.shapes import Choice, Instant, ObjectOf, ReasonBody, Shape, Text, TextOrNull, checked
from accounts.domain.errors import invalid
from accounts.domain.organisations import MOST_REQUEST_TEXT, MOST_TEXT
from accounts.models import Organisation, OrganisationRequest
from accounts.selectors.organisations import (
    likely_same,
    organisation_by_code,
    organisation_request_by_id,
    organisation_requests_for,
)
from accounts.services.organisation_requests import (
    organisation_approve,
    organisation_ask,
    organisation_reject,
    organisation_request_withdraw,
)

TAG = "people"
REQUEST: dict[str, Any] = {
    "id": "0197a1de-0000-7000-8000-000000000013",
    "user": PERSON,
    "name": "Third University",
    "name_zh": "第三大学",
    "kind": "university",
    "region": "CN-AH",
    "ror": "",
    "text": "I work in its department of physics.",
    "state": "requested",
    "created_at": "2026-03-06T02:00:00Z",
    "organisation": None,
    "decided_by": None,
    "decided_at": None,
    "reason": None,
    "likely": [],
}


class OrganisationRequestShape(serializers.Serializer[Any]):
    """A request. `organisation` is the code of the organisation that was entered or named in answer. `likely`
    is given for a single open request: the codes of organisations with the same name or ROR identifier."""

    id = serializers.UUIDField()
    user = PersonShape()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    kind = serializers.ChoiceField(Organisation.Kind.choices)
    region = serializers.CharField(source="region.code")
    ror = serializers.CharField()
    text = serializers.CharField()
    state = serializers.ChoiceField(OrganisationRequest.State.choices)
    created_at = Instant()
    organisation = serializers.CharField(source="organisation.code", allow_null=True)
    decided_by = PersonShape(allow_null=True)
    decided_at = Instant(allow_null=True)
    reason = TextOrNull()
    likely = serializers.ListField(child=serializers.CharField(), required=False)


class OrganisationRequestBody(Shape):
    name = Text(MOST_TEXT["name"])
    name_zh = Text(MOST_TEXT["name_zh"], allow_blank=True, default="")
    kind = Choice(Organisation.Kind.choices)
    region = Text(20, help_text="The code of a region that shares.")
    ror = Text(200, allow_blank=True, default="")
    text = Text(
        MOST_REQUEST_TEXT,
        allow_blank=True,
        default="",
        help_text="A message for those who decide on the request.",
    )


class OrganisationRequestQuery(Pages):
    state = Choice(OrganisationRequest.State.choices, required=False)


class OrganisationApproveBody(Shape):
    """Give one of the two: `organisation`, the code of an existing organisation, or `entered`, an
    organisation to enter as in `POST organisations/`, whose missing fields are taken from the request."""

    organisation = Text(30, required=False)
    entered = ObjectOf(required=False)


class OrganisationRequests(Resource):
    for_persons = True
    at, key, tag = "organisation-requests/", "request_id", TAG
    name, many = "organisation_request", "organisation_requests"
    shape, order = OrganisationRequestShape, ("created_at", "id")
    needs_person = True

    def visible(self, pk: UUID) -> OrganisationRequest:
        return organisation_request_by_id(self.actor, pk)

    def one(self, what: Any, status: int = 200) -> Response:
        row = self.visible(what)
        if row.state == OrganisationRequest.State.REQUESTED:
            alike = likely_same(row.name, row.name_zh, row.ror)
            row.likely = [each.code for each in alike]  # type: ignore[attr-defined]
        return super().one(row, status)

    @lists(_("Requests for organisations"), OrganisationRequestQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[OrganisationRequest]:
        """List your own requests; coordinators also see those for their regions, administrators all."""
        rows = organisation_requests_for(self.actor)
        return rows.filter(state=query["state"]) if "state" in query else rows

    @creates(
        _("Ask for an organisation"),
        OrganisationRequestBody,
        named="organisation_ask",
        refuses=[409],
        sends={"name": "Third University", "kind": "university", "region": "CN-AH", "text": REQUEST["text"]},
        answers=REQUEST,
    )
    def ask(self, data: dict[str, Any]) -> UUID:
        """Ask for an organisation that is missing to be entered; anybody may. The region's coordinators
        decide; once approved, the person is a member and researcher there."""
        return organisation_ask(self.by, **data | {"region": region_named(data["region"])}).pk

    @reads(_("A request for an organisation"), answers=REQUEST)
    def detail(self, pk: UUID) -> None:
        """Return a request for an organisation, to the person who asked and those who decide."""

    @removes(_("Withdraw one's request for an organisation"), named="_withdraw", refuses=[404, 409])
    def withdraw(self, pk: UUID) -> None:
        """Withdraw your own request for an organisation, while it is open."""
        organisation_request_withdraw(self.by, request_id=pk)

    @acts(
        _("Approve a request for an organisation"),
        OrganisationApproveBody,
        named="organisation_approve",
        refuses=[404, 409, 422],
        sends={"entered": {"code": "hefei-materials"}},
        answers=REQUEST | {"state": "approved", "organisation": "hefei-materials"},
    )
    def approve(self, pk: UUID, data: dict[str, Any]) -> None:
        """Approve a request for an organisation, as a coordinator of the region or an administrator, but
        never your own. You enter the organisation, or name an existing one."""
        if ("organisation" in data) == ("entered" in data):
            raise invalid("organisation", "one-of-both")
        if "entered" in data:
            row = self.visible(pk)
            given = {name: getattr(row, name) for name in ("name", "name_zh", "kind", "ror")}
            body = given | {"region": row.region.code} | data["entered"]
            values = checked(OrganisationBody, body)
            way: dict[str, Any] = {"entered": values | {"region": region_named(values["region"])}}
        else:
            code = data["organisation"]
            way = {"organisation": named("organisation", organisation_by_code, code)}
        organisation_approve(self.by, request_id=pk, **way)

    @acts(
        _("Decline a request for an organisation"),
        ReasonBody,
        named="organisation_reject",
        sends={"reason": "It is a part of the First University: join that."},
        answers=REQUEST | {"state": "rejected"},
    )
    def reject(self, pk: UUID, data: dict[str, Any]) -> None:
        """Decline a request for an organisation, with a reason that the person reads. Whoever may approve it
        may do this."""
        organisation_reject(self.by, request_id=pk, **data)
