"""Read the people of an organisation's directory, and what each of them is in the organisation."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import Actor
from accounts.models import Directory, DirectoryPerson, JoinRequest, Membership, Organisation, RoleGrant, User
from accounts.permissions import require
from accounts.selectors.memberships import WHOLE, place_of
from accounts.selectors.organisations import organisation_by_id
from accounts.selectors.users import confirmed_addresses
from bookings.provisioning.domain.directory import Standing, in_order

SEEN_EVERY = timedelta(minutes=5)


def organisation_to_provision(actor: Actor, organisation_id: UUID) -> Organisation:
    """Return an organisation for the whole of which the actor manages members by a role there. `NotPermitted`
    for any other, for administrators, too, so that no token reaches more than organisations that gave it the
    right."""
    organisation = organisation_by_id(organisation_id)
    if organisation.pk not in actor.organisations_where("manage-members"):
        raise NotPermitted(at=organisation.pk, capability="manage-members")
    require(actor, "manage-members", place_of(organisation))
    return organisation


def people_of_directory(organisation: Organisation) -> QuerySet[Any]:
    """Return the people that a directory has entered, each with `is_present` (a member now), `left_at` (when
    their last membership ended) and `held` (their roles for the whole organisation)."""
    theirs = Membership.objects.filter(user=OuterRef("user"), organisation=organisation)
    grants = RoleGrant.objects.filter(
        WHOLE, user=OuterRef("user"), organisation=organisation, revoked_at=None
    )
    return (
        DirectoryPerson.objects.filter(organisation=organisation)
        .select_related("invitation", "organisation__region", "user")
        .annotate(
            is_present=Exists(theirs.filter(ended_at=None)),
            left_at=Subquery(theirs.order_by(F("ended_at").desc(nulls_last=True)).values("ended_at")[:1]),
            held=ArraySubquery(grants.values("role")),
        )
        .order_by("created_at", "id")
    )


def standing_of(row: Any, now: datetime) -> Standing:
    """Return what a person of `people_of_directory` is in the organisation."""
    if row.is_present:
        return Standing.MEMBER
    asked = row.invitation
    if asked and asked.accepted_at is None and asked.withdrawn_at is None and asked.expires_at > now:
        return Standing.INVITED
    if row.ended_at is not None and row.left_at == row.ended_at:
        return Standing.SUSPENDED
    return Standing.OUT


def roles_of(row: Any) -> list[str]:
    """Return the roles that a person has by the directory: of a member those that they hold, as a manager may
    have taken one back."""
    return in_order(set(row.roles) & set(row.held) if row.is_present else row.roles)


def in_group(role: str) -> Q:
    """Return the condition for the people of a group."""
    return Q(roles__contains=[role]) & (Q(is_present=False) | Q(held__contains=[role]))


def member_with(email: str, organisation: Organisation) -> Membership | None:
    """Return the present member of an organisation with a confirmed address, or who signs in with it."""
    address = Q(user__email__iexact=email) | Q(
        user__emailaddress__email__iexact=email, user__emailaddress__verified=True
    )
    rows = Membership.objects.filter(address, organisation=organisation, ended_at=None)
    return rows.select_related("user").order_by("pk").first()


def told_of(user: User) -> Q:
    """Return the condition for what directories told of a person: the members that they are, and whoever has
    not come yet with an address that they have confirmed. Anybody may write another's down as their own."""
    return Q(user=user) | Q(user=None, email__in=confirmed_addresses(user.pk))


def join_request_with(email: str, organisation: Organisation) -> JoinRequest | None:
    """Return the open request to join of whoever has confirmed an address."""
    return JoinRequest.objects.filter(
        user__emailaddress__email__iexact=email,
        user__emailaddress__verified=True,
        organisation=organisation,
        state="requested",
    ).first()


def directory_of(organisation: Organisation) -> Directory | None:
    return Directory.objects.filter(organisation=organisation).first()
