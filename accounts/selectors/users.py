"""People: what their profile shows, and the accounts of the demonstration."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models import Membership, Organisation, Region, RoleGrant, User
from accounts.selectors.rows import as_uuid


@dataclass
class PlaceOfPerson:
    """An organisation or region with what a person is there; neither: the whole platform."""

    organisation: Organisation | None = None
    region: Region | None = None
    is_member: bool = False
    roles: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class DemoAccount:
    """An account anyone may try, with the role it is there to show, and where it holds."""

    user: User
    role: str
    place: Organisation | Region | None


# In the order of the booking's life, the platform last.
ROLES_SHOWN = ("researcher", "manager", "finance", "coordinator", "auditor", "administrator")


def user_by_email(email: str) -> User | None:
    """Return the user with an address, whatever its case."""
    return User.objects.filter(email__iexact=email.strip()).first()


def has_second_factor(user: User) -> bool:
    """Return whether the person has an authenticator app or a passkey; recovery codes alone are
    none."""
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    return bool(Authenticator.objects.filter(user=user, type__in=kinds).exists())


def confirmed_addresses(user_id: UUID) -> list[str]:
    """Return the addresses a person has shown to be theirs, in small letters, the one they sign in
    with first."""
    rows = EmailAddress.objects.filter(user_id=user_id, verified=True).order_by("-primary", "pk")
    return [address.lower() for address in rows.values_list("email", flat=True)]


def person_named(name: str) -> User | None:
    """Return an active person by id or mail address."""
    active = User.objects.filter(is_active=True)
    if user_id := as_uuid(name):
        return active.filter(pk=user_id).first()
    return None if "\0" in name else active.filter(email__iexact=name.strip()).first()


def member_named(name: str, organisation_id: UUID) -> User | None:
    """Return a present member of an organisation by id or mail address."""
    user = person_named(name)
    return user if user and members_among([user.pk], organisation_id) else None


def members_among(user_ids: Iterable[UUID], organisation_id: UUID) -> set[UUID]:
    """Return those of some people who are active and present members of an organisation. One
    statement, none for nobody."""
    ids = list(user_ids)
    if not ids:
        return set()
    return set(
        Membership.objects.filter(
            user__in=ids, user__is_active=True, organisation_id=organisation_id, ended_at=None
        ).values_list("user_id", flat=True)
    )


def members_named(names: Iterable[str], organisation_id: UUID) -> dict[str, UUID]:
    """Return the ids of active, present members of an organisation by what they were called: an id
    or a mail address; others are left out. One statement."""
    texts = {name: name.strip().lower() for name in names if "\0" not in name}
    if not texts:
        return {}
    ids = [user_id for text in texts.values() if (user_id := as_uuid(text))]
    people = User.objects.annotate(address=Lower("email")).filter(
        Q(pk__in=ids) | Q(address__in=list(texts.values())),
        is_active=True,
        memberships__organisation_id=organisation_id,
        memberships__ended_at=None,
    )
    known: dict[str, UUID] = {}
    for pk, email in people.values_list("pk", "email"):
        known |= {str(pk): pk, email.lower(): pk}
    return {name: known[text] for name, text in texts.items() if text in known}


def places_of(user: User) -> list[PlaceOfPerson]:
    """Return where a person belongs and acts, organisations first. Two statements."""
    places: dict[UUID | None, PlaceOfPerson] = {}
    memberships = (
        Membership.objects.filter(user=user, ended_at=None)
        .select_related("organisation__region")
        .order_by("organisation__name")
    )
    for membership in memberships:
        place = PlaceOfPerson(organisation=membership.organisation, is_member=True)
        places[membership.organisation_id] = place
    grants = (
        RoleGrant.objects.filter(user=user, revoked_at=None)
        .select_related("organisation__region", "region")
        .order_by("organisation__name", "region__name", "role")
    )
    for grant in grants:
        key = grant.organisation_id or grant.region_id
        place = places.setdefault(key, PlaceOfPerson(grant.organisation, grant.region))
        place.roles.append(grant.role)
    return list(places.values())


def demo_accounts() -> list[DemoAccount]:
    """Return one account for each role; most people of the demonstration have no password and are
    only there to have booked."""
    grants = list(
        RoleGrant.objects.filter(user__is_demo=True, user__is_active=True, revoked_at=None)
        .exclude(user__password__startswith=UNUSABLE_PASSWORD_PREFIX)
        .select_related("user", "organisation", "region")
        .order_by("user__created_at", "user__email")
    )
    return [account for role in ROLES_SHOWN for account in _holder_of(role, grants)]


def _holder_of(role: str, grants: list[RoleGrant]) -> Iterator[DemoAccount]:
    """Return the first person with the role, rather one who has no other."""
    number: dict[UUID, int] = {}
    for grant in grants:
        number[grant.user_id] = number.get(grant.user_id, 0) + 1
    holders = sorted((g for g in grants if g.role == role), key=lambda g: number[g.user_id])
    for grant in holders[:1]:
        yield DemoAccount(grant.user, role, grant.organisation or grant.region)
