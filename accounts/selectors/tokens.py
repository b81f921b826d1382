"""API tokens, of people and of service accounts."""

from datetime import datetime

from allauth.idp.oidc.models import Token
from django.db.models import Q, QuerySet

from accounts.models import ApiToken, User
from accounts.prepared import Prepared


def token_by_digest(digest: bytes, now: datetime) -> ApiToken | None:
    """Return the token with a digest if it is neither expired nor revoked and its user is active, or is a
    service account that is open, whose scopes then limit the token's; otherwise None."""
    row = _BY_DIGEST.first(digest=digest, now=now)
    return row and limited(row)


def client_token(digest: bytes, now: datetime) -> ApiToken | None:
    """Return the short token that a client of a service account has fetched by OAuth, as the API's own tokens
    are, though not stored as one; None if it has expired, or the account does not go on. It is the account's,
    or that of the person who allowed the program to act for them. Its scopes are those that token, client and
    account have today."""
    row = _OF_CLIENT.first(digest=digest.hex(), now=now)
    if row is None or row.client is None or row.client.owner is None or not row.client.owner.is_service:
        return None
    token = limited(
        ApiToken(
            user=row.client.owner,
            label=row.client.name,
            scopes=[scope for scope in row.get_scopes() if scope in row.client.get_scopes()],
            with_second_factor=True,
            created_at=row.created_at,
            expires_at=row.expires_at,
            last_used_at=now,
        )
    )
    if token is None or row.user is None:
        return token
    if not row.user.is_active:
        return None
    token.user, token.with_second_factor = row.user, bool((row.data or {}).get("second_factor"))
    return token


_OF_CLIENT = Prepared(
    lambda digest, now: Token.objects.select_related(
        "client__owner__service_account__organisation", "user"
    ).filter(type=Token.Type.ACCESS_TOKEN, hash=digest, expires_at__gt=now)
)


def limited(token: ApiToken) -> ApiToken | None:
    """Return a token as it holds now: None if whose it is may not act, and of a service account with no more
    scopes than that has."""
    if token.user.is_active:
        return token
    account = getattr(token.user, "service_account", None) if token.user.is_service else None
    if account is None or not account.is_open or account.organisation.closed_at is not None:
        return None
    token.scopes = [scope for scope in token.scopes if scope in account.scopes]
    return token


_BY_DIGEST = Prepared(
    lambda digest, now: ApiToken.objects.select_related("user__service_account__organisation").filter(
        Q(expires_at=None) | Q(expires_at__gt=now), digest=digest, revoked_at=None
    )
)


def token_of(user: User, token_id: str) -> ApiToken | None:
    return ApiToken.objects.filter(user=user, pk=token_id).first()


def tokens_of(user: User) -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(user=user, revoked_at=None).order_by("-created_at")
