"""The programs that act for a person: OAuth clients of service accounts which the person has allowed.

A permission is one row of allauth's tokens, whatever its secret is by now: a code until the program has
fetched tokens with it, then a refresh token, which is replaced at each use.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.idp.oidc.models import Client, Token
from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from accounts.domain import programs as rules
from accounts.domain.errors import NotFound
from accounts.models import User


def programs_of(user: User, now: datetime) -> QuerySet[Client]:
    """Return the OAuth clients that may act for a person now."""
    grants = Token.objects.filter(type=Token.Type.REFRESH_TOKEN, user=user, expires_at__gt=now)
    rows: QuerySet[Client] = Client.objects.filter(Exists(grants.filter(client=OuterRef("pk"))))
    return (
        rows.select_related("owner__service_account__organisation")
        .prefetch_related(Prefetch("token_set", queryset=grants.order_by("pk"), to_attr="grants"))
        .order_by("-created_at", "id")
    )


def program_by_id(user: User, program_id: UUID, now: datetime) -> Client:
    """Return one of the clients that may act for a person; raise `NotFound` for any other."""
    row = programs_of(user, now).filter(pk=str(program_id)).first()
    if row is None:
        raise NotFound
    return row


def described(rows: Iterable[Any]) -> list[Any]:
    """Return clients that act for a person, each with `allowed` (the scopes that are left of those the person
    allowed), `since`, and `last_used_at`, to within the hour that a token works."""
    rows = list(rows)
    for row in rows:
        may = {scope for grant in row.grants for scope in grant.get_scopes()}
        owners = row.owner.service_account.scopes
        row.allowed = [scope for scope in row.get_scopes() if scope in may and scope in owners]
        row.since = min(grant.created_at for grant in row.grants)
        row.last_used_at = rules.fetched_at(max(grant.expires_at for grant in row.grants))
        row.organisation = row.owner.service_account.organisation
    return rows
