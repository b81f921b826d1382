"""OAuth 2.1 for programs: the page on which people allow a program to act for them, and where clients of
service accounts fetch and revoke tokens (RFC 6749, 7009, 7636, 9207), with what says so (RFC 8414). allauth's
identity provider gives clients tokens of their own account; of its addresses no other is open."""

import base64
import binascii
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import unquote_plus

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from allauth.idp.oidc import views
from allauth.idp.oidc.models import Client
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.csp import CSP
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from accounts.api.throttling import Addresses, Strangers, exceeded
from accounts.domain.errors import Invalid, invalid
from accounts.domain.programs import ACCESS_LASTS
from accounts.permissions import actor_of, require_person
from accounts.services.tokens import ALL_SCOPES
from accounts.views.pages import by_of, edits
from bookings.programs.domain import consent as rules
from bookings.programs.selectors import consent
from bookings.programs.services import consent as service

GRANTS = Client.GrantType
FOR_PEOPLE = (GRANTS.AUTHORIZATION_CODE, GRANTS.REFRESH_TOKEN)


class Back(HttpResponseRedirect):
    """Sends a person back to the program that asked, at an address that is registered for it."""

    status_code = 303  # never with what was posted
    form_may_leave = True

    def __init__(self, uri: str, values: dict[str, str | None]) -> None:
        self.allowed_schemes = [uri.partition(":")[0]]
        told = [(name, value) for name, value in values.items() if value is not None]
        super().__init__(rules.answered(uri, told))


