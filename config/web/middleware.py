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
from django.utils.cache import patch_vary_headers

from accounts.api.endpoint import body_length
from accounts.domain.errors import NotPermitted, Refused
from accounts.replica import acted
from accounts.selectors.waits import counts_forget
from bookings.record.messages import sentence
from config.pages.errors import NO_VALUES, away, away_code, closed_meanwhile, page, refused_page

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


class ProxyMiddleware:
    """Explains the mistake if the proxy and the settings disagree about TLS, instead of redirecting the
    browser in an endless loop."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
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


class StrangersMiddleware:
    """Limits the size of what people who are not signed in may send to pages; more than that is not read. The
    API checks by itself, because a token may identify its callers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *args: Any) -> HttpResponse | None:
        if (
            request.path.startswith("/api/")
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
        if "\0" in request.path and not request.path.startswith("/api/"):
            return page(request, 404, "not-found")
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, NO_VALUES):
            log.warning("%s has values that cannot be meant", request.path, exc_info=exception)
            return page(request, 400, "invalid")
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
        if response.status_code != 405 or request.path.startswith("/api/"):
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
