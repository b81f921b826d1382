"""Invite people to organisations by mail address; each invitation can be used once, for a limited time, by
the owner of the address."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, Q

from accounts import trail
from accounts.domain import joining as rules
from accounts.domain.errors import NotPermitted, WrongState, invalid
from accounts.domain.roles import MANAGER, SERVICE_GIVES, Actor, By, Place
from accounts.models import (
    Directory,
    DirectoryPerson,
    Invitation,
    JoinRequest,
    Membership,
    Organisation,
    User,
)
from accounts.models.keys import new_id
from accounts.notifications import Effect, enqueue
from accounts.permissions import actor_of, require_person
from accounts.selectors.joining import invitation_token, invitations_for, open_invitations, sent_since
from accounts.selectors.memberships import has_manager, is_member, place_of
from accounts.selectors.organisations import require_open
from accounts.selectors.rows import visible
from accounts.selectors.secrets import digest_of
from accounts.selectors.users import confirmed_addresses, user_by_email
from accounts.services.memberships import grant_put, lock_user, membership_put
from accounts.services.users import address_of


@transaction.atomic
def invitation_send(
    by: By,
    *,
    organisation: Organisation,
    email: str,
    roles: Sequence[str],
    lifetime: timedelta = rules.USUAL,
    is_directory: bool = False,
) -> Invitation:
    """Invite an address; the mail goes through the outbox. Managers of the organisation may invite;
    coordinators of its region may invite only a manager, and only while there is none. An open invitation to
    the same address is replaced. Raise `WrongState` for a member (`already-member`), for oneself
    (`own-role`), and beyond the daily limits of the address (`invited-too-often`), the organisation and the
    person (`too-many-invitations-today`). `is_directory`: the organisation's directory invites, as many a day
    as an administrator where the address is of a scope that administrators gave to the organisation."""
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
    is_trusted = is_directory and rules.is_of(email, organisation.scopes)
    most_open, most_today = rules.limits(
        is_administrator=is_trusted or by.actor.may("administer", Place(None))
    )
    _require_few(by, organisation, email, most_today)
    present = open_invitations(organisation)
    for older in present.filter(email=email):
        _withdraw(by, older)
    if present.filter(expires_at__gt=by.now).count() >= most_open:
        raise WrongState("too-many-invitations", most=most_open)
    return invitations_put(by, [(organisation, email, given)], lifetime)[0]


def invitations_put(
    by: By, invited: Sequence[tuple[Organisation, str, Sequence[str]]], lifetime: timedelta = rules.USUAL
) -> list[Invitation]:
    """Store invitations of addresses, with roles, to organisations, in the transaction of a caller who has
    checked that they are allowed. It takes four statements, whatever their number."""
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
            after={"roles": row.roles, "expires_at": row.expires_at, "organisation": row.organisation_id},
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
    """Withdraw an invitation; whoever may send it may do this. Raise `WrongState` if it was used or
    withdrawn."""
    row = _locked(invitation_id)
    if not may_invite(by.actor, row.organisation, row.roles):
        visible(invitations_for(by.actor, by.now), pk=invitation_id)
    _require_may_invite(by.actor, row.organisation, row.roles)
    by.require_version(row.version)
    if row.accepted_at is not None:
        raise WrongState("invitation-used")
    if row.withdrawn_at is not None:
        raise WrongState("invitation-withdrawn")
    _withdraw(by, row)
    return row


@transaction.atomic
def invitation_accept(by: By, *, invitation_id: UUID) -> Membership:
    """Make the person a member with the roles of the invitation, which count as given by its sender.

    Raise `NotPermitted` (`another-address`) unless the address is a confirmed one of the person; `WrongState`
    for an invitation that was used or withdrawn, has expired, or whose sender no longer manages the
    organisation; `DutiesConflict`.
    """
    # Before all else, as a directory that changes what the invitation comes with does.
    directories = Directory.objects.select_for_update(of=("self",), no_key=True)
    directories.filter(organisation__invitations=invitation_id).first()
    lock_user(by.actor.person)
    # The organisation first, as whoever invites does: of two first managers one comes second.
    Organisation.objects.select_for_update(no_key=True).only("pk").filter(invitations=invitation_id).first()
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
        grant_put(by, user=user, role=role, organisation=row.organisation, granted_by=row.invited_by_id)
    row.accepted_by, row.accepted_at = user, by.now
    row.save(update_fields=["accepted_by", "accepted_at"])
    DirectoryPerson.objects.filter(invitation=row).exclude(
        Exists(DirectoryPerson.objects.filter(organisation=row.organisation, user=user))
    ).update(user=user)
    _record(by, "invitation.accept", row, {"user": user.pk, "roles": row.roles})
    JoinRequest.objects.filter(user=user, organisation=row.organisation, state="requested").update(
        state=JoinRequest.State.APPROVED, decided_at=by.now, decided_by=row.invited_by_id
    )
    return membership


def invitation_roles_set(by: By, *, invitation: Invitation, roles: Sequence[str]) -> None:
    """Set the roles that an open invitation comes with, in the transaction of a caller who has checked that
    they are allowed. Who adds one is its sender from then on, so that nobody adds one to an invitation of
    somebody else's and accepts it, and a service account gives none that it may not."""
    before, invitation.roles = invitation.roles, list(roles)
    if before != invitation.roles:
        if set(invitation.roles) - set(before):
            if not set(invitation.roles) <= SERVICE_GIVES:
                require_person(by.actor)
            invitation.invited_by_id = by.actor.person
        invitation.save(update_fields=["roles", "invited_by"])
        after = {"roles": invitation.roles, "organisation": invitation.organisation_id}
        trail.record(by, "invitation.change", invitation, before={"roles": before}, after=after)


