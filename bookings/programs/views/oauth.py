"""OAuth 2.1 for programs: where clients of service accounts fetch and revoke their tokens (RFC 6749, 7009),
and what says so (RFC 8414). allauth's identity provider answers; of its addresses no other is open."""

from collections.abc import Callable
from typing import Any

from allauth.idp.oidc import views
from allauth.idp.oidc.models import Client
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from accounts.api.throttling import Addresses, Strangers, exceeded
from accounts.services.tokens import ALL_SCOPES


def _refused(error: str, status: int = 400, **headers: str) -> HttpResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return JsonResponse({"error": error}, status=status, headers=named)


def _answered(request: HttpRequest, view: Callable[[HttpRequest], Any]) -> HttpResponse:
    """Let allauth answer, unless too much is asked from this network address: each secret that is tried takes
    time to compare. Every answer is as JSON, and is kept nowhere."""
    throttles = [Strangers(), Addresses()]
    if refusing := exceeded(throttles, request, None):  # type: ignore[arg-type]  # of both kinds it asks the same
        wait = max(throttle.wait() for throttle in refusing)
        return _refused("temporarily_unavailable", 429, Retry_After=str(int(wait) + 1))
    response: HttpResponse = view(request)
    response["Content-Type"] = "application/json"
    if response.status_code == 401:
        response["WWW-Authenticate"] = 'Basic realm="OAuth"'
    return response


@csrf_exempt  # programs send it, which prove who they are by their secret
@require_POST
@never_cache
def token(request: HttpRequest) -> HttpResponse:
    """Give a client a token of its service account (`client_credentials`, nothing else)."""
    if request.POST.get("grant_type") not in (None, Client.GrantType.CLIENT_CREDENTIALS):
        return _refused("unsupported_grant_type")
    if "resource" in request.POST:  # all tokens are for this API
        return _refused("invalid_target")
    return _answered(request, views.token)


@csrf_exempt  # as above
@require_POST
@never_cache
def revoke(request: HttpRequest) -> HttpResponse:
    """Revoke a token that a client has fetched."""
    return _answered(request, views.revoke)


@require_safe
def metadata(request: HttpRequest) -> HttpResponse:
    """Say where clients fetch tokens, and how."""
    methods = settings.IDP_OIDC_AUTH_METHODS
    return JsonResponse(
        {
            "issuer": settings.SITE_URL,
            "token_endpoint": settings.SITE_URL + reverse("bookings:oauth-token"),
            "token_endpoint_auth_methods_supported": methods,
            "revocation_endpoint": settings.SITE_URL + reverse("bookings:oauth-revoke"),
            "revocation_endpoint_auth_methods_supported": methods,
            "grant_types_supported": [Client.GrantType.CLIENT_CREDENTIALS],
            "response_types_supported": [],
            "scopes_supported": list(ALL_SCOPES),
            "service_documentation": settings.SITE_URL + reverse("api-docs"),
        }
    )
