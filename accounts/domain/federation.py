"""Decide how much of what an identity provider says about a person to believe.

A provider vouches only for its own scopes: `member@uni.example` counts only if the provider may make
statements about `uni.example`. A person is known by the provider and the identifier it gives, never by a mail
address.
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
    """A person's relation to an institution: its `kind` and its `scope`, written `member@uni.example`."""

    kind: str
    scope: str

    def __str__(self) -> str:
        return f"{self.kind}@{self.scope}"


def parse_scopes(values: Iterable[str], field: str = "scopes") -> list[str]:
    """Parse scopes into lower case, each once and in their order. Raise `Invalid` for a value that is not a
    domain."""
    scopes = sorted({value.strip().lower() for value in values if value.strip()})
    if len(scopes) > MOST_SCOPES:
        raise invalid(field, "too-many", most=MOST_SCOPES)
    for scope in scopes:
        if not SCOPE.fullmatch(scope):
            raise invalid(field, "unknown-scope", scope=scope[:100])
    return scopes


def parse_affiliations(values: Iterable[str]) -> list[Affiliation]:
    """Parse scoped affiliations such as `member@example.edu` into lower case, skipping values of any other
    form."""
    parts = (value.strip().lower().rpartition("@") for value in values)
    return [Affiliation(kind, scope) for kind, _, scope in parts if kind and scope]


def affiliations(values: Iterable[str], may_assert: Collection[str]) -> list[Affiliation]:
    """Return the scoped affiliations that lie in scopes the provider may assert."""
    return [item for item in parse_affiliations(values) if item.scope in may_assert]


def require_own_scope(identifier: str, may_assert: Collection[str]) -> None:
    """Raise `NotPermitted` (`scope-not-allowed`) for an identifier whose scope the provider may not
    assert."""
    _, _, scope = identifier.rpartition("@")
    if scope.strip().lower() not in may_assert:
        raise NotPermitted("scope-not-allowed", scope=scope[:100])


def vouches_for(email: str, may_assert: Iterable[str]) -> bool:
    """Return whether a provider may vouch for a mail address, which must lie in one of its scopes."""
    domain = email.rpartition("@")[2].strip().lower()
    return any(domain == scope or domain.endswith(f".{scope}") for scope in may_assert)


def key_of(issuer: str, identifier: str) -> str:
    """Return the key of a person's way to sign in: the provider and the identifier that it gives the
    person."""
    key = f"{issuer}#{identifier}"
    if len(key) <= LONGEST_KEY:
        return key
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()