def _confirmed(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Have the person confirm who they are if they signed in a while ago, as for a token that they make, and
    then ask them again: an answer that allauth carries out afterwards comes from a page that may not lead to
    the program."""
    confirmed = reauthentication_required(view)

    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponse:
        if request.method == "POST" and is_reauthentication_required(request, app="account"):
            return redirect(request.get_full_path())
        response: HttpResponse = confirmed(request)
        return response

    return checked


@edits
@never_cache
@_confirmed
def authorize(request: HttpRequest) -> HttpResponse:
    """Ask the person whether a program may act for them, and send them back to it with a code, or with what
    was wrong. Where it is not sure that they came from there, they are sent nowhere."""
    require_person(actor_of(request.user))
    uri, state = _one(request, "redirect_uri"), request.GET.get("state")
    client = consent.client_for_people(_one(request, "client_id"), uri)
    if rules.is_too_long(state or ""):
        raise invalid("state", "state-too-long")

    def back(**values: str) -> HttpResponse:
        return Back(uri, {**values, "state": state, "iss": settings.SITE_URL})

    if any(len(values) > 1 for _, values in request.GET.lists()):
        return back(error="invalid_request", error_description="a parameter is given twice")
    kind = request.GET.get("response_type")
    if kind != "code":
        return back(error="unsupported_response_type" if kind else "invalid_request")
    challenge = request.GET.get("code_challenge", "")
    if request.GET.get("code_challenge_method") != "S256" or not rules.CHALLENGE.fullmatch(challenge):
        return back(error="invalid_request", error_description="PKCE with S256 is required")
    if "resource" in request.GET:  # all tokens are for this API
        return back(error="invalid_target")
    if request.GET.get("prompt") == "none":  # people are asked every time
        return back(error="consent_required")
    scopes = consent.scopes_for_people(client, request.GET.get("scope", ""))
    if not scopes:
        return back(error="invalid_scope")
    asked = consent.Asked(client, client.owner.service_account, uri, scopes, challenge)
    if request.method == "POST":
        answer = request.POST.get("answer", "")
        if answer not in ("allow", "refuse"):
            raise invalid("answer", "unknown-act")
        if answer == "refuse":
            return back(error="access_denied")
        return back(code=service.program_allow(by_of(request), asked=asked))
    response = render(request, "bookings/programs/consent.html", {"asked": asked})
    policy = dict(settings.SECURE_CSP)
    policy["form-action"] = [CSP.SELF, *rules.leads_to(uri)]
    response._csp_config = policy  # type: ignore[attr-defined]  # as `csp_override` sets it
    return response


def _one(request: HttpRequest, name: str) -> str:
    """Return the parameter that decides where a person is sent; empty if it is missing, or there twice."""
    values = request.GET.getlist(name)
    return values[0] if len(values) == 1 else ""


def _refused(error: str, status: int = 400, **headers: str) -> HttpResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return JsonResponse({"error": error}, status=status, headers=named)


def _answered(request: HttpRequest, view: Callable[[HttpRequest], Any]) -> HttpResponse:
    """Let a view answer, unless too much is asked from this network address: each secret that is tried takes
    time to compare. Every answer is as JSON, and is kept nowhere."""
    throttles = [Strangers(), Addresses()]
    if refusing := exceeded(throttles, request, None):  # type: ignore[arg-type]  # of both kinds it asks the same
        wait = max(throttle.wait() for throttle in refusing)
        return _refused("temporarily_unavailable", 429, Retry_After=str(int(wait) + 1))
    response: HttpResponse = view(request)
    response["Content-Type"] = "application/json"
    response["Pragma"] = "no-cache"
    if response.status_code == 401:
        response["WWW-Authenticate"] = 'Basic realm="OAuth"'
    return response


@csrf_exempt  # programs send it, which prove who they are by their secret, or by what they have of a person
@require_POST
@never_cache
def token(request: HttpRequest) -> HttpResponse:
    """Give a client a token of its service account, or, for a code or a refresh token, of the person who
    allowed it to act for them."""
    kind = request.POST.get("grant_type")
    if "resource" in request.POST:  # all tokens are for this API
        return _refused("invalid_target")
    if kind in FOR_PEOPLE:
        return _answered(request, _for_people)
    if kind not in (None, GRANTS.CLIENT_CREDENTIALS):
        return _refused("unsupported_grant_type")
    return _answered(request, views.token)


def _for_people(request: HttpRequest) -> HttpResponse:
    if any(len(values) > 1 for _, values in request.POST.lists()):
        return _refused("invalid_request")
    client = _client(request)
    if client is None:
        return _refused("invalid_client", 401)
    kind, now, given = request.POST["grant_type"], timezone.now(), request.POST
    if kind not in client.get_grant_types():
        return _refused("unauthorized_client")
    try:
        if kind == GRANTS.REFRESH_TOKEN:
            if not given.get("refresh_token"):
                return _refused("invalid_request")
            fetched = service.token_refresh(
                client=client, refresh=given["refresh_token"], scope=given.get("scope", ""), now=now
            )
        else:
            if not all(given.get(name) for name in ("code", "redirect_uri", "code_verifier")):
                return _refused("invalid_request")
            fetched = service.code_redeem(
                client=client,
                code=given["code"],
                redirect=given["redirect_uri"],
                verifier=given["code_verifier"],
                now=now,
            )
    except Invalid:
        return _refused("invalid_scope")
    if fetched is None:
        return _refused("invalid_grant")
    return JsonResponse(
        {
            "access_token": fetched.access,
            "token_type": "Bearer",
            "expires_in": int(ACCESS_LASTS.total_seconds()),
            "refresh_token": fetched.refresh,
            "scope": " ".join(fetched.scopes),
        }
    )


def _client(request: HttpRequest) -> Client | None:
    """Return the client that sends a request, if it proves so by its secret, in one way; one that has none is
    known by its id alone."""
    client_id, secret = request.POST.get("client_id", ""), request.POST.get("client_secret", "")
    scheme, _, proof = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            named, _, told = base64.b64decode(proof.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        if secret or client_id not in ("", unquote_plus(named)):
            return None
        client_id, secret = unquote_plus(named), unquote_plus(told)
    client = consent.client_by_name(client_id)
    if client is None:
        return None
    if client.type == Client.Type.PUBLIC:
        return None if secret else client
    return client if secret and client.check_secret(secret) else None


@csrf_exempt  # as above
@require_POST
@never_cache
def revoke(request: HttpRequest) -> HttpResponse:
    """Revoke a token that a client has fetched."""
    return _answered(request, _revoked)


def _revoked(request: HttpRequest) -> HttpResponse:
    shown = request.POST.getlist("token")
    if len(shown) != 1 or not shown[0]:
        return _refused("invalid_request")
    client = _client(request)
    if client is None:
        return _refused("invalid_client", 401)
    service.token_give_back(client=client, shown=shown[0], now=timezone.now())
    return JsonResponse({})


@require_safe
def metadata(request: HttpRequest) -> HttpResponse:
    """Say where people are asked, where clients fetch tokens, and how."""
    methods = settings.IDP_OIDC_AUTH_METHODS
    return JsonResponse(
        {
            "issuer": settings.SITE_URL,
            "authorization_endpoint": settings.SITE_URL + reverse("bookings:oauth-authorize"),
            "token_endpoint": settings.SITE_URL + reverse("bookings:oauth-token"),
            "token_endpoint_auth_methods_supported": [*methods, "none"],
            "revocation_endpoint": settings.SITE_URL + reverse("bookings:oauth-revoke"),
            "revocation_endpoint_auth_methods_supported": [*methods, "none"],
            "grant_types_supported": [GRANTS.CLIENT_CREDENTIALS, *FOR_PEOPLE],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "scopes_supported": list(ALL_SCOPES),
            "service_documentation": settings.SITE_URL + reverse("api-docs"),
        }
    )
