"""Sign programs in by a personal token, or by the session of the browser they run in."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, PermissionDenied, Throttled
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.api.throttling import Strangers
from accounts.domain.errors import NotPermitted
from accounts.models import ApiToken, User
from accounts.permissions import actor_of, confirmed_by_second_factor, require_person, require_second_factor
from accounts.selectors.installation import maintenance_now
from accounts.selectors.secrets import digest_of
from accounts.selectors.tokens import client_token, token_by_digest
from accounts.services.tokens import PREFIX, TOUCHED_EVERY, token_touch


class BearerAuthentication(BaseAuthentication):
    """Reads `Authorization: Bearer TOKEN`. An unknown, expired or revoked token is refused even where nobody
    has to be signed in, since whoever sends a token expects to be recognised."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        now = timezone.now()
        digest = digest_of(token.strip())
        row = token_by_digest(digest, now)
        if row is None and not token.strip().startswith(PREFIX):
            row = client_token(digest, now)
        # Demonstration accounts have known passwords: they open nothing but a demonstration.
        if row is None or (row.user.is_demo and not settings.LOCAL_MODE):
            strangers = Strangers()
            if not strangers.allow_request(request, None):
                raise Throttled(wait=strangers.wait())
            raise AuthenticationFailed(code="bad-token")
        if _is_stale(row.last_used_at, now) and not maintenance_now(now):
            token_touch(token_id=row.pk, now=now)
        return row.user, row

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def _is_stale(last_used_at: datetime | None, now: datetime) -> bool:
    return last_used_at is None or last_used_at <= now - TOUCHED_EVERY


class BrowserAuthentication(SessionAuthentication):
    """Reads the session of a person signed in on our pages; requests that write need the CSRF token."""

    def enforce_csrf(self, request: Any) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied:
            raise PermissionDenied(code="csrf") from None


class Scoped(BasePermission):
    """Let anybody read; a request that writes needs a person, and a token needs the scope for it.

    A request that only reads needs the endpoint's `read_scope`, any other its `write_scope`. Whether the
    person may do the act is decided by the service.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        writes = request.method not in SAFE_METHODS and not view.only_reads
        if not request.user.is_authenticated:
            if writes or view.needs_person:
                raise NotAuthenticated
            return True
        if isinstance(request.auth, ApiToken):
            confirmed = request.auth.with_second_factor
        else:
            confirmed = confirmed_by_second_factor(request)
        require_second_factor(request.user, confirmed=confirmed)
        if writes and view.for_persons:
            require_person(actor_of(request.user))
        scope = view.write_scope if writes else view.read_scope
        if isinstance(request.auth, ApiToken) and scope not in request.auth.scopes:
            raise NotPermitted("scope-missing", scope=scope)
        return True
