"""Read people: what their profile shows, and the accounts of the demonstration."""

from collections.abc import Iterable
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
    """A person's membership and roles at an organisation or a region; without either, at the platform."""

    organisation: Organisation | None = None
    region: Region | None = None
    is_member: bool = False
    is_default: bool = False
    roles: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class DemoAccount:
    """A demonstration account that anyone may try, with the role that it demonstrates and the place where it
    holds it."""

    user: User
    role: str
    place: Organisation | Region | None


# In the order of the booking's life, the platform last.
ROLES_SHOWN = ("researcher", "manager", "operator", "finance", "coordinator", "auditor", "administrator")


def user_by_email(email: str) -> User | None:
    """Return the user with a mail address, ignoring case; None if there is none."""
    return User.objects.filter(email__iexact=email.strip()).first()


def has_second_factor(user: User) -> bool:
    """Return whether the person has an authenticator app or a passkey; recovery codes alone do not count."""
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    return bool(Authenticator.objects.filter(user=user, type__in=kinds).exists())


def confirmed_addresses(user_id: UUID) -> list[str]:
    """Return the confirmed mail addresses of a person in lower case, the one that they sign in with first."""
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
    """Return which of some people are active and present members of an organisation. It takes one statement,
    or none without people."""
    ids = list(user_ids)
    if not ids:
        return set()
    return set(
        Membership.objects.filter(
            user__in=ids, user__is_active=True, organisation_id=organisation_id, ended_at=None
        ).values_list("user_id", flat=True)
    )


def members_named(names: Iterable[str], organisation_id: UUID) -> dict[str, UUID]:
    """Return the ids of active, present members of an organisation by the given names, each an id or a mail
    address. Names of other people are left out. It takes one statement."""
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
    """Return the places where a person is a member or holds roles, organisations first. It takes two
    statements."""
    places: dict[UUID | None, PlaceOfPerson] = {}
    memberships = (
        Membership.objects.filter(user=user, ended_at=None)
        .select_related("organisation__region")
        .order_by("organisation__name")
    )
    for membership in memberships:
        place = PlaceOfPerson(
            organisation=membership.organisation, is_member=True, is_default=membership.is_default
        )
        places[membership.organisation_id] = place
    grants = (
        RoleGrant.objects.filter(user=user, revoked_at=None)
        .select_related("organisation__region", "region")
        .order_by("organisation__name", "region__name", "role")
    )
    for grant in grants:
        key = grant.organisation_id or grant.region_id
        place = places.setdefault(key, PlaceOfPerson(grant.organisation, grant.region))
        if grant.role not in place.roles:  # one held for several instruments
            place.roles.append(grant.role)
    return list(places.values())


def demo_accounts() -> list[DemoAccount]:
    """Return the demonstration accounts that anyone may try, by the role that each demonstrates, in the order
    of creation. Most people of the demonstration have no password and exist only as people who booked."""
    grants = (
        RoleGrant.objects.filter(user__is_demo=True, user__is_active=True, revoked_at=None)
        .exclude(user__password__startswith=UNUSABLE_PASSWORD_PREFIX)
        .select_related("user", "organisation", "region")
        .order_by("user__created_at", "user__pk")
    )
    shown: dict[UUID, RoleGrant] = {}
    for grant in sorted(grants, key=lambda grant: -ROLES_SHOWN.index(grant.role)):
        shown.setdefault(grant.user_id, grant)  # who manages also books
    rows = sorted(shown.values(), key=lambda grant: ROLES_SHOWN.index(grant.role))
    return [DemoAccount(row.user, row.role, row.organisation or row.region) for row in rows]
