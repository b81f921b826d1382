"""Ways into an organisation: invitations, requests to join, mail domains."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api import shapes
from accounts.api.memberships import MANAGER, PERSON, TAG, MembershipShape, PersonShape
from accounts.api.pagination import Pages
from accounts.api.resource import OnPage, Resource, acts, creates, lists, named, reads, removes
from accounts.domain import joining as rules
from accounts.models import Invitation, JoinRequest, Membership, Organisation
from accounts.permissions import require
from accounts.selectors.joining import invitation_by_token, invitations_for, join_requests_for
from accounts.selectors.memberships import membership_by_id, organisation_to_read, place_of, with_roles
from accounts.selectors.organisations import organisation_by_code
from accounts.selectors.rows import visible
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
    """An invitation by mail address. The token that its mail contains is not given here."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    email = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())
    state = serializers.ChoiceField(INVITATION_STATES)
    invited_by = PersonShape()
    created_at = shapes.Instant()
    expires_at = shapes.Instant()
    accepted_at = shapes.Instant(allow_null=True)


class JoinRequestShape(serializers.Serializer[Any]):
    """A request to join an organisation. `by_mail`: a confirmed address of the person belongs to a mail
    domain of the organisation. `reason`: why the request was declined."""

    id = serializers.UUIDField()
    user = PersonShape()
    organisation = serializers.CharField(source="organisation.code")
    text = serializers.CharField()
    by_mail = serializers.BooleanField()
    state = serializers.ChoiceField(JoinRequest.State.choices)
    created_at = shapes.Instant()
    decided_by = PersonShape(allow_null=True)
    decided_at = shapes.Instant(allow_null=True)
    reason = shapes.TextOrNull()


class JoiningShape(serializers.Serializer[Any]):
    """Rules by which people join an organisation without an invitation."""

    mail_domains = serializers.ListField(child=serializers.CharField())
    admits_by_mail = serializers.BooleanField()


class InvitationBody(shapes.Shape):
    organisation = shapes.Text(30, help_text="Code of the organisation.")
    email = shapes.Text(254)
    roles = shapes.ListOf(child=shapes.Choice(rules.ROLES), default=["researcher"])
    days = shapes.Whole(
        min_value=1,
        max_value=rules.LONGEST.days,
        default=rules.USUAL.days,
        help_text="For how many days the invitation is valid.",
    )


class AcceptBody(shapes.Shape):
    """The token is the part of the link in the mail between `/invitations/` and the last slash."""

    token = shapes.Text(100)


class InvitationQuery(Pages):
    organisation = shapes.Text(30, default="", help_text="Code of the organisation.")


class JoinBody(shapes.Shape):
    organisation = shapes.Text(30, help_text="Code of the organisation.")
    text = shapes.Text(
        rules.MOST_TEXT,
        default="",
        allow_blank=True,
        help_text="A message for the managers of the organisation.",
    )


class JoinQuery(Pages):
    organisation = shapes.Text(30, default="", help_text="Code of the organisation.")
    state = shapes.Choice(JoinRequest.State.choices, required=False)


class ApproveBody(shapes.Shape):
    roles = shapes.ListOf(child=shapes.Choice(rules.ROLES), default=["researcher"])


class JoiningBody(shapes.Shape):
    mail_domains = shapes.ListOf(
        child=shapes.Text(100), help_text="Domains such as example.edu; their subdomains count as well."
    )
    admits_by_mail = shapes.Flag(
        help_text="Whether a confirmed address there makes a person a member and researcher without approval."
    )


