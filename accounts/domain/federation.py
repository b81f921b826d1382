"""What an identity provider says of a person, and how much of it is believed.

A provider vouches for its own scopes only: `member@uni.example` counts where the provider may
speak for `uni.example`, and is passed over elsewhere. A person is known by the provider and the
identifier it gives, never by a mail address.
"""

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from accounts.domain.errors import NotPermitted, invalid

SCOPE = re.compile(r"(?=.{1,100}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
MOST_SCOPES = 50
LONGEST_KEY = 191
# Affiliations of eduPerson that say somebody belongs there; alum, affiliate and library-walk-in
# do not.
BELONGS = frozenset({"member", "faculty", "staff", "student", "employee"})


@dataclass(frozen=True)
class Affiliation:
    """`kind` at `scope`: `member@uni.example`."""

    kind: str
    scope: str

    def __str__(self) -> str:
        return f"{self.kind}@{self.scope}"


def parse_scopes(values: Iterable[str], field: str = "scopes") -> list[str]:
    """Scopes in small letters, each once, in order; `Invalid` for what is no domain."""
    scopes = sorted({value.strip().lower() for value in values if value.strip()})
    if len(scopes) > MOST_SCOPES:
        raise invalid(field, "too-many", most=MOST_SCOPES)
    for scope in scopes:
        if not SCOPE.fullmatch(scope):
            raise invalid(field, "unknown-scope", scope=scope[:100])
    return scopes


def parse_affiliations(values: Iterable[str]) -> list[Affiliation]:
    """Scoped affiliations, in small letters; what has not the shape is passed over."""
    parts = (value.strip().lower().rpartition("@") for value in values)
    return [Affiliation(kind, scope) for kind, _, scope in parts if kind and scope]


def affiliations(values: Iterable[str], may_assert: Collection[str]) -> list[Affiliation]:
    """Return the scoped affiliations that are believed."""
    return [item for item in parse_affiliations(values) if item.scope in may_assert]


def require_own_scope(identifier: str, may_assert: Collection[str]) -> None:
    """Raise `NotPermitted` (`scope-not-allowed`) for an identifier of somebody else's scope."""
    _, _, scope = identifier.rpartition("@")
    if scope.strip().lower() not in may_assert:
        raise NotPermitted("scope-not-allowed", scope=scope[:100])


def vouches_for(email: str, may_assert: Iterable[str]) -> bool:
    """Return whether a provider's word on a mail address counts: it lies in one of its scopes."""
    domain = email.rpartition("@")[2].strip().lower()
    return any(domain == scope or domain.endswith(f".{scope}") for scope in may_assert)


def key_of(issuer: str, identifier: str) -> str:
    """Return what a person's way in is kept under: who says it, and what they call them."""
    key = f"{issuer}#{identifier}"
    if len(key) <= LONGEST_KEY:
        return key
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()
