"""Middleware for caching rules, refusals, methods an address does not support, and counts."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from accounts.api.endpoint import body_length
from accounts.domain.errors import NotPermitted, Refused
from accounts.middleware import PROGRAMS
from accounts.replica import acted
from accounts.selectors.installation import maintenance_now
from accounts.selectors.waits import counts_forget
from bookings.record.messages import sentence
from config.operations.forwarded import forwarded_note
from config.pages.errors import (
    NO_VALUES,
    away,
    away_code,
    bare,
    closed_meanwhile,
    maintained,
    page,
    refused_page,
    wrote_looking,
)

log = logging.getLogger(__name__)


class KeepingMiddleware:
    """Sets who may cache an answer. Pages differ by language and reader, so caches must ask again for them,
    and nobody stores what belongs to one person by their session, a token or a secret in the address. An
    answer that sets a cookie, like every page with a form, is stored only by the visitor's browser, because
    the page contains the form's secret too."""

    SECRETS = frozenset({"token", "key"})  # in addresses

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        kept = response.get("Cache-Control", "")
        if "public" in kept:
            return response
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
        match = request.resolver_match
        is_for_one = (
            settings.SESSION_COOKIE_NAME in {**request.COOKIES, **response.cookies}
            or "Authorization" in request.headers
            or (match is not None and not self.SECRETS.isdisjoint(match.kwargs))
        )
        if is_for_one and "no-store" not in kept:
            response["Cache-Control"] = "private, no-store"
        elif response.cookies and not kept:
            response["Cache-Control"] = "private"
        return response


class OtherSitesMiddleware:
    """Lets scripts of any site read what anybody may read here. They never act for the visitor: for `*`
    browsers neither send cookies nor show an answer to a request that had some, and `Authorization` is not
    among the headers that a script may send. That is why the answer can be the same for everybody, too: one
    without the header, kept by a cache, would be useless to the next site."""

    OPEN = frozenset(
        {
            "oai", "instruments:file", "bookings:instrument-feed", "api-schema", "api-dcat",
            "api-availability-feed",
            "api-catalogue-records", "api-instruments", "api-instrument-facets", "api-instrument",
            "api-instrument-pidinst", "api-instrument-pidinst-xml",
            "api-instrument-datacite", "api-instrument-datacite-xml",
            "api-attachments", "api-availability", "api-capabilities", "api-opening-hours", "api-policy",
            "api-rate-cards", "api-facilities", "api-facility", "api-organisations", "api-organisation",
            "api-regions", "api-region", "api-techniques", "api-technique", "api-measurands",
            "api-measurand", "api-parameters", "api-parameter",
        }
    )  # fmt: skip
    POSTS = frozenset({"oai"})  # which only reads
    SHOWN = "ETag, Retry-After, Content-Disposition, Deprecation, Sunset"
    READS = frozenset({"GET", "HEAD"})

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            with suppress(Resolver404):
                if (name := resolve(request.path_info).view_name) in self.OPEN:
                    return self._before(name)
        response = self.get_response(request)
        match = request.resolver_match
        name = match.view_name if match else ""
        if name in self.OPEN and (request.method in self.READS or name in self.POSTS):
            response["Access-Control-Allow-Origin"] = "*"
            response["Access-Control-Expose-Headers"] = self.SHOWN
        return response

    def _before(self, name: str) -> HttpResponse:
        """Return what a browser wants to know before a request with headers of its own."""
        methods = sorted(self.READS | ({"POST"} if name in self.POSTS else set()))
        return HttpResponse(
            status=204,
            headers={
                "Access-Control-Allow-Origin": "*",
                "Access-Control-Allow-Methods": ", ".join(methods),
                "Access-Control-Allow-Headers": "If-None-Match, If-Modified-Since",
                "Access-Control-Max-Age": "86400",
            },
        )


