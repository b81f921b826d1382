"""Read the invitations and the requests to join that are open, and for whom."""

from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, Func, OuterRef, Q, QuerySet, Value

from accounts.domain.joining import TAG
from accounts.domain.roles import ADMINISTRATOR, MANAGER, Actor
from accounts.models import Invitation, JoinRequest, Membership, Organisation, RoleGrant
from accounts.selectors.memberships import WHOLE, organisations_of, organisations_to_read
from accounts.selectors.organisations import organisation_requests
from accounts.selectors.rows import visible
from accounts.selectors.secrets import digest_of, link_token
from accounts.selectors.users import confirmed_addresses

MOST_FOUND = 20
# How many answers are used for the usual time to answer, and fewer than how many are not enough.
ANSWERS, TOO_FEW = 20, 3


def invitation_token(invitation_id: UUID, digest: bytes | None = None) -> str:
    """Return the token of an invitation: a new one, or the one with the stored digest. It is derived whenever
    it is needed, so that neither the table nor the mail waiting to be sent holds it."""
    return link_token("accounts.invitation", invitation_id, digest)


def invitations() -> QuerySet[Invitation]:
    return Invitation.objects.select_related("organisation__region", "invited_by").order_by(
        "created_at", "id"
    )


def invitation_by_token(token: str) -> Invitation:
    return visible(invitations(), digest=digest_of(token))


def inviter_organisation(invitation: Invitation) -> Organisation | None:
    """Return the organisation that the sender of an invitation belongs to, preferably the one that invites;
    None if they belong to none."""
    rows = Membership.objects.filter(user=invitation.invited_by, ended_at=None)
    own = [row.organisation for row in rows.select_related("organisation").order_by("started_at")]
    return invitation.organisation if invitation.organisation in own else next(iter(own), None)


def open_invitations(organisation: Organisation) -> QuerySet[Invitation]:
    """Return the organisation's invitations that nobody has accepted or withdrawn, including expired ones."""
    return invitations().filter(organisation=organisation, accepted_at=None, withdrawn_at=None)


def sent_since(moment: datetime) -> QuerySet[Any]:
    """Return the invitations sent after a moment, each with its `mailbox`
    (`accounts.domain.joining.mailbox_of`)."""
    mailbox = Func(F("email"), Value(TAG), Value("@"), function="regexp_replace")
    return Invitation.objects.filter(created_at__gt=moment).annotate(mailbox=mailbox)


def invitations_for(actor: Actor, now: datetime) -> QuerySet[Invitation]:
    """Return the invitations the actor may see: open ones to their own confirmed addresses, those
    they sent, and those of the organisations whose members they may read."""
    to_me = Q(
        email__in=confirmed_addresses(actor.person), accepted_at=None, withdrawn_at=None, expires_at__gt=now
    )
    to_me |= Q(invited_by_id=actor.person)
    if _reads_any(actor):
        return invitations().filter(to_me | Q(organisation__in=organisations_to_read(actor)))
    return invitations().filter(to_me)


def own_invitations(actor: Actor, now: datetime) -> QuerySet[Invitation]:
    """Return the open invitations to the actor's confirmed addresses."""
    return invitations().filter(
        email__in=confirmed_addresses(actor.person), accepted_at=None, withdrawn_at=None, expires_at__gt=now
    )


def join_requests() -> QuerySet[JoinRequest]:
    return JoinRequest.objects.select_related("organisation__region", "user", "decided_by").order_by(
        "created_at", "id"
    )


def open_requests(organisation: Organisation) -> QuerySet[JoinRequest]:
    """Return the open requests to join an organisation, the oldest first."""
    return join_requests().filter(organisation=organisation, state="requested")


def requests_to_decide_on(actor: Actor) -> QuerySet[JoinRequest]:
    """Return the open requests to join that the actor may decide on, oldest first: those to organisations
    whose members they manage and, for administrators, those to organisations without a manager."""
    theirs = Q(organisation__in=actor.organisations_where("manage-members"))
    if actor.has(ADMINISTRATOR):
        managers = RoleGrant.objects.filter(
            WHOLE, organisation=OuterRef("organisation"), role=MANAGER, revoked_at=None
        )
        theirs |= Q(~Exists(managers))
    return join_requests().filter(theirs, state="requested")


def usual_answer(organisation: Organisation) -> int | None:
    """Return the median time in minutes in which an organisation's recent requests to join were answered;
    None if too few were. It takes one statement."""
    rows = JoinRequest.objects.filter(
        organisation=organisation, state__in=["approved", "rejected"], decided_by__isnull=False
    )
    spans = [
        (decided - created).total_seconds() / 60
        for created, decided in rows.order_by("-decided_at").values_list("created_at", "decided_at")[:ANSWERS]
        if decided
    ]
    return int(median(spans)) if len(spans) >= TOO_FEW else None


@dataclass(frozen=True)
class FirstStep:
    """The next step of a person who cannot book yet, as `step`: `invited` (an invitation waits for them),
    `asked` (the organisation has yet to answer), `missing` (the organisation `name` has yet to be entered),
    `declined` (they may ask again), `role` (they are a member without a role), `join` (they have done nothing
    yet)."""

    step: str
    organisation: Organisation | None = None
    at: datetime | None = None
    reason: str = ""
    name: str = ""


def first_step_of(actor: Actor, now: datetime) -> FirstStep | None:
    """Return the next step of a person who cannot book yet; None for visitors and for anybody who holds a
    role. It takes at most three statements, and none for those."""
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
    """Return the actor's own requests to join, newest first."""
    return join_requests().filter(user_id=actor.person).order_by("-created_at", "-id")


def join_requests_for(actor: Actor) -> QuerySet[JoinRequest]:
    """Return the actor's own requests to join, and those to the organisations whose members they may read."""
    seen = Q(user_id=actor.person)
    if _reads_any(actor):
        seen |= Q(organisation__in=organisations_to_read(actor))
    return join_requests().filter(seen)


def _reads_any(actor: Actor) -> bool:
    return any(actor.has(role) for role in ("manager", "auditor", "administrator"))


def organisations_named(actor: Actor, text: str) -> list[Organisation]:
    """Return organisations found by name in either language, code or mail domain, except those that the actor
    belongs to."""
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
    """Return the organisations to whose mail domains a confirmed address of the actor belongs, except those
    that the actor is a member of."""
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
