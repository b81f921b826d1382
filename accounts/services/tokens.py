"""Create and revoke API tokens. A token is shown only once; only its digest is stored."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import NotPermitted, invalid
from accounts.domain.roles import PROVISION, By, Places
from accounts.models import ApiToken, User
from accounts.permissions import actor_of, require_second_factor
from accounts.selectors.rows import visible
from accounts.selectors.secrets import digest_of
from accounts.selectors.users import has_second_factor

SCOPES = ("read", "book", "manage", "upload")
# Of a directory: the people of an organisation, and nothing else. No token has it unless it is asked for.
ALL_SCOPES = (*SCOPES, PROVISION)
LONGEST = timedelta(days=366)
TOUCHED_EVERY = timedelta(minutes=5)
PREFIX = "ic_"


@transaction.atomic
def token_issue(
    *, user: User, label: str, lifetime: timedelta, now: datetime, scopes: Iterable[str] = SCOPES
) -> tuple[ApiToken, str]:
    """Issue a token: return its row and the token itself, which cannot be obtained again. Raise
    `NotPermitted` if the person's roles demand a second factor and they have none (`second-factor-missing`),
    and for the scope of directories if they manage no organisation's members (`scope-for-managers`)."""
    require_second_factor(user, confirmed=True)
    label, chosen = label.strip(), sorted(set(scopes))
    if not label or len(label) > 60:
        raise invalid("label", "required" if not label else "too-long", most=60)
    if not chosen or not set(chosen) <= set(ALL_SCOPES):
        raise invalid("scopes", "unknown-value")
    if PROVISION in chosen and not actor_of(user).organisations_where("manage-members"):
        raise NotPermitted("scope-for-managers")
    if not timedelta() < lifetime <= LONGEST:
        raise invalid("days", "out-of-range", least=1, most=LONGEST.days)
    return token_put(
        By(actor_of(user), now),
        user=user,
        label=label,
        scopes=chosen,
        # The page asks everybody who has a second factor to confirm with it.
        with_second_factor=has_second_factor(user),
        expires_at=now + lifetime,
    )


def token_put(
    by: By,
    *,
    user: User,
    label: str,
    scopes: list[str],
    with_second_factor: bool,
    expires_at: datetime | None,
    places: Places | None = None,
) -> tuple[ApiToken, str]:
    """Store a new token, for a caller who has checked that this is allowed; return its row and the token."""
    token = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken.objects.create(
        user=user,
        label=label,
        digest=digest_of(token),
        scopes=scopes,
        with_second_factor=with_second_factor,
        created_at=by.now,
        expires_at=expires_at,
    )
    after = {"user": user.pk, "scopes": row.scopes, "expires_at": row.expires_at}
    trail.record(by, "token.issue", row, after=after, places=places)
    return row, token


@transaction.atomic
def token_revoke(by: By, *, token_id: UUID) -> None:
    """Revoke a token of the actor's own; revoking it twice changes nothing."""
    row = visible(ApiToken.objects.select_for_update(), pk=token_id, user_id=by.actor.person)
    by.require_version(row.version)
    if row.revoked_at is None:
        row.revoked_at = by.now
        row.save(update_fields=["revoked_at"])
        trail.record(by, "token.revoke", row)


def token_touch(*, token_id: UUID, now: datetime) -> None:
    """Store when a token was last used, at most once every `TOUCHED_EVERY`."""
    ApiToken.objects.filter(pk=token_id).exclude(last_used_at__gt=now - TOUCHED_EVERY).update(
        last_used_at=now
    )
