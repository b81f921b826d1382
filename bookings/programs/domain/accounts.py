"""Rules of service accounts: the roles they get, the yearly question, how long a replaced token works."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from accounts.domain.errors import FieldProblem, Invalid
from accounts.domain.roles import ADMINISTRATOR, MANAGER, OPERATOR, PROVISION, SERVICE_ROLES

LOOK_EVERY = timedelta(days=365)
PATIENCE = timedelta(days=60)  # after the question whether it is needed
OVERLAP = timedelta(days=7)
MOST_ACCOUNTS = 50  # of an organisation that are not ended
MOST_TOKENS = 10  # of an account that are not revoked
MOST_CLIENTS = 10  # of an account


def roles_to_give(held: Iterable[str]) -> frozenset[str]:
    """Return the roles that a service account may get from somebody who holds these roles for the whole
    organisation, or for the platform. Nobody gives it more than they hold, since they see its tokens; an
    administrator, who gives every role of an organisation, gives all."""
    held = set(held)
    if ADMINISTRATOR in held:
        return SERVICE_ROLES
    if MANAGER not in held:
        return frozenset()
    return SERVICE_ROLES & (held | {OPERATOR})


def checked(
    *, name: str, purpose: str, roles: Collection[str], scopes: Collection[str], known: Collection[str]
) -> None:
    """Raise `Invalid` with everything that is wrong with what a service account is given."""
    problems = [
        FieldProblem(field, "required" if not text else "too-long", {"most": most})
        for field, text, most in (("name", name, 150), ("purpose", purpose, 200))
        if not text or len(text) > most
    ]
    if not set(roles) <= SERVICE_ROLES:
        problems.append(FieldProblem("roles", "unknown-value"))
    if not scopes or not set(scopes) <= set(known):
        problems.append(FieldProblem("scopes", "unknown-value" if scopes else "required"))
    # What it tells of people goes to those who manage them.
    if PROVISION in scopes and MANAGER not in roles:
        problems.append(FieldProblem("roles", "provision-needs-manager"))
    if problems:
        raise Invalid(problems)


def is_to_ask(looked_at: datetime, now: datetime) -> bool:
    """Return whether a year has passed since somebody said that the account is needed."""
    return looked_at <= now - LOOK_EVERY


def stops_at(asked_at: datetime) -> datetime:
    """Return when an account stops if nobody answers the question whether it is needed."""
    return asked_at + PATIENCE


def old_until(expires_at: datetime | None, now: datetime) -> datetime:
    """Return until when a token works beside the one that takes its place: a week, or as long as it would
    have."""
    until = now + OVERLAP
    return until if expires_at is None else min(until, expires_at)
