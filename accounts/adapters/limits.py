"""What the trail keeps of tried passwords: that somebody's account was closed to more of them."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.core import ratelimit
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest
from django.utils import timezone

from accounts.selectors.users import user_by_email
from accounts.services.users import sign_in_blocked


def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    """One line for each time the limit is reached; what is tried after that is not looked at."""
    email = str(credentials.get("email") or credentials.get("username") or "")
    user = None if request is None or "\0" in email else user_by_email(email)
    if user is None:
        return
    key = get_adapter(request)._get_login_attempts_cache_key(request, **credentials)
    if not ratelimit.consume(request, action="login_failed", key=key, dry_run=True):
        sign_in_blocked(user=user, now=timezone.now())


def connect() -> None:
    user_login_failed.connect(_failed, dispatch_uid="accounts.limits")
