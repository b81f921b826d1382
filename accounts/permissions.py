"""Turn role grants into an `Actor`, and allow or refuse their acts."""

from typing import Any

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpRequest

from accounts.domain.errors import NotPermitted, WrongState
from accounts.domain.roles import CAPABILITIES, NEEDS_OPEN, NOBODY, SECOND_FACTOR_ROLES, Actor, Place
from accounts.selectors.memberships import load_actor
from accounts.selectors.users import has_second_factor


def actor_of(user: Any) -> Actor:
    """Return the actor for a Django user; for an anonymous or inactive one, an actor without rights. A
    service account, which is never active as people are, has those of its roles while it is open.

    It takes one statement the first time and is then kept on the user object of the request.
    """
    if not getattr(user, "is_authenticated", False) or not (user.is_active or user.is_service):
        return NOBODY
    if not hasattr(user, "_actor"):
        user._actor = load_actor(user)
    actor: Actor = user._actor
    return actor


def require(actor: Actor, capability: str, place: Place) -> None:
    """Raise `NotPermitted` unless one of the actor's grants carries the capability at the place. Raise
    `WrongState` (`organisation-closed`) if the capability needs an organisation that still exists. The
    platform itself may do everything."""
    if actor.is_platform:
        return
    if not actor.may(capability, place):
        raise NotPermitted(at=place.organisation_id, capability=capability)
    if place.is_closed and capability in NEEDS_OPEN:
        raise WrongState("organisation-closed")


def require_person(actor: Actor) -> None:
    """Raise `NotPermitted` (`person-needed`) for a service account: whoever makes one must not, through it,
    be the second person that an act asks for, nor give themselves what only others may give them."""
    if actor.is_service:
        raise NotPermitted("person-needed")


def require_somewhere(actor: Actor, capability: str, *, whole: bool = False) -> None:
    """Raise `NotPermitted` unless one of the actor's grants carries the capability, at whatever place;
    `whole`: for more than a facility or an instrument."""
    grants = (grant for grant in actor.grants if not (whole and grant.is_scoped))
    if not actor.can(capability) or not any(grant.role in CAPABILITIES[capability] for grant in grants):
        raise NotPermitted(capability=capability)


def needs_second_factor(user: Any) -> bool:
    """Return whether the person's roles demand a second factor; in a demonstration no role does."""
    if not settings.SECOND_FACTOR_REQUIRED or not user.is_authenticated or user.is_viewed or user.is_service:
        return False
    actor = actor_of(user)
    demand = any(grant.role in SECOND_FACTOR_ROLES for grant in actor.grants)
    return user.is_staff or user.is_superuser or demand


def require_second_factor(user: Any, *, confirmed: bool) -> None:
    """Raise `NotPermitted` if the person's roles demand a second factor and they have none
    (`second-factor-missing`), or the session was not `confirmed` with it (`second-factor-unconfirmed`)."""
    if not needs_second_factor(user):
        return
    if not has_second_factor(user):
        raise NotPermitted("second-factor-missing")
    if not confirmed:
        raise NotPermitted("second-factor-unconfirmed")


def confirmed_by_second_factor(request: HttpRequest) -> bool:
    """Return whether a second factor was used in this session. A session opened with the password alone gains
    nothing when a second factor is set up elsewhere."""
    records = get_authentication_records(request, request.user)
    return any(record["method"] == "mfa" for record in records)
