"""Who belongs where, with which roles."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from accounts.domain.roles import COORDINATOR, Actor, Grant, Place
from accounts.models import Membership, Organisation, RoleGrant, User


def load_actor(user: User) -> Actor:
    """A user with grants and active memberships. Two statements."""
    grants = RoleGrant.objects.filter(user=user, revoked_at=None).values_list(
        "role", "organisation_id", "region_id"
    )
    organisations = Membership.objects.filter(user=user, ended_at=None).values_list(
        "organisation_id", flat=True
    )
    return Actor(
        user_id=user.pk,
        grants=tuple(Grant(*grant) for grant in grants),
        organisations=frozenset(organisations),
        language=user.language,
        time_zone=user.time_zone,
    )


def place_of(organisation: Organisation) -> Place:
    """An organisation as a place; its `region` should be loaded with it."""
    return Place(organisation.pk, frozenset(organisation.region.lineage))


def organisations_of(actor: Actor) -> QuerySet[Organisation]:
    """The organisations of the actor's active memberships, with their regions."""
    return (
        Organisation.objects.filter(pk__in=actor.organisations)
        .select_related("region")
        .order_by("name")
    )


def holders_of(role: str, organisation_id: UUID) -> QuerySet[User]:
    """Active people who hold a role for an organisation."""
    return User.objects.filter(
        is_active=True,
        role_grants__role=role,
        role_grants__organisation_id=organisation_id,
        role_grants__revoked_at=None,
    ).order_by("email")


def coordinators_of(region_ids: Iterable[UUID]) -> QuerySet[User]:
    """Active people who coordinate any of the regions."""
    return (
        User.objects.filter(
            is_active=True,
            role_grants__role=COORDINATOR,
            role_grants__region_id__in=set(region_ids),
            role_grants__revoked_at=None,
        )
        .distinct()
        .order_by("email")
    )


def users_by_id(ids: Iterable[UUID]) -> dict[UUID, User]:
    return User.objects.in_bulk(list(ids))