def why_closed(invitation: Invitation, now: datetime) -> str:
    """Return the code of the reason why an invitation can no longer be accepted; empty while it is open. It
    also closes when its sender no longer manages the organisation or, while that has no manager, no longer
    coordinates its region."""
    if invitation.accepted_at is not None:
        return "invitation-used"
    if invitation.withdrawn_at is not None or not may_invite(
        actor_of(invitation.invited_by), invitation.organisation, invitation.roles
    ):
        return "invitation-withdrawn"
    return "invitation-expired" if invitation.expires_at <= now else ""


def may_invite(actor: Actor, organisation: Organisation, roles: Sequence[str]) -> bool:
    """Return whether the actor may invite people to the organisation with these roles."""
    place = place_of(organisation)
    if actor.may("manage-members", place):
        return not actor.is_service or set(roles) <= SERVICE_GIVES
    is_first = list(roles) == [MANAGER] and actor.may("manage-organisations", place)
    return is_first and not has_manager(organisation.pk)


def _require_may_invite(actor: Actor, organisation: Organisation, roles: Sequence[str]) -> None:
    if not may_invite(actor, organisation, roles):
        raise NotPermitted(capability="manage-members")


def invitations_void(by: By, *, addresses: Sequence[str]) -> None:
    """Withdraw the open invitations that a leaving person has sent or that were sent to them, in the caller's
    transaction."""
    theirs = Q(email__in=addresses) | Q(invited_by_id=by.actor.person)
    rows = Invitation.objects.select_for_update(of=("self",), no_key=True).filter(
        theirs, accepted_at=None, withdrawn_at=None
    )
    for row in rows.select_related("organisation__region").order_by("pk"):
        _withdraw(by, row)


def invitations_end(by: By, *, organisation: Organisation) -> None:
    """Withdraw the open invitations of an organisation that is closed or merged, and forget whom its
    directory has entered, as it can remove nobody any more; in the transaction of a caller who has locked
    the directory."""
    DirectoryPerson.objects.filter(organisation=organisation).delete()
    Directory.objects.filter(organisation=organisation).delete()
    rows = open_invitations(organisation).select_for_update(of=("self",), no_key=True)
    for row in rows.select_related("organisation__region").order_by("pk"):
        _withdraw(by, row)


def _require_few(by: By, organisation: Organisation, email: str, most: int) -> None:
    """Raise `WrongState` if an invitation would exceed the daily limits. The caller has locked the
    organisation and the person; the address is locked here, because other organisations invite it too."""
    lock_addresses([email])
    sent = sent_since(by.now - rules.DAY)
    if sent.filter(mailbox=rules.mailbox_of(email)).count() >= rules.MOST_TO_ADDRESS:
        raise WrongState("invited-too-often", most=rules.MOST_TO_ADDRESS)
    for sender in ({"organisation": organisation}, {"invited_by_id": by.actor.person}):
        if sent.filter(**sender).count() >= most:
            raise WrongState("too-many-invitations-today", most=most)


def lock_addresses(emails: Iterable[str]) -> None:
    """Lock mail addresses, counted by mailbox, until the transaction ends, so that only one transaction at a
    time invites them. They are locked in sorted order."""
    names = sorted({f"accounts.invitation:{rules.mailbox_of(email)}" for email in emails})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(%s::text[]) name", [names]
        )


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
