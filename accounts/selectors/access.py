"""Read the requests for a role that people made after a page was refused to them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.domain.roles import ADMINISTRATOR, MANAGER, REGION_ROLES, Actor, Place, roles_to_ask
from accounts.models import AccessRequest, Membership, Region, RoleGrant
from accounts.selectors.memberships import WHOLE

AGAIN_AFTER = timedelta(days=1)


def access_requests() -> QuerySet[AccessRequest]:
    return AccessRequest.objects.select_related("organisation__region", "user", "decided_by").order_by(
        "created_at", "id"
    )


def ungrounded() -> Q:
    """Return the condition for requests of people who no longer belong where they asked: they have no
    membership and no role there (at all, for a request without organisation), or their account is closed."""
    belongs = Q(pk__in=[])
    for rows in (
        Membership.objects.filter(user=OuterRef("user"), ended_at=None),
        RoleGrant.objects.filter(user=OuterRef("user"), revoked_at=None),
    ):
        belongs |= Q(Exists(rows.filter(organisation=OuterRef("organisation"))))
        belongs |= Q(Exists(rows), organisation=None)
    return ~belongs | Q(user__is_active=False)


def access_requests_for(actor: Actor) -> QuerySet[AccessRequest]:
    """Return the actor's own requests for a role, and those that they may answer."""
    if actor.may("manage-members", Place(None)):
        return access_requests()
    theirs = Q(organisation__in=actor.organisations_where("manage-members"))
    return access_requests().filter(Q(user_id=actor.person) | theirs)


def access_asked(actor: Actor, capability: str, now: datetime) -> QuerySet[AccessRequest]:
    """Return what keeps the actor from asking again for a role that carries the capability: open requests,
    and those made within a day."""
    lately = Q(created_at__gt=now - AGAIN_AFTER) | Q(state="requested")
    return AccessRequest.objects.filter(lately, user_id=actor.person, capability=capability)


def access_requests_to_decide(actor: Actor) -> QuerySet[AccessRequest]:
    """Return the open requests for a role that wait for the actor, oldest first: those at organisations whose
    members they manage and, for administrators, those for roles that only they give and those at
    organisations without another manager than the person who asks."""
    theirs = Q(organisation__in=actor.organisations_where("manage-members"))
    if actor.has(ADMINISTRATOR):
        managers = RoleGrant.objects.filter(
            WHOLE, organisation=OuterRef("organisation"), role=MANAGER, revoked_at=None, user__is_active=True
        ).exclude(user_id=OuterRef("user_id"))
        theirs |= Q(~Exists(managers))
    return access_requests().filter(theirs, state="requested").exclude(user_id=actor.person)


def load_access_requests(actor: Actor, most: int) -> list[AccessRequest]:
    """Return the oldest requests for a role that wait for the actor, each with the `roles` that may be given
    and, for a role of a region, the `regions` where: those of the person's organisations and all above
    them, the smallest first. It takes one statement, and two more if some are."""
    rows: list[Any] = list(access_requests_to_decide(actor)[:most])
    for row in rows:
        row.roles = roles_to_ask(row.capability, at_organisation=row.organisation is not None)
    askers = {row.user_id for row in rows if REGION_ROLES.intersection(row.roles)}
    lineages: dict[UUID, set[UUID]] = {}
    if askers:
        members = Membership.objects.filter(user__in=askers, ended_at=None)
        for user_id, lineage in members.values_list("user_id", "organisation__region__lineage"):
            lineages.setdefault(user_id, set()).update(lineage)
    ids = {region_id for lineage in lineages.values() for region_id in lineage}
    open_ones = Region.objects.filter(pk__in=ids, closed_at=None)
    regions = list(open_ones.order_by("-lineage__len", "name")) if ids else []
    for row in rows:
        near = lineages.get(row.user_id, set()) if REGION_ROLES.intersection(row.roles) else set()
        row.regions = [region for region in regions if region.pk in near]
    return rows
