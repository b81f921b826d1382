"""Requests for organisations that are missing."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.memberships import PERSON, PersonShape, organisation_named, person_json
from accounts.api.organisations import OrganisationBody, region_named
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import Choice, Instant, ReasonBody, Shape, Text, asked, checked, rfc3339
from accounts.api.versions import etag, require_version
from accounts.domain.errors import invalid
from accounts.domain.organisations import MOST_REQUEST_TEXT, MOST_TEXT
from accounts.models import Organisation, OrganisationRequest
from accounts.selectors.organisations import (
    likely_same,
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
    """`organisation`: the code of the one that it came to. `likely`, of one request while it is
    open: codes of organisations with its name or ROR identifier."""

    id = serializers.UUIDField()
    user = PersonShape()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    kind = serializers.ChoiceField(Organisation.Kind.choices)
    region = serializers.CharField()
    ror = serializers.CharField()
    text = serializers.CharField()
    state = serializers.ChoiceField(OrganisationRequest.State.choices)
    created_at = Instant()
    organisation = serializers.CharField(allow_null=True)
    decided_by = PersonShape(allow_null=True)
    decided_at = Instant(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    likely = serializers.ListField(child=serializers.CharField(), required=False)


class OrganisationRequestBody(Shape):
    name = Text(MOST_TEXT["name"])
    name_zh = Text(MOST_TEXT["name_zh"], allow_blank=True, default="")
    kind = Choice(Organisation.Kind.choices)
    region = Text(20, help_text="The code of a region that shares.")
    ror = Text(200, allow_blank=True, default="")
    text = Text(MOST_REQUEST_TEXT, allow_blank=True, default="", help_text="Who decides reads it.")


class OrganisationRequestQuery(Pages):
    state = Choice(OrganisationRequest.State.choices, required=False)


class OrganisationApproveBody(Shape):
    """One of the two: `organisation`, the code of one that is there, or `entered`, one to enter
    as `POST organisations/` does; what that leaves out is taken from the request."""

    organisation = Text(30, required=False)
    entered = serializers.DictField(required=False)


class RequestEndpoint(Endpoint):
    needs_person = True

    def one(self, request_id: UUID, status: int = 200) -> Response:
        row = organisation_request_by_id(self.actor, request_id)
        content = request_json(row)
        if row.state == OrganisationRequest.State.REQUESTED:
            alike = likely_same(row.name, row.name_zh, row.ror)
            content["likely"] = [one.code for one in alike]
        headers = etag(row.version)
        if status == 201:
            headers["Location"] = reverse("api-organisation-request", kwargs={"request_id": row.pk})
        return Response(content, status=status, headers=headers)


def request_json(row: OrganisationRequest) -> dict[str, Any]:
    names = ("name", "name_zh", "kind", "ror", "text", "state")
    return {
        "id": str(row.pk),
        "user": person_json(row.user),
        **{name: getattr(row, name) for name in names},
        "region": row.region.code,
        "created_at": rfc3339(row.created_at),
        "organisation": row.organisation.code if row.organisation else None,
        "decided_by": person_json(row.decided_by) if row.decided_by else None,
        "decided_at": rfc3339(row.decided_at) if row.decided_at else None,
        "reason": row.reason or None,
    }


class OrganisationRequests(RequestEndpoint):
    @operation(
        "organisation_requests",
        _("Requests for organisations"),
        tag=TAG,
        query=OrganisationRequestQuery,
        gives=page(OrganisationRequestShape),
    )
    def get(self, request: Request) -> Response:
        """One's own; for coordinators those for their regions, for administrators all."""
        query = asked(OrganisationRequestQuery, request.query_params)
        rows = organisation_requests_for(self.actor)
        if "state" in query:
            rows = rows.filter(state=query["state"])
        return paginated(
            request,
            rows,
            query,
            ("created_at", "id"),
            lambda found: [request_json(row) for row in found],
        )

    @operation(
        "organisation_ask",
        _("Ask for an organisation"),
        tag=TAG,
        takes=OrganisationRequestBody,
        gives=OrganisationRequestShape,
        status=201,
        refuses=[409],
        once=True,
        sends={
            "name": "Third University",
            "kind": "university",
            "region": "CN-AH",
            "text": REQUEST["text"],
        },
        answers=REQUEST,
    )
    def post(self, request: Request) -> HttpResponseBase:
        """For anybody whose organisation is missing. Who coordinates the region decides; approved,
        the person is a member and researcher there."""
        data = checked(OrganisationRequestBody, request.data)

        def ask() -> Response:
            region = region_named(data.pop("region"))
            made = organisation_ask(actor=self.actor, region=region, now=self.now, **data)
            return self.one(made.pk, 201)

        return self.once(ask)


