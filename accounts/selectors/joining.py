"""Ways into an organisation: what is open, and for whom."""

from dataclasses import dataclass
from datetime import datetime
from statistics import median
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.domain.roles import ADMINISTRATOR, MANAGER, Actor
from accounts.models import Invitation, JoinRequest, Membership, Organisation, RoleGrant
from accounts.selectors.memberships import organisations_of, organisations_to_read
from accounts.selectors.organisations import organisation_requests
from accounts.selectors.rows import visible
from accounts.selectors.secrets import digest_of, link_token
from accounts.selectors.users import confirmed_addresses

MOST_FOUND = 20
# How many answers are looked at to say how long one takes, and how many say nothing yet.
ANSWERS, TOO_FEW = 20, 3


def invitation_token(invitation_id: UUID, digest: bytes | None = None) -> str:
    """Return the token of an invitation, or the one of its digest: made whenever it is needed, so
    that neither the table nor the mail that waits to be sent holds it."""
    return link_token("accounts.invitation", invitation_id, digest)


def invitations() -> QuerySet[Invitation]:
    return Invitation.objects.select_related("organisation__region", "invited_by").order_by(
        "created_at", "id"
    )


def invitation_by_token(token: str) -> Invitation:
    return visible(invitations(), digest=digest_of(token))


def inviter_organisation(invitation: Invitation) -> Organisation | None:
    """Return where the sender belongs: the organisation itself, or another; None for nowhere."""
    rows = Membership.objects.filter(user=invitation.invited_by, ended_at=None)
    own = [row.organisation for row in rows.select_related("organisation").order_by("started_at")]
    return invitation.organisation if invitation.organisation in own else next(iter(own), None)


def open_invitations(organisation: Organisation) -> QuerySet[Invitation]:
    """Return the invitations that nobody has accepted or withdrawn, expired ones included."""
    return invitations().filter(organisation=organisation, accepted_at=None, withdrawn_at=None)


def invitations_for(actor: Actor, now: datetime) -> QuerySet[Invitation]:
    """Return the invitations the actor may see: open ones to their own confirmed addresses, those
    they sent, and those of the organisations whose members they may read."""
    to_me = Q(
        email__in=confirmed_addresses(actor.person),
        accepted_at=None,
        withdrawn_at=None,
        expires_at__gt=now,
    )
    to_me |= Q(invited_by_id=actor.person)
    if _reads_any(actor):
        return invitations().filter(to_me | Q(organisation__in=organisations_to_read(actor)))
    return invitations().filter(to_me)


def own_invitations(actor: Actor, now: datetime) -> QuerySet[Invitation]:
    """Return the invitations that wait for the actor."""
    return invitations().filter(
        email__in=confirmed_addresses(actor.person),
        accepted_at=None,
        withdrawn_at=None,
        expires_at__gt=now,
    )


def join_requests() -> QuerySet[JoinRequest]:
    return JoinRequest.objects.select_related(
        "organisation__region", "user", "decided_by"
    ).order_by("created_at", "id")


def open_requests(organisation: Organisation) -> QuerySet[JoinRequest]:
    """Return the open requests to join, the oldest first."""
    return join_requests().filter(organisation=organisation, state="requested")


def requests_to_decide_on(actor: Actor) -> QuerySet[JoinRequest]:
    """Return the open requests to the organisations whose people the actor manages; to
    administrators those of organisations that have no manager. The oldest first."""
    theirs = Q(organisation__in=actor.organisations_where("manage-members"))
    if actor.has(ADMINISTRATOR):
        managers = RoleGrant.objects.filter(
            organisation=OuterRef("organisation"), role=MANAGER, revoked_at=None
        )
        theirs |= Q(~Exists(managers))
    return join_requests().filter(theirs, state="requested")


