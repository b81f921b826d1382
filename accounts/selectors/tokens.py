"""Personal API tokens."""

from datetime import datetime

from django.db.models import QuerySet

from accounts.models import ApiToken, User
from accounts.prepared import Prepared


def token_by_digest(digest: bytes, now: datetime) -> ApiToken | None:
    """Return the token with a digest if it is neither expired nor revoked and its user is active; otherwise
    None."""
    return _BY_DIGEST.first(digest=digest, now=now)


_BY_DIGEST = Prepared(
    lambda digest, now: ApiToken.objects.select_related("user").filter(
        digest=digest, expires_at__gt=now, revoked_at=None, user__is_active=True
    )
)


def token_of(user: User, token_id: str) -> ApiToken | None:
    return ApiToken.objects.filter(user=user, pk=token_id).first()


def tokens_of(user: User) -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(user=user, revoked_at=None).order_by("-created_at")