class OrganisationRequestDetail(RequestEndpoint):
    @operation(
        "organisation_request",
        _("One request for an organisation"),
        tag=TAG,
        gives=OrganisationRequestShape,
        refuses=[404],
        answers=REQUEST,
    )
    def get(self, request: Request, request_id: UUID) -> Response:
        """For whoever asks, and for who decides."""
        return self.one(request_id)

    @operation(
        "organisation_request_withdraw",
        _("Withdraw one's request for an organisation"),
        tag=TAG,
        gives=None,
        status=204,
        refuses=[404, 409],
        versioned=True,
    )
    def delete(self, request: Request, request_id: UUID) -> Response:
        """For whoever asks, while it is open."""
        require_version(request, organisation_request_by_id(self.actor, request_id).version)
        organisation_request_withdraw(actor=self.actor, request_id=request_id, now=self.now)
        return Response(status=204)


class OrganisationRequestApprove(RequestEndpoint):
    @operation(
        "organisation_approve",
        _("Approve a request for an organisation"),
        tag=TAG,
        takes=OrganisationApproveBody,
        gives=OrganisationRequestShape,
        refuses=[404, 409, 422],
        versioned=True,
        once=True,
        sends={"entered": {"code": "hefei-materials"}},
        answers=REQUEST | {"state": "approved", "organisation": "hefei-materials"},
    )
    def post(self, request: Request, request_id: UUID) -> HttpResponseBase:
        """For coordinators of its region, and administrators; nobody decides on their own. Enters
        the organisation, or names one that is there."""
        data = checked(OrganisationApproveBody, request.data)
        if ("organisation" in data) == ("entered" in data):
            raise invalid("organisation", "one-of-both")

        def approve() -> Response:
            row = organisation_request_by_id(self.actor, request_id)
            require_version(request, row.version)
            if "entered" in data:
                said = {"name": row.name, "name_zh": row.name_zh, "kind": row.kind, "ror": row.ror}
                body = said | {"region": row.region.code} | data["entered"]
                values = checked(OrganisationBody, body)
                values["region"] = region_named(values["region"])
                way: dict[str, Any] = {"entered": values}
            else:
                way = {"organisation": organisation_named(data["organisation"])}
            organisation_approve(actor=self.actor, request_id=request_id, now=self.now, **way)
            return self.one(request_id)

        return self.once(approve)


class OrganisationRequestReject(RequestEndpoint):
    @operation(
        "organisation_reject",
        _("Decline a request for an organisation"),
        tag=TAG,
        takes=ReasonBody,
        gives=OrganisationRequestShape,
        refuses=[404, 409],
        versioned=True,
        once=True,
        sends={"reason": "It is a part of the First University: join that."},
        answers=REQUEST | {"state": "rejected"},
    )
    def post(self, request: Request, request_id: UUID) -> HttpResponseBase:
        """For who may approve it, with a reason that the person reads."""
        data = checked(ReasonBody, request.data)

        def reject() -> Response:
            row = organisation_request_by_id(self.actor, request_id)
            require_version(request, row.version)
            organisation_reject(
                actor=self.actor, request_id=request_id, reason=data["reason"], now=self.now
            )
            return self.one(request_id)

        return self.once(reject)
