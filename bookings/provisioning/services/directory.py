"""Carry out what an organisation's directory asks for, through the services that the pages use.

Whoever writes for a directory locks its row first, so that its requests come one after the other.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts import trail
from accounts.domain.errors import NotFound, WrongState, invalid
from accounts.domain.joining import LONGEST
from accounts.domain.joining import ROLES as JOINING_ROLES
from accounts.domain.roles import SERVICE_GIVES, By
from accounts.models import Directory, DirectoryPerson, Membership, Organisation, RoleGrant, User
from accounts.selectors.memberships import WHOLE
from accounts.services.invitations import invitation_roles_set, invitation_send, invitation_withdraw
from accounts.services.joining import join_decide
from accounts.services.memberships import lock_user, membership_put, role_grant, role_revoke
from accounts.services.users import address_of, name_kept
from bookings.privacy.services.leaving import member_leave
from bookings.provisioning.domain import directory as rules
from bookings.provisioning.domain.directory import Standing, Step, Wanted
from bookings.provisioning.selectors.directory import (
    SEEN_EVERY,
    in_group,
    join_request_with,
    member_with,
    organisation_to_provision,
    people_of_directory,
    roles_of,
    standing_of,
    told_of,
)

MOST_TEXT = 254  # characters of what a directory calls something
# What people are told, and what the trail has, in the place of a manager's reason.
REASON = "By the organisation's directory · 由单位的目录系统办理"


def directory_lock(by: By, *, organisation_id: UUID) -> Organisation:
    """Return the organisation that a directory writes for, in the caller's transaction, with the directory
    locked."""
    organisation = organisation_to_provision(by.actor, organisation_id)
    Directory.objects.get_or_create(organisation=organisation)
    if Directory.objects.select_for_update(no_key=True).filter(organisation=organisation).first() is None:
        raise NotFound  # it was closed while this waited
    return organisation_to_provision(by.actor, organisation_id)


@contextmanager
def directory_writing(by: By, *, organisation_id: UUID) -> Iterator[Organisation]:
    """Hold a directory locked while one request of it is carried out, as a whole or not at all, and store
    that it came."""
    with transaction.atomic():
        organisation = directory_lock(by, organisation_id=organisation_id)
        directory_touch(organisation=organisation, now=by.now)
        yield organisation


def directory_touch(*, organisation: Organisation, now: datetime) -> None:
    """Store when a directory came last, at most once every `SEEN_EVERY`."""
    Directory.objects.get_or_create(organisation=organisation)
    stale = Directory.objects.filter(organisation=organisation).exclude(seen_at__gt=now - SEEN_EVERY)
    stale.update(seen_at=now)


@transaction.atomic
def person_add(by: By, *, organisation_id: UUID, wanted: Wanted) -> Any:
    """Enter a person. A present member with the address is linked, and keeps their roles; whoever has asked
    to join with it is admitted; anybody else is invited, with or without an account, and comes when they
    accept. Raise `WrongState` for a name (`directory-name-taken`) or a member (`directory-person-known`) that
    is entered already, and beyond `MOST_PEOPLE` (`directory-full`)."""
    organisation = directory_lock(by, organisation_id=organisation_id)
    if DirectoryPerson.objects.filter(organisation=organisation).count() >= rules.MOST_PEOPLE:
        raise WrongState("directory-full", most=rules.MOST_PEOPLE)
    values = _values(wanted)
    _require_free(organisation, wanted.user_name)
    member = member_with(values["email"], organisation)
    if member and DirectoryPerson.objects.filter(organisation=organisation, user=member.user).exists():
        raise WrongState("directory-person-known")
    row = DirectoryPerson.objects.create(
        organisation=organisation,
        user=member.user if member else None,
        roles=[] if member else list(rules.USUAL),
        created_at=by.now,
        changed_at=by.now,
        **values,
    )
    _record(by, "add", row)
    return _brought(by, row.pk, active=wanted.active is not False)


@transaction.atomic
def person_change(by: By, *, organisation_id: UUID, person_id: UUID, wanted: Wanted) -> Any:
    """Change how a directory describes a person, and bring them in or let them go as it wants. An open
    invitation to another address is replaced. Nothing of the person's account changes."""
    organisation = directory_lock(by, organisation_id=organisation_id)
    row = _found(organisation, person_id)
    values, standing = _values(wanted), standing_of(row, by.now)
    active = standing in rules.ACTIVE if wanted.active is None else wanted.active
    if values["user_name"].casefold() != row.user_name.casefold():
        _require_free(organisation, wanted.user_name, but=row)
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    if changed:
        if "email" in changed and standing == Standing.INVITED:
            invitation_withdraw(by, invitation_id=row.invitation.pk)
        for name in changed:
            setattr(row, name, values[name])
        row.changed_at = by.now
        row.save(update_fields=[*changed, "changed_at"])
        _record(by, "change", row, {"fields": sorted(changed)})
    return _brought(by, row.pk, active=active)


