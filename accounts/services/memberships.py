"""A person's place in an organisation, and roles."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import NotPermitted
from accounts.domain.roles import Actor, Place
from accounts.models import Membership, Organisation, Region, RoleGrant, User
from accounts.permissions import require


@transaction.atomic
def membership_start(
    *, actor: Actor | None, user: User, organisation: Organisation, now: datetime
) -> Membership:
    """Make the user a member; a member already stays one."""
    if actor is not None:
        require(actor, "administer", Place(None))
    membership, is_new = Membership.objects.get_or_create(
        user=user, organisation=organisation, ended_at=None, defaults={"started_at": now}
    )
    if is_new:
        trail.record(
            actor=actor,
            action="membership.start",
            target=membership,
            now=now,
            after={"user": user.pk, "organisation": organisation.pk},
            organisation_ids=[organisation.pk],
            region_ids=organisation.region.lineage,
        )
    return membership


@transaction.atomic
def role_grant(
    *,
    actor: Actor | None,
    user: User,
    role: str,
    now: datetime,
    organisation: Organisation | None = None,
    region: Region | None = None,
) -> RoleGrant:
    """Give a role; one held already stays. Nobody grants themselves a role."""
    if actor is not None:
        require(actor, "administer", Place(None))
        if actor.user_id == user.pk:
            raise NotPermitted("own-role")
    grant, is_new = RoleGrant.objects.get_or_create(
        user=user,
        role=role,
        organisation=organisation,
        region=region,
        revoked_at=None,
        defaults={"granted_at": now, "granted_by_id": actor.user_id if actor else None},
    )
    if is_new:
        lineage: list[UUID] = []
        if region:
            lineage = region.lineage
        elif organisation:
            lineage = organisation.region.lineage
        trail.record(
            actor=actor,
            action="role.grant",
            target=grant,
            now=now,
            after={
                "user": user.pk,
                "role": role,
                "organisation": organisation.pk if organisation else None,
                "region": region.pk if region else None,
            },
            organisation_ids=[organisation.pk] if organisation else [],
            region_ids=lineage,
        )
    return grant
