"""Limit how often a password may be tried (docs/decisions/0008).

A browser in which the person has signed in before is known by a signed cookie and counted on its own, so that
somebody who guesses passwords elsewhere does not lock it out. Attempts from other browsers are counted for
the account at this network address, for the account, and for the network address. Only failures count.
"""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import RequestLoginCodeForm
from allauth.core import context
from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import get_random_string

from accounts.models import User
from accounts.selectors.administration import unlocked_mark
from accounts.selectors.users import user_by_email
from accounts.services.users import sign_in_blocked

COOKIE, SALT = "known_browser", "accounts.known-browser"
REMEMBERED = 365 * 24 * 3600  # seconds
MOST_PEOPLE = 5  # in one browser
APP = "allauth.account"
CODE_LIMITS = {
    "password_browser": "code_here",
    "password_here": "code_here",
    "password_account": "code_account",
}


def remember_browser(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Mark the browser as one that the person has signed in with. Marks of people who used it before are
    kept."""
    known = _browsers(request)
    number = known.pop(user.pk.hex, "") or get_random_string(12)
    latest = dict([*known.items(), (user.pk.hex, number)][-MOST_PEOPLE:])
    response.set_cookie(
        COOKIE,
        signing.dumps(latest, salt=SALT),
        max_age=REMEMBERED,
        path="/accounts/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _browsers(request: HttpRequest) -> dict[str, str]:
    """Return the number of this browser for each person who has signed in with it, by the id of the
    person."""
    try:
        given = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=REMEMBERED)
    except signing.BadSignature:
        return {}
    return dict(given)


def attempt(request: HttpRequest, email: str) -> ratelimit.RateLimitUsage | None:
    """Count an attempt with a password and return the counts; return None, without counting, if a limit is
    reached."""
    limits = _limits(request, email)
    if any(_is_reached(request, action, key) for action, key in limits):
        return None
    counted = [ratelimit.consume(request, app=APP, action=action, key=key) for action, key in limits]
    if not all(counted):  # a concurrent attempt reached the limit first
        return None
    return ratelimit.RateLimitUsage([one for usage in counted if usage for one in usage.usage])


def forget_attempts(request: HttpRequest, email: str) -> None:
    """Reset the failed sign-in attempts counted for an account; those counted for the network address
    stay."""
    for action, key in _limits(request, email):
        if key:
            ratelimit.clear(request, app=APP, action=action, key=key)


def _limits(request: HttpRequest, email: str) -> list[tuple[str, str | None]]:
    """Return the ACCOUNT_RATE_LIMITS that apply to the attempt, each with the key that it is counted
    under."""
    user = None if "\0" in email else user_by_email(email)
    account = user.pk.hex if user else email.strip().lower()
    browser = _browsers(request).get(account, "")
    if user:
        account += unlocked_mark(user.pk)  # so that nothing counts from before it was unlocked
    if user and request.user == user:  # they confirm who they are while signed in
        browser = browser or str(request.session.session_key)
    if browser:
        return [("password_browser", f"{account}:{browser}")]
    return [
        ("password_here", f"{account}:{ratelimit.get_ip(request)}"),
        ("password_account", account),
        ("password_address", None),
    ]


def _is_reached(request: HttpRequest, action: str, key: str | None) -> bool:
    return not ratelimit.consume(request, app=APP, action=action, key=key, dry_run=True)


def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    """Record in the trail that an account has reached a limit, once each time; later attempts are refused
    before this."""
    email = str(credentials.get("email") or credentials.get("username") or "")
    user = None if request is None or "\0" in email else user_by_email(email)
    if user is None or request is None:
        return
    if any(_is_reached(request, action, key) for action, key in _limits(request, email) if key):
        sign_in_blocked(user=user, now=timezone.now())


class CodeForm(RequestLoginCodeForm):  # type: ignore[misc]
    """Asks for the address to which a sign-in code is mailed. Requests are counted per account and network
    address, and per account over all unknown browsers, so that somebody who keeps asking for another person's
    codes does not lock that person out."""

    def clean_email(self) -> str:
        email: str = super().clean_email()
        for action, key in _limits(context.request, email):
            limit = CODE_LIMITS.get(action)
            if limit and not ratelimit.consume(context.request, app=APP, action=limit, key=key):
                raise get_adapter().validation_error("too_many_login_attempts")
        return email


def connect() -> None:
    user_login_failed.connect(_failed, dispatch_uid="accounts.limits")