def usual_answer(organisation: Organisation) -> int | None:
    """Return how many minutes people of an organisation usually take to decide on a request: half
    of the last were decided within that. None while too few are. One statement."""
    rows = JoinRequest.objects.filter(
        organisation=organisation, state__in=["approved", "rejected"], decided_by__isnull=False
    )
    spans = [
        (decided - created).total_seconds() / 60
        for created, decided in rows.order_by("-decided_at").values_list(
            "created_at", "decided_at"
        )[:ANSWERS]
        if decided
    ]
    return int(median(spans)) if len(spans) >= TOO_FEW else None


@dataclass(frozen=True)
class FirstStep:
    """What somebody does next who cannot book yet: `invited` and `asked` wait for a word of the
    invited and of the organisation, `missing` until the organisation (`name`) is entered,
    `declined` is asked again, `role` is a member without a role, `join` begins."""

    step: str
    organisation: Organisation | None = None
    at: datetime | None = None
    reason: str = ""
    name: str = ""


def first_step_of(actor: Actor, now: datetime) -> FirstStep | None:
    """Return what somebody does next who cannot book yet; None for visitors and for whoever holds a
    role. Three statements at most, for the others only."""
    if not actor.user_id or actor.grants:
        return None
    if actor.organisations:
        return FirstStep("role", organisations_of(actor).first())
    if invited := own_invitations(actor, now).first():
        return FirstStep("invited", invited.organisation, invited.expires_at)
    states = (JoinRequest.State.REQUESTED, JoinRequest.State.REJECTED)
    rows = list(requests_of(actor).filter(state__in=states)[:MOST_FOUND])
    if request := next((row for row in rows if row.state == JoinRequest.State.REQUESTED), None):
        return FirstStep("asked", request.organisation, request.created_at)
    if missing := organisation_requests().filter(user_id=actor.person, state="requested").last():
        return FirstStep("missing", None, missing.created_at, name=missing.name)
    if rows:
        return FirstStep("declined", rows[0].organisation, rows[0].decided_at, rows[0].reason)
    return FirstStep("join")


def requests_of(actor: Actor) -> QuerySet[JoinRequest]:
    """Return the actor's own requests: the open ones and, for organisations that they belong to no
    more or never did, the last words that were said."""
    return join_requests().filter(user_id=actor.person).order_by("-created_at", "-id")


def join_requests_for(actor: Actor) -> QuerySet[JoinRequest]:
    """Return the actor's own requests, and those to the organisations whose members they may
    read."""
    seen = Q(user_id=actor.person)
    if _reads_any(actor):
        seen |= Q(organisation__in=organisations_to_read(actor))
    return join_requests().filter(seen)


def _reads_any(actor: Actor) -> bool:
    return any(actor.has(role) for role in ("manager", "auditor", "administrator"))


def organisations_named(actor: Actor, text: str) -> list[Organisation]:
    """Organisations found by name in either language, code or mail domain, without those the
    actor belongs to."""
    text = text.strip()
    if not text or "\0" in text:
        return []
    fits = (
        Q(name__icontains=text)
        | Q(name_zh__icontains=text)
        | Q(code__icontains=text)
        | Q(mail_domains__contains=[text.lower().removeprefix("@")])
    )
    mine = Membership.objects.filter(user_id=actor.person, ended_at=None)
    rows = Organisation.objects.filter(fits, closed_at=None)
    rows = rows.exclude(pk__in=mine.values("organisation_id"))
    return list(rows.select_related("region").order_by("name")[:MOST_FOUND])


def organisations_by_mail(actor: Actor) -> list[Organisation]:
    """Return the organisations whose mail domain one of the actor's confirmed addresses belongs to,
    without those they belong to."""
    domains = set()
    for address in confirmed_addresses(actor.person):
        parts = address.rpartition("@")[2].split(".")
        domains |= {".".join(parts[n:]) for n in range(len(parts) - 1)}
    if not domains:
        return []
    mine = Membership.objects.filter(user_id=actor.person, ended_at=None)
    rows = Organisation.objects.filter(mail_domains__overlap=sorted(domains), closed_at=None)
    rows = rows.exclude(pk__in=mine.values("organisation_id"))
    return list(rows.select_related("region").order_by("name")[:MOST_FOUND])
