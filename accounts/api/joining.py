"""Ways into an organisation: invitations, requests to join, mail domains."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.memberships import (
    MANAGER,
    PERSON,
    TAG,
    MembershipShape,
    PersonShape,
    memberships_json,
    organisation_named,
    person_json,
)
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import (
    Choice,
    Flag,
    Instant,
    ListOf,
    Nothing,
    ReasonBody,
    Shape,
    Text,
    Whole,
    asked,
    checked,
    rfc3339,
)
from accounts.api.versions import etag, expected_version, require_version
from accounts.domain import joining as rules
from accounts.domain.errors import NotFound
from accounts.models import Invitation, JoinRequest, Membership, Organisation
from accounts.permissions import require
from accounts.selectors.joining import (
    invitation_by_token,
    invitations_for,
    join_requests_for,
)
from accounts.selectors.memberships import membership_by_id, organisation_to_read, place_of
from accounts.services.invitations import invitation_accept, invitation_send, invitation_withdraw
from accounts.services.joining import join_ask, join_decide, join_withdraw, joining_set

INVITATION = {
    "id": "0197a1de-0000-7000-8000-000000000006",
    "organisation": "hefei-materials",
    "email": "wang.li@example.org",
    "roles": ["researcher"],
    "state": "open",
    "invited_by": MANAGER,
    "created_at": "2026-03-06T02:00:00Z",
    "expires_at": "2026-03-20T02:00:00Z",
    "accepted_at": None,
}
REQUEST = {
    "id": "0197a1de-0000-7000-8000-000000000007",
    "user": PERSON,
    "organisation": "hefei-materials",
    "text": "Group of Prof. Li",
    "by_mail": False,
    "state": "requested",
    "created_at": "2026-03-06T02:00:00Z",
    "decided_by": None,
    "decided_at": None,
    "reason": None,
}
INVITATION_STATES = ("open", "expired", "accepted", "withdrawn")


class InvitationShape(serializers.Serializer[Any]):
    """An invitation by mail address. What its mail opens is not to be had here."""

    id = serializers.UUIDField()
    organisation = serializers.CharField()
    email = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())
    state = serializers.ChoiceField(INVITATION_STATES)
    invited_by = PersonShape()
    created_at = Instant()
    expires_at = Instant()
    accepted_at = Instant(allow_null=True)


class JoinRequestShape(serializers.Serializer[Any]):
    """`by_mail`: a confirmed address of the person belongs to a mail domain of the organisation.
    `reason` is why it was declined."""

    id = serializers.UUIDField()
    user = PersonShape()
    organisation = serializers.CharField()
    text = serializers.CharField()
    by_mail = serializers.BooleanField()
    state = serializers.ChoiceField(JoinRequest.State.choices)
    created_at = Instant()
    decided_by = PersonShape(allow_null=True)
    decided_at = Instant(allow_null=True)
    reason = serializers.CharField(allow_null=True)


class JoiningShape(serializers.Serializer[Any]):
    """Who may join without an invitation."""

    mail_domains = serializers.ListField(child=serializers.CharField())
    admits_by_mail = serializers.BooleanField()


class InvitationBody(Shape):
    organisation = Text(30, help_text="Its code.")
    email = Text(254)
    roles = ListOf(child=Choice(rules.ROLES), default=["researcher"])
    days = Whole(
        min_value=1,
        max_value=rules.LONGEST.days,
        default=rules.USUAL.days,
        help_text="For how long it stands.",
    )


class AcceptBody(Shape):
    """What the mail has between `/invitations/` and the last slash."""

    token = Text(100)


class InvitationQuery(Pages):
    organisation = Text(30, default="", help_text="Its code.")


class JoinBody(Shape):
    organisation = Text(30, help_text="Its code.")
    text = Text(rules.MOST_TEXT, default="", allow_blank=True, help_text="Its managers read it.")


class JoinQuery(Pages):
    organisation = Text(30, default="", help_text="Its code.")
    state = Choice(JoinRequest.State.choices, required=False)


class ApproveBody(Shape):
    roles = ListOf(child=Choice(rules.ROLES), default=["researcher"])


class JoiningBody(Shape):
    mail_domains = ListOf(child=Text(100), help_text="Such as example.edu; those below it count.")
    admits_by_mail = Flag(
        help_text="Whether a confirmed address there makes a member and researcher unasked."
    )


class InvitationEndpoint(Endpoint):
    needs_person = True

    def shown(self, row: Invitation) -> dict[str, Any]:
        state = "expired" if row.expires_at <= self.now else "open"
        if row.withdrawn_at:
            state = "withdrawn"
        elif row.accepted_at:
            state = "accepted"
        return {
            "id": str(row.pk),
            "organisation": row.organisation.code,
            "email": row.email,
            "roles": row.roles,
            "state": state,
            "invited_by": person_json(row.invited_by),
            "created_at": rfc3339(row.created_at),
            "expires_at": rfc3339(row.expires_at),
            "accepted_at": rfc3339(row.accepted_at) if row.accepted_at else None,
        }

    def found(self, invitation_id: UUID) -> Invitation:
        row = invitations_for(self.actor, self.now).filter(pk=invitation_id).first()
        if row is None:
            raise NotFound
        return row

    def joined(self, membership: Membership) -> Response:
        return Response(memberships_json([membership_by_id(self.actor, membership.pk)])[0])


class Invitations(InvitationEndpoint):
    @operation(
        "invitations", _("Invitations"), tag=TAG, query=InvitationQuery, gives=page(InvitationShape)
    )
    def get(self, request: Request) -> Response:
        """Those that wait for the person, and for managers all of their organisation."""
        query = asked(InvitationQuery, request.query_params)
        rows = invitations_for(self.actor, self.now)
        if query["organisation"]:
            rows = rows.filter(organisation__code=query["organisation"])
        return paginated(
            request,
            rows,
            query,
            ("created_at", "id"),
            lambda found: [self.shown(row) for row in found],
        )

    @operation(
        "invitation_send",
        _("Invite somebody"),
        tag=TAG,
        takes=InvitationBody,
        gives=InvitationShape,
        status=201,
        refuses=[409],
        once=True,
        sends={
            "organisation": "hefei-materials",
            "email": "wang.li@example.org",
            "roles": ["researcher"],
            "days": 14,
        },
        answers=INVITATION,
    )
    def post(self, request: Request) -> HttpResponseBase:
        """For managers of the organisation. The mail goes out at once; one that is open for the
        same address is replaced. It opens once, to whoever has confirmed the address."""
        data = checked(InvitationBody, request.data)

        def send() -> Response:
            made = invitation_send(
                actor=self.actor,
                organisation=organisation_named(data["organisation"]),
                email=data["email"],
                roles=data["roles"],
                lifetime=timedelta(days=data["days"]),
                now=self.now,
            )
            headers = {"Location": reverse("api-invitation", kwargs={"invitation_id": made.pk})}
            return Response(self.shown(made), status=201, headers=headers | etag(made.version))

        return self.once(send)


class InvitationDetail(InvitationEndpoint):
    @operation(
        "invitation",
        _("One invitation"),
        tag=TAG,
        gives=InvitationShape,
        refuses=[404],
        answers=INVITATION,
    )
    def get(self, request: Request, invitation_id: UUID) -> Response:
        """For managers of the organisation, and for whom it waits."""
        row = self.found(invitation_id)
        return Response(self.shown(row), headers=etag(row.version))

    @operation(
        "invitation_withdraw",
        _("Withdraw an invitation"),
        tag=TAG,
        gives=None,
        status=204,
        refuses=[404, 409],
        versioned=True,
    )
    def delete(self, request: Request, invitation_id: UUID) -> Response:
        """For managers of the organisation: it opens nothing any more."""
        require_version(request, self.found(invitation_id).version)
        invitation_withdraw(actor=self.actor, invitation_id=invitation_id, now=self.now)
        return Response(status=204)


class InvitationAcceptToken(InvitationEndpoint):
    @operation(
        "invitation_accept_token",
        _("Accept an invitation by its token"),
        tag=TAG,
        takes=AcceptBody,
        gives=MembershipShape,
        refuses=[404, 409, 422],
        once=True,
    )
    def post(self, request: Request) -> HttpResponseBase:
        """With the token of the mail. The person must have confirmed the address it went to."""
        data = checked(AcceptBody, request.data)

        def accept() -> Response:
            row = invitation_by_token(data["token"])
            return self.joined(
                invitation_accept(actor=self.actor, invitation_id=row.pk, now=self.now)
            )

        return self.once(accept)


class InvitationAccept(InvitationEndpoint):
    @operation(
        "invitation_accept",
        _("Accept an invitation"),
        tag=TAG,
        takes=Nothing,
        gives=MembershipShape,
        refuses=[404, 409, 422],
        once=True,
    )
    def post(self, request: Request, invitation_id: UUID) -> HttpResponseBase:
        """One that waits for the person, as the list has it."""
        checked(Nothing, request.data)

        def accept() -> Response:
            row = self.found(invitation_id)
            return self.joined(
                invitation_accept(actor=self.actor, invitation_id=row.pk, now=self.now)
            )

        return self.once(accept)


class JoinRequestEndpoint(Endpoint):
    needs_person = True

    def shown(self, row: JoinRequest) -> dict[str, Any]:
        return {
            "id": str(row.pk),
            "user": person_json(row.user),
            "organisation": row.organisation.code,
            "text": row.text,
            "by_mail": bool(row.by_mail),
            "state": row.state,
            "created_at": rfc3339(row.created_at),
            "decided_by": person_json(row.decided_by) if row.decided_by else None,
            "decided_at": rfc3339(row.decided_at) if row.decided_at else None,
            "reason": row.reason or None,
        }

    def found(self, request_id: UUID) -> JoinRequest:
        row = join_requests_for(self.actor).filter(pk=request_id).first()
        if row is None:
            raise NotFound
        return row


class JoinRequests(JoinRequestEndpoint):
    @operation(
        "join_requests",
        _("Requests to join"),
        tag=TAG,
        query=JoinQuery,
        gives=page(JoinRequestShape),
    )
    def get(self, request: Request) -> Response:
        """One's own, and for managers those to their organisation."""
        query = asked(JoinQuery, request.query_params)
        rows = join_requests_for(self.actor)
        if query["organisation"]:
            rows = rows.filter(organisation__code=query["organisation"])
        if "state" in query:
            rows = rows.filter(state=query["state"])
        return paginated(
            request,
            rows,
            query,
            ("created_at", "id"),
            lambda found: [self.shown(row) for row in found],
        )

    @operation(
        "join_ask",
        _("Ask to join"),
        tag=TAG,
        takes=JoinBody,
        gives=JoinRequestShape,
        status=201,
        refuses=[409],
        once=True,
        sends={"organisation": "hefei-materials", "text": REQUEST["text"]},
        answers=REQUEST,
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Approved at once where a confirmed address of the person belongs to the organisation
        and it says that this is enough; else its managers decide."""
        data = checked(JoinBody, request.data)

        def ask() -> Response:
            made = join_ask(
                actor=self.actor,
                organisation=organisation_named(data["organisation"]),
                text=data["text"],
                now=self.now,
            )
            headers = {"Location": reverse("api-join-request", kwargs={"request_id": made.pk})}
            return Response(self.shown(made), status=201, headers=headers | etag(made.version))

        return self.once(ask)


class JoinRequestDetail(JoinRequestEndpoint):
    @operation(
        "join_request",
        _("One request to join"),
        tag=TAG,
        gives=JoinRequestShape,
        refuses=[404],
        answers=REQUEST,
    )
    def get(self, request: Request, request_id: UUID) -> Response:
        """For whoever asks, and for managers of the organisation."""
        row = self.found(request_id)
        return Response(self.shown(row), headers=etag(row.version))

    @operation(
        "join_withdraw",
        _("Withdraw one's request"),
        tag=TAG,
        gives=None,
        status=204,
        refuses=[404, 409],
        versioned=True,
    )
    def delete(self, request: Request, request_id: UUID) -> Response:
        """For whoever asked."""
        require_version(request, self.found(request_id).version)
        join_withdraw(actor=self.actor, request_id=request_id, now=self.now)
        return Response(status=204)


class JoinApprove(JoinRequestEndpoint):
    @operation(
        "join_approve",
        _("Accept a request to join"),
        tag=TAG,
        takes=ApproveBody,
        gives=JoinRequestShape,
        refuses=[404, 409, 422],
        once=True,
        sends={"roles": ["researcher"]},
        answers=REQUEST
        | {"state": "approved", "decided_by": MANAGER, "decided_at": "2026-03-06T03:00:00Z"},
    )
    def post(self, request: Request, request_id: UUID) -> HttpResponseBase:
        """For managers of the organisation: the person is a member with these roles."""
        data = checked(ApproveBody, request.data)

        def approve() -> Response:
            self.found(request_id)
            join_decide(
                actor=self.actor,
                request_id=request_id,
                approve=True,
                roles=data["roles"],
                now=self.now,
            )
            return Response(self.shown(self.found(request_id)))

        return self.once(approve)


class JoinReject(JoinRequestEndpoint):
    @operation(
        "join_reject",
        _("Decline a request to join"),
        tag=TAG,
        takes=ReasonBody,
        gives=JoinRequestShape,
        refuses=[404, 409],
        once=True,
        sends={"reason": "Not one of ours"},
        answers=REQUEST
        | {
            "state": "rejected",
            "decided_by": MANAGER,
            "decided_at": "2026-03-06T03:00:00Z",
            "reason": "Not one of ours",
        },
    )
    def post(self, request: Request, request_id: UUID) -> HttpResponseBase:
        """For managers of the organisation, with a reason that the person reads."""
        data = checked(ReasonBody, request.data)

        def reject() -> Response:
            self.found(request_id)
            join_decide(
                actor=self.actor,
                request_id=request_id,
                approve=False,
                reason=data["reason"],
                now=self.now,
            )
            return Response(self.shown(self.found(request_id)))

        return self.once(reject)


class OrganisationJoining(Endpoint):
    needs_person = True

    @operation(
        "organisation_joining",
        _("Who may join"),
        tag=TAG,
        gives=JoiningShape,
        refuses=[404],
    )
    def get(self, request: Request, organisation_id: UUID) -> Response:
        """For managers of the organisation."""
        organisation = self._managed(organisation_id)
        return Response(_joining(organisation), headers=etag(organisation.version))

    @operation(
        "organisation_joining_set",
        _("Set who may join"),
        tag=TAG,
        takes=JoiningBody,
        gives=JoiningShape,
        refuses=[404],
        versioned=True,
        sends={"mail_domains": ["example.edu"], "admits_by_mail": True},
        answers={"mail_domains": ["example.edu"], "admits_by_mail": True},
    )
    def put(self, request: Request, organisation_id: UUID) -> Response:
        """For managers of the organisation. Domains where anybody gets an address are refused."""
        data = checked(JoiningBody, request.data)
        organisation = joining_set(
            actor=self.actor,
            organisation=self._managed(organisation_id),
            mail_domains=data["mail_domains"],
            admits_by_mail=data["admits_by_mail"],
            now=self.now,
            expected_version=expected_version(request),
        )
        return Response(_joining(organisation), headers=etag(organisation.version))

    def _managed(self, organisation_id: UUID) -> Organisation:
        organisation = organisation_to_read(self.actor, organisation_id)
        require(self.actor, "manage-members", place_of(organisation))
        return organisation


def _joining(organisation: Organisation) -> dict[str, Any]:
    return {
        "mail_domains": organisation.mail_domains,
        "admits_by_mail": organisation.admits_by_mail,
    }