class ProxyMiddleware:
    """Explains the mistake if the proxy and the settings disagree about TLS, instead of redirecting the
    browser in an endless loop; and notes for `doctor` if they disagree about the number of proxies."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not settings.LOCAL_MODE:
            forwarded_note(request)
        if not settings.SECURE_SSL_REDIRECT or request.is_secure():
            return self.get_response(request)
        scheme = request.headers.get("X-Forwarded-Proto")
        if settings.SECURE_PROXY_SSL_HEADER is None and scheme == "https":
            return HttpResponse(
                "The proxy in front came by https, but BEHIND_TLS_PROXY is not set.\n",
                status=500,
                content_type="text/plain",
            )
        if settings.SECURE_PROXY_SSL_HEADER is not None and scheme is None:
            return HttpResponse(
                "BEHIND_TLS_PROXY is set, but the proxy in front does not send X-Forwarded-Proto.\n",
                status=500,
                content_type="text/plain",
            )
        return self.get_response(request)


class MaintenanceMiddleware:
    """Answers 503 to everything that would change something while there is maintenance. Reading goes on. What
    people need to sign in and out stays open, and so does what ends the maintenance; these decide by
    themselves who may."""

    READS = frozenset({"GET", "HEAD", "OPTIONS"})
    OPEN = frozenset(
        {
            "account_login", "account_logout", "account_reauthenticate", "account_confirm_login_code",
            "mfa_authenticate", "mfa_reauthenticate", "mfa_login_webauthn", "mfa_reauthenticate_webauthn",
            "openid_connect_login", "saml_login", "saml_acs", "saml_finish_acs", "saml_sls",
            "accounts:language", "bookings:operations-look-stop",
            "bookings:maintenance-time-end", "bookings:maintenance-prolong",
            "api-maintenance-time-end", "api-maintenance-time-prolong",
        }
    )  # fmt: skip

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        match = request.resolver_match
        if request.method in self.READS or (match is not None and match.view_name in self.OPEN):
            return None
        now = timezone.now()
        spell = maintenance_now(now)
        return maintained(request, spell, now) if spell else None


class StrangersMiddleware:
    """Limits the size of what people who are not signed in may send to pages; more than that is not read. The
    API checks by itself, because a token may identify its callers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *args: Any) -> HttpResponse | None:
        if (
            request.path.startswith(PROGRAMS)
            or body_length(request) <= settings.STRANGERS_MOST
            or request.user.is_authenticated
        ):
            return None
        return page(request, 413, "request-too-large")


class CountsMiddleware:
    """Recounts what waits for a person after each of their acts, on pages and by the API, and makes sure that
    they read what they wrote."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method in {"GET", "HEAD", "OPTIONS"}:
            return response
        if request.user.is_authenticated:
            acted(request.user.pk)
        if request.user.is_authenticated and response.status_code < 500:
            counts_forget(request.user.pk)
        return response


class CutShortMiddleware:
    """Adds a last line to a CSV file whose rows fail while it is sent, saying so: the server ends such an
    answer like a complete one, and nothing else distinguishes them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, StreamingHttpResponse) and "csv" in response["Content-Type"]:
            response.streaming_content = _told(response.streaming_content, sentence("cut-short"))
        return response


def _told(pieces: Iterable[bytes], text: str) -> Iterator[bytes]:
    try:
        yield from pieces
    except Exception:  # whatever the error, readers of the file must know
        log.exception("A table was cut short")
        yield f"\r\n\r\n{text}\r\n".encode()


class RefusalMiddleware:
    """Turns refusals raised by pages into error pages; the API has its own handler
    (config/api/problems.py)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # The database stores no NUL, so no row has an address with one; pages of some packages would fail
        # on it instead of answering 404.
        if "\0" in request.path and not request.path.startswith(PROGRAMS):
            return page(request, 404, "not-found")
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, NO_VALUES):
            log.warning("%s has values that cannot be meant", request.path, exc_info=exception)
            return page(request, 400, "invalid")
        if wrote_looking(request, exception):
            return bare(request, 403, "looking")
        if code := away_code(exception):
            return away(request, code)
        exception = closed_meanwhile(exception) or exception
        if not isinstance(exception, Refused):
            return None
        if isinstance(exception, NotPermitted) and not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return refused_page(request, exception)


class MethodMiddleware:
    """Handles GET at addresses of pages that accept only POST, as happens after signing in, or changing the
    language on a refused form. It redirects to the page with the form, which lies above the address
    (/money/charges/7/ for /money/charges/7/dispute/); if there is none, a page says what is wrong."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 405 or request.path.startswith(PROGRAMS):
            return response
        if request.method in {"GET", "HEAD"} and (above := _page_above(request)):
            return HttpResponseRedirect(above)
        answer = page(request, 405, "method-not-allowed")
        answer["Allow"] = response.get("Allow", "")
        return answer


def _page_above(request: HttpRequest) -> str | None:
    """Return the address of the page whose form posts to the request's address, or of the nearest page above
    it; None if there is none."""
    match = request.resolver_match
    if match and (page_of := getattr(match.func, "page", None)):
        with suppress(Refused):
            return str(page_of(request, *match.kwargs.values()))
    path = request.path
    while path != "/":
        path = path.rstrip("/").rpartition("/")[0] + "/"
        try:
            resolve(path)
        except Resolver404:
            continue
        return path
    return None