class Invitations(Resource):
    at, key, tag = "invitations/", "invitation_id", TAG
    name, many = "invitation", "invitations"
    shape, order = InvitationShape, ("created_at", "id")
    needs_person = True

    def visible(self, pk: UUID) -> Invitation:
        return visible(invitations_for(self.actor, self.now), pk=pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        for row in rows:
            row.state = "expired" if row.expires_at <= self.now else "open"
            if row.withdrawn_at:
                row.state = "withdrawn"
            elif row.accepted_at:
                row.state = "accepted"
        return rows

    @lists(_("Invitations"), InvitationQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[Invitation]:
        """List the invitations to you; managers see all invitations of their organisation."""
        rows = invitations_for(self.actor, self.now)
        code = query["organisation"]
        return rows.filter(organisation__code=code) if code else rows

    @creates(
        _("Invite somebody"),
        InvitationBody,
        named="_send",
        refuses=[409],
        sends={
            "organisation": "hefei-materials",
            "email": "wang.li@example.org",
            "roles": ["researcher"],
            "days": 14,
        },
        answers=INVITATION,
    )
    def send(self, data: dict[str, Any]) -> Invitation:
        """Invite a mail address, as a manager of the organisation. The mail leaves at once. An open
        invitation to the same address is replaced. The invitation can be used once, by a person who has
        confirmed the address."""
        data["organisation"] = named("organisation", organisation_by_code, data["organisation"])
        return invitation_send(self.by, lifetime=timedelta(days=data.pop("days")), **data)

    @acts(
        _("Accept an invitation by its token"),
        AcceptBody,
        below="*accept",
        address="api-invitation-accept-token",
        named="_accept_token",
        gives=MembershipShape,
        refuses=[404, 409, 422],
        versioned=False,
    )
    def accept_token(self, data: dict[str, Any]) -> Membership:
        """Accept an invitation by the token in its mail. The person must have confirmed the address that the
        mail went to."""
        return self._joined(invitation_by_token(data["token"]))

    @reads(_("An invitation"), answers=INVITATION)
    def detail(self, pk: UUID) -> None:
        """Return an invitation, to managers of the organisation and the person invited."""

    @removes(_("Withdraw an invitation"), named="_withdraw", refuses=[404, 409])
    def withdraw(self, pk: UUID) -> None:
        """Withdraw an invitation, as a manager of the organisation; its link stops working."""
        invitation_withdraw(self.by, invitation_id=pk)

    @acts(
        _("Accept an invitation"),
        shapes.Nothing,
        gives=MembershipShape,
        refuses=[404, 409, 422],
        versioned=False,
    )
    def accept(self, pk: UUID, data: dict[str, Any]) -> Membership:
        """Accept an invitation that was sent to one of your confirmed addresses."""
        return self._joined(self.visible(pk))

    def _joined(self, row: Invitation) -> Membership:
        membership = invitation_accept(self.by, invitation_id=row.pk)
        return with_roles([membership_by_id(self.actor, membership.pk)])[0]


class JoinRequests(Resource):
    at, key, tag = "join-requests/", "request_id", TAG
    name, many = "join_request", "join_requests"
    shape, order = JoinRequestShape, ("created_at", "id")
    needs_person, page_at, page_name = True, "organisations/requests/", "join"

    def visible(self, pk: UUID) -> JoinRequest:
        return visible(join_requests_for(self.actor), pk=pk)

    @lists(_("Requests to join"), JoinQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[JoinRequest]:
        """List your own requests to join; managers also see the requests to their organisation."""
        rows = join_requests_for(self.actor)
        if query["organisation"]:
            rows = rows.filter(organisation__code=query["organisation"])
        return rows.filter(state=query["state"]) if "state" in query else rows

    @creates(
        _("Ask to join"),
        JoinBody,
        named="join_ask",
        refuses=[409],
        sends={"organisation": "hefei-materials", "text": REQUEST["text"]},
        answers=REQUEST,
    )
    def ask(self, data: dict[str, Any]) -> JoinRequest:
        """Ask to become a member. The request is approved at once if a confirmed address of the person
        belongs to a mail domain of the organisation and the organisation admits people by mail domain;
        otherwise its managers decide."""
        organisation = named("organisation", organisation_by_code, data["organisation"])
        return join_ask(self.by, **data | {"organisation": organisation})

    @reads(_("A request to join"), answers=REQUEST)
    def detail(self, pk: UUID) -> None:
        """Return a request to join, to the person who asked and the managers of the organisation."""

    @OnPage("accounts:organisations", _("Withdraw"), _("Your request is withdrawn."), of="")
    @removes(_("Withdraw your request"), named="join_withdraw", refuses=[404, 409])
    def withdraw(self, pk: UUID) -> None:
        """Withdraw your own request to join an organisation."""
        join_withdraw(self.by, request_id=pk)

    @OnPage("accounts:members", done=_("The applicant is a member now."), of="organisation_id")
    @acts(
        _("Accept a request to join"),
        ApproveBody,
        named="join_approve",
        gives=JoinRequestShape,
        refuses=[404, 409, 422],
        versioned=False,
        sends={"roles": ["researcher"]},
        answers=REQUEST | {"state": "approved", "decided_by": MANAGER, "decided_at": "2026-03-06T03:00:00Z"},
    )
    def approve(self, pk: UUID, data: dict[str, Any]) -> JoinRequest:
        """Approve a request to join, as a manager of the organisation; the person becomes a member with these
        roles."""
        return self._decided(pk, approve=True, **data)

    @OnPage("accounts:members", done=_("The request is declined."), of="organisation_id")
    @acts(
        _("Decline a request to join"),
        shapes.ReasonBody,
        named="join_reject",
        gives=JoinRequestShape,
        versioned=False,
        sends={"reason": "Not one of ours"},
        answers=REQUEST
        | {
            "state": "rejected",
            "decided_by": MANAGER,
            "decided_at": "2026-03-06T03:00:00Z",
            "reason": "Not one of ours",
        },
    )
    def reject(self, pk: UUID, data: dict[str, Any]) -> JoinRequest:
        """Decline a request to join, as a manager of the organisation, with a reason that the person
        reads."""
        return self._decided(pk, approve=False, **data)

    def _decided(self, pk: UUID, **decision: Any) -> JoinRequest:
        join_decide(self.by, request_id=pk, **decision)
        return self.visible(pk)


class OrganisationJoining(Resource):
    at, key, name, tag = "organisations/", "organisation_id", "organisation", TAG
    shape = JoiningShape
    needs_person = True

    def visible(self, pk: UUID) -> Organisation:
        organisation = organisation_to_read(self.actor, pk)
        require(self.actor, "manage-members", place_of(organisation))
        return organisation

    @reads(_("Who may join"), "joining")
    def joining(self, pk: UUID) -> None:
        """Return the rules by which people join an organisation. Only its managers may read this."""

    @acts(
        _("Set who may join"),
        JoiningBody,
        "put",
        "joining",
        named="_joining_set",
        refuses=[404],
        once=False,
        sends={"mail_domains": ["example.edu"], "admits_by_mail": True},
        answers={"mail_domains": ["example.edu"], "admits_by_mail": True},
    )
    def joining_set(self, pk: UUID, data: dict[str, Any]) -> Organisation:
        """Set the rules by which people join an organisation. Only its managers may do this. Domains where
        anybody can get an address are refused."""
        return joining_set(self.by, organisation=self.visible(pk), **data)