@transaction.atomic
def person_remove(by: By, *, organisation_id: UUID, person_id: UUID) -> None:
    """Let a person go, and forget what the directory told of them."""
    organisation = directory_lock(by, organisation_id=organisation_id)
    row = _brought(by, _found(organisation, person_id).pk, active=False)
    _record(by, "remove", row)
    row.delete()


@transaction.atomic
def group_set(
    by: By, *, organisation_id: UUID, role: str, members: Iterable[UUID], external_id: str | None = None
) -> None:
    """Give a role to the people of a group and take it from all others whom the directory gave it. Raise
    `Invalid` for people whom the directory has not entered (`directory-person-unknown`) and for more than
    `MOST_CHANGES` changes (`too-many`), `WrongState` (`last-manager`) as the page does."""
    organisation = directory_lock(by, organisation_id=organisation_id)
    if len(external_id or "") > MOST_TEXT:
        raise invalid("externalId", "too-long", most=MOST_TEXT)
    wanted = set(members)
    people = people_of_directory(organisation)
    present = set(people.filter(in_group(role)).values_list("pk", flat=True))
    changed = wanted ^ present
    if len(changed) > rules.MOST_CHANGES:
        raise invalid("members", "too-many", most=rules.MOST_CHANGES)
    # In the order of the people, who are locked one after the other.
    rows = list(people.filter(pk__in=changed).order_by("user_id", "pk"))
    if len(rows) < len(changed):
        raise invalid("members", "directory-person-unknown")
    for row in rows:
        roles = {*row.roles, role} if row.pk in wanted else {*row.roles} - {role}
        row.roles = rules.in_order(roles)
        row.save(update_fields=["roles"])
        _record(by, "change", row, {"roles": row.roles})
        match standing_of(row, by.now):
            case Standing.MEMBER if row.pk in wanted:
                _give(by, row, [role])
            case Standing.MEMBER:
                _take(by, row, role)
            case Standing.INVITED:
                invitation_roles_set(by, invitation=row.invitation, roles=row.roles)
    if external_id is not None:
        directory = Directory.objects.get(organisation=organisation)
        directory.group_ids[role] = external_id
        directory.save(update_fields=["group_ids"])


def _brought(by: By, person_id: UUID, *, active: bool) -> Any:
    """Bring a person in or let them go, if they are not yet as wanted, and return them as they are then."""
    people = people_of_directory(DirectoryPerson.objects.get(pk=person_id).organisation)
    row = people.get(pk=person_id)
    match rules.step(standing_of(row, by.now), active=active):
        case Step.END:
            _end(by, row)
        case Step.WITHDRAW:
            invitation_withdraw(by, invitation_id=row.invitation.pk)
        case Step.RESTORE:
            lock_user(row.user.pk)
            membership_put(by, user=row.user, organisation=row.organisation)
            _give(by, row, row.roles)
            row.ended_at = None
            row.save(update_fields=["ended_at"])
        case Step.INVITE:
            _invite(by, row)
        case Step.NOTHING:
            return row
    return people.get(pk=person_id)


