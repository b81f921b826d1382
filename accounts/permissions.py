"""Who is asking, and may they: grants become an `Actor`, an act is allowed or refused."""

from typing import Any

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import NOBODY, Actor, Place
from accounts.selectors.memberships import load_actor


def actor_of(user: Any) -> Actor:
    """The actor behind a Django user; nobody for an anonymous or inactive one.

    Two statements the first time, then kept on the user object of this request.
    """
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return NOBODY
    if not hasattr(user, "_actor"):
        user._actor = load_actor(user)
    actor: Actor = user._actor
    return actor


def require(actor: Actor, capability: str, place: Place) -> None:
    """`NotPermitted` unless a grant carries the capability at the place."""
    if not actor.may(capability, place):
        raise NotPermitted(capability=capability)
