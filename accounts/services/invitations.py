"""Asking somebody in by mail address: once, for a while, for whoever has that address."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.db.models import Q

from accounts import trail
from accounts.domain import joining as rules
from accounts.domain.errors import NotPermitted, WrongState, invalid
from accounts.domain.roles import MANAGER, Actor, By, Place
from accounts.models import Invitation, JoinRequest, Membership, Organisation, User
from accounts.models.keys import new_id
from accounts.notifications import Effect, enqueue
from accounts.permissions import actor_of
from accounts.selectors.joining import invitation_token, open_invitations
from accounts.selectors.memberships import has_manager, is_member, place_of
from accounts.selectors.organisations import require_open
from accounts.selectors.rows import visible
from accounts.selectors.secrets import digest_of
from accounts.selectors.users import confirmed_addresses, user_by_email
from accounts.services.memberships import grant_put, lock_user, membership_put


@transaction.atomic
def invitation_send(
    by: By,
    *,
    organisation: Organisation,
    email: str,
    roles: Sequence[str],
    lifetime: timedelta = rules.USUAL,
) -> Invitation:
    """Invite an address; the mail goes through the outbox. Managers of the organisation invite; its
    region's coordinators too, but only a manager, and only while it has none. One that is open for
    the same address is replaced. `WrongState` (`already-member`) for a member, (`own-role`) for
    oneself, (`invited-too-often`, `too-many-invitations-today`) beyond what one address is sent,
    and one organisation or person sends, within a day."""
    email, given = address_of(email), rules.parse_roles(list(roles))
    _require_may_invite(by.actor, organisation, given)
    require_open(organisation)
    if not rules.SHORTEST <= lifetime <= rules.LONGEST:
        raise invalid("days", "out-of-range", least=1, most=rules.LONGEST.days)
    if email in confirmed_addresses(by.actor.person):
        raise WrongState("own-role")
    known = user_by_email(email)
    if known is not None and is_member(known, organisation):
        raise WrongState("already-member")
    lock_user(by.actor.person)
    Organisation.objects.select_for_update(no_key=True).only("pk").get(pk=organisation.pk)
    _require_few(by, organisation, email)
    present = open_invitations(organisation)
    for older in present.filter(email=email):
        _withdraw(by, older)
    most_open, _ = rules.limits(is_administrator=by.actor.may("administer", Place(None)))
    if present.filter(expires_at__gt=by.now).count() >= most_open:
        raise WrongState("too-many-invitations", most=most_open)
    return invitations_put(by, [(organisation, email, given)], lifetime)[0]


def invitations_put(
    by: By,
    invited: Sequence[tuple[Organisation, str, Sequence[str]]],
    lifetime: timedelta = rules.USUAL,
) -> list[Invitation]:
    """Invite addresses with roles to organisations, within a transaction, for who has asked whether
    it may be. Four statements, however many."""
    rows = []
    for organisation, email, roles in invited:
        pk = new_id()
        row = Invitation(
            id=pk,
            organisation=organisation,
            email=email,
            roles=list(roles),
            digest=digest_of(invitation_token(pk)),
            invited_by_id=by.actor.person,
            created_at=by.now,
            expires_at=by.now + lifetime,
        )
        rows.append(row)
    Invitation.objects.bulk_create(rows)
    # The address is somebody's who may know nothing of it: the trail has the row's id only.
    trail.record_all(
        trail.Change(
            by,
            "invitation.send",
            row,
            after={
                "roles": row.roles,
                "expires_at": row.expires_at,
                "organisation": row.organisation_id,
            },
        )
        for row in rows
    )
    effects = [
        Effect("people.invitation", f"people.invitation.{row.pk}", {"invitation": str(row.pk)})
        for row in rows
    ]
    enqueue(effects, now=by.now)
    return rows


@transaction.atomic
def invitation_withdraw(by: By, *, invitation_id: UUID) -> Invitation:
    """Take an invitation back. `WrongState` for one that was used or withdrawn."""
    row = _locked(invitation_id)
    _require_may_invite(by.actor, row.organisation, row.roles)
    if row.accepted_at is not None:
        raise WrongState("invitation-used")
    if row.withdrawn_at is not None:
        raise WrongState("invitation-withdrawn")
    _withdraw(by, row)
    return row


@transaction.atomic
def invitation_accept(by: By, *, invitation_id: UUID) -> Membership:
    """Become a member with the roles that the invitation brings, given by whoever invited.

    `NotPermitted` (`another-address`) unless the address is a confirmed one of the person;
    `WrongState` for an invitation that was used, withdrawn (also by its sender's ceasing to
    manage the organisation) or has expired; `DutiesConflict`.
    """
    lock_user(by.actor.person)
    # The organisation first, as whoever invites does: of two first managers one comes second.
    Organisation.objects.select_for_update(no_key=True).only("pk").filter(
        invitations=invitation_id
    ).first()
    row = _locked(invitation_id)
    if row.email not in confirmed_addresses(by.actor.person):
        raise NotPermitted("another-address")
    if code := why_closed(row, by.now):
        raise WrongState(code)
    if row.invited_by_id == by.actor.user_id:
        raise WrongState("own-role")
    user = User.objects.get(pk=by.actor.person)
    membership = membership_put(by, user=user, organisation=row.organisation)
    for role in row.roles:
        grant_put(
            by,
            user=user,
            role=role,
            organisation=row.organisation,
            granted_by=row.invited_by_id,
        )
    row.accepted_by, row.accepted_at = user, by.now
    row.save(update_fields=["accepted_by", "accepted_at"])
    _record(by, "invitation.accept", row, {"user": user.pk, "roles": row.roles})
    JoinRequest.objects.filter(user=user, organisation=row.organisation, state="requested").update(
        state=JoinRequest.State.APPROVED, decided_at=by.now, decided_by=row.invited_by_id
    )
    return membership


def why_closed(invitation: Invitation, now: datetime) -> str:
    """Return the code of why nobody can accept it any more; empty while it is open. It ends with
    its sender's ceasing to manage the organisation, or to coordinate its region while it has no
    manager, too."""
    if invitation.accepted_at is not None:
        return "invitation-used"
    if invitation.withdrawn_at is not None or not may_invite(
        actor_of(invitation.invited_by), invitation.organisation, invitation.roles
    ):
        return "invitation-withdrawn"
    return "invitation-expired" if invitation.expires_at <= now else ""


def may_invite(actor: Actor, organisation: Organisation, roles: Sequence[str]) -> bool:
    """Return whether the actor may ask somebody in with these roles."""
    place = place_of(organisation)
    if actor.may("manage-members", place):
        return True
    is_first = list(roles) == [MANAGER] and actor.may("manage-organisations", place)
    return is_first and not has_manager(organisation.pk)


def _require_may_invite(actor: Actor, organisation: Organisation, roles: Sequence[str]) -> None:
    if not may_invite(actor, organisation, roles):
        raise NotPermitted(capability="manage-members")


def invitations_void(by: By, *, addresses: Sequence[str]) -> None:
    """Withdraw, within a transaction, what is open from a person who goes, and to them."""
    theirs = Q(email__in=addresses) | Q(invited_by_id=by.actor.person)
    rows = Invitation.objects.select_for_update(of=("self",), no_key=True).filter(
        theirs, accepted_at=None, withdrawn_at=None
    )
    for row in rows.select_related("organisation__region").order_by("pk"):
        _withdraw(by, row)


def invitations_end(by: By, *, organisation: Organisation) -> None:
    """Withdraw, within a transaction, what an organisation has open that is closed or merged."""
    rows = open_invitations(organisation).select_for_update(of=("self",), no_key=True)
    for row in rows.select_related("organisation__region").order_by("pk"):
        _withdraw(by, row)


def _require_few(by: By, organisation: Organisation, email: str) -> None:
    """Raise `WrongState` beyond the limits of a day. The caller has locked the organisation and the
    person; the address is locked here, as other organisations invite it, too."""
    lock_addresses([email])
    _, most = rules.limits(is_administrator=by.actor.may("administer", Place(None)))
    sent = Invitation.objects.filter(created_at__gt=by.now - rules.DAY)
    if sent.filter(email=email).count() >= rules.MOST_TO_ADDRESS:
        raise WrongState("invited-too-often", most=rules.MOST_TO_ADDRESS)
    for sender in ({"organisation": organisation}, {"invited_by_id": by.actor.person}):
        if sent.filter(**sender).count() >= most:
            raise WrongState("too-many-invitations-today", most=most)


def lock_addresses(emails: Iterable[str]) -> None:
    """Whoever invites these addresses waits, in one order for all."""
    names = sorted(f"accounts.invitation:{email}" for email in emails)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(%s::text[]) name",
            [names],
        )


def address_of(email: str) -> str:
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise invalid("email", "not-a-mail-address") from None
    if len(email) > 254:
        raise invalid("email", "too-long", most=254)
    return email


def _locked(invitation_id: UUID) -> Invitation:
    return visible(
        Invitation.objects.select_for_update(of=("self",), no_key=True).select_related(
            "organisation__region", "invited_by"
        ),
        pk=invitation_id,
    )


def _withdraw(by: By, row: Invitation) -> None:
    row.withdrawn_at = by.now
    row.save(update_fields=["withdrawn_at"])
    _record(by, "invitation.withdraw", row, {"withdrawn_at": by.now})


def _record(by: By, action: str, row: Invitation, after: dict[str, object]) -> None:
    trail.record(by, action, row, after=after | {"organisation": row.organisation_id})
