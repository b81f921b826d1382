"""What no page has dealt with: a refusal, a method that an address does not know, caches."""

import logging
from collections.abc import Callable, Iterable, Iterator

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve, reverse
from django.utils.cache import patch_vary_headers

from accounts.domain.errors import NotPermitted, Refused
from accounts.replica import acted
from bookings.overview.selectors.home import counts_forget
from bookings.record.messages import sentence
from config.pages.errors import NO_VALUES, away, away_code, closed_meanwhile, page, refused_page

# Addresses that only take a form, where the page of the form does not lie above them.
PAGE_OF = {
    "accounts:token-revoke": "accounts:profile",
    "bookings:money-charges-decide": "bookings:money-charges",
}


log = logging.getLogger(__name__)


class KeepingMiddleware:
    """Who may keep an answer. What is no file for everybody differs by language and by who asks;
    what is for one person, by their session, a token or a secret in the address, nobody keeps."""

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
        return response


class ProxyMiddleware:
    """Says what is wrong where proxy and settings disagree about TLS, instead of leading a browser
    round and round to the address that it came from."""

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
                "BEHIND_TLS_PROXY is set, but the proxy in front does not send"
                " X-Forwarded-Proto.\n",
                status=500,
                content_type="text/plain",
            )
        return self.get_response(request)


class CountsMiddleware:
    """What waits for a person is counted anew after each of their acts, on pages and by the API;
    and they read what they wrote."""

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
    """A table whose rows fail while it is sent says so in its last line: the server ends the answer
    as it ends a whole one, and nothing else tells them apart."""

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
    except Exception:  # whatever it is, who reads the file must know
        log.exception("A table was cut short")
        yield f"\r\n\r\n{text}\r\n".encode()


class RefusalMiddleware:
    """Pages only; the API has its own handler (config/api.py)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # The database takes no NUL, so nothing has an address with one; not every page of a package
        # asks it so gently.
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
    """Pages only. Whoever comes to where a form is sent, as after signing in or changing the
    language on a form that was refused, lands on the page of the form: it lies above the address
    (/money/charges/7/dispute/ on /money/charges/7/). Elsewhere a page says what is wrong."""

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
    """Return the next address above the request's that there is; None for the first page itself."""
    match = request.resolver_match
    if match and match.view_name in PAGE_OF:
        return reverse(PAGE_OF[match.view_name])
    path = request.path
    while path != "/":
        path = path.rstrip("/").rpartition("/")[0] + "/"
        try:
            resolve(path)
        except Resolver404:
            continue
        return path
    return None