def _end(by: By, row: Any) -> None:
    """End a membership as the page does. Bookings that have not begun stay: managers find them with who left
    recently, and decide on them."""
    membership = Membership.objects.get(user=row.user, organisation=row.organisation, ended_at=None)
    member_leave(by, membership_id=membership.pk, cancel=False, reason=REASON)
    # With what a manager had taken back meanwhile they do not come back.
    row.ended_at, row.roles = by.now, roles_of(row)
    row.save(update_fields=["ended_at", "roles"])


def _invite(by: By, row: Any) -> None:
    """Admit who has asked to join, and invite anybody else."""
    joining = [role for role in row.roles if role in JOINING_ROLES]
    if member := member_with(row.email, row.organisation):  # came by another way meanwhile
        _link(row, member.user)
    elif asked := join_request_with(row.email, row.organisation):
        join_decide(by, request_id=asked.pk, approve=True, roles=joining)
        _link(row, asked.user)
    else:
        row.invitation = invitation_send(
            by,
            organisation=row.organisation,
            email=row.email,
            roles=joining,
            lifetime=LONGEST,
            is_directory=True,
        )
        given = [role for role in row.roles if role in SERVICE_GIVES or not by.actor.is_service]
        invitation_roles_set(by, invitation=row.invitation, roles=given)
        row.save(update_fields=["invitation"])


def _link(row: Any, user: Any) -> None:
    if DirectoryPerson.objects.filter(organisation=row.organisation, user=user).exclude(pk=row.pk).exists():
        raise WrongState("directory-person-known")
    row.user = user
    row.save(update_fields=["user"])


def _give(by: By, row: Any, roles: Iterable[str]) -> None:
    held = set(_grants(row).values_list("role", flat=True))
    for role in roles:
        # Whoever the token belongs to gives themselves nothing, but may hold it already.
        if role not in held:
            role_grant(by, user=row.user, role=role, organisation=row.organisation)


def _take(by: By, row: Any, role: str) -> None:
    if grant := _grants(row).filter(role=role).first():
        role_revoke(by, grant_id=grant.pk, reason=REASON)


def _grants(row: Any) -> Any:
    return RoleGrant.objects.filter(WHOLE, user=row.user, organisation=row.organisation, revoked_at=None)


def _found(organisation: Organisation, person_id: UUID) -> Any:
    row = people_of_directory(organisation).filter(pk=person_id).first()
    if row is None:
        raise NotFound
    return row


def _require_free(organisation: Organisation, name: str, but: DirectoryPerson | None = None) -> None:
    others = DirectoryPerson.objects.filter(organisation=organisation, user_name__iexact=name)
    if others.exclude(Q(pk=but.pk) if but else Q()).exists():
        raise WrongState("directory-name-taken")


def _values(wanted: Wanted) -> dict[str, Any]:
    """Return what is stored of a person, checked. Raise `Invalid`."""
    if not wanted.user_name.strip():
        raise invalid("userName", "required")
    if len(wanted.emails) > rules.MOST_EMAILS:
        raise invalid("emails", "too-many", most=rules.MOST_EMAILS)
    for name, text in (("userName", wanted.user_name), ("externalId", wanted.external_id)):
        if len(text) > MOST_TEXT:
            raise invalid(name, "too-long", most=MOST_TEXT)
    if any(len(str(part)) > MOST_TEXT for one in wanted.emails for part in one.values()):
        raise invalid("emails", "too-long", most=MOST_TEXT)
    return {
        "user_name": wanted.user_name,
        "external_id": wanted.external_id,
        "display_name": name_kept(wanted.display_name),
        "emails": [dict(one) for one in wanted.emails],
        "email": address_of(rules.address_of(wanted.user_name, wanted.emails), "emails"),
    }


def _record(by: By, verb: str, row: Any, after: dict[str, object] | None = None) -> None:
    """Record what a directory did to its description of a person; what becomes of the membership is recorded
    by itself. The trail has no names and addresses."""
    trail.record(by, f"directoryperson.{verb}", row, after={"user": row.user_id, **(after or {})})


def directory_people_forget(by: By, *, user: User) -> None:
    """Delete what directories told of a person who leaves for good."""
    DirectoryPerson.objects.filter(told_of(user)).delete()
