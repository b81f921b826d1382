"""Middleware for the reader's language and time zone, for second factors, and for redirects to other
sites."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation.trans_real import get_supported_language_variant, parse_accept_lang_header

from accounts.domain.errors import NotPermitted
from accounts.permissions import confirmed_by_second_factor, require_second_factor
from accounts.selectors.installation import installation, usual_zone
from accounts.selectors.zones import zone_keys, zone_of

# Addresses that programs ask, which are answered in the words of programs, refusals, too.
PROGRAMS = ("/api/", "/scim/")


class LanguageMiddleware:
    """Chooses the language: from `?lang=`, else from the cookie, else from the browser's preferences.

    It affects sentences, never codes.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = chosen_language(request)
        request.LANGUAGE_CODE = language
        with translation.override(language):
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", language)
        return response


class ZoneMiddleware:
    """Shows the times on pages in the reader's time zone: the one in their profile; for visitors, the one
    that their browser reports in a cookie (theme.js sets it and then reloads the first page); otherwise the
    installation's. The API answers in UTC."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(PROGRAMS):
            return self.get_response(request)
        user = request.user
        zone = user.time_zone if user.is_authenticated else request.COOKIES.get("time_zone", "")
        if zone not in zone_keys():
            zone = usual_zone()
        elif not user.is_authenticated:
            zone = zone_of(zone)
        with timezone.override(ZoneInfo(zone)):
            return self.get_response(request)


def remember_language(response: HttpResponse, language: str) -> None:
    """Set the language cookie for a year."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=365 * 24 * 3600,
        path=settings.LANGUAGE_COOKIE_PATH,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE,  # type: ignore[arg-type]
    )


def chosen_language(request: HttpRequest) -> str:
    wishes = [request.GET.get("lang"), request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)]
    offered = installation().languages
    accepted = parse_accept_lang_header(request.headers.get("Accept-Language", ""))
    for wish in [*wishes, *(code for code, _ in accepted)]:
        if not wish or wish == "*":
            continue
        # A reader of any Chinese is better served in Chinese than in English.
        if wish.lower() == "zh" or wish.lower().startswith(("zh-cn", "zh-hans", "zh-sg")):
            wish = "zh-hans"
        try:
            language = get_supported_language_variant(wish)
        except LookupError:
            continue
        if language in offered:
            return language
    return offered[0]


class SecondFactorMiddleware:
    """Requires a second factor on pages; the API checks by itself. A person whose roles demand one must set
    it up, or confirm with it, before any other page opens."""

    # Where one is set up, used, and left again.
    OPEN = ("account_", "mfa_", "accounts:language", "healthz", "readyz")

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        match = request.resolver_match
        name = match.view_name if match else ""
        if request.path.startswith(PROGRAMS) or (name or "").startswith(self.OPEN):
            return None
        try:
            require_second_factor(request.user, confirmed=confirmed_by_second_factor(request))
        except NotPermitted as refused:
            if refused.code == "second-factor-missing":
                messages.warning(request, gettext("Your role needs a second factor. Set one up to go on."))
                return HttpResponseRedirect(reverse("mfa_index"))
            way = get_adapter().get_reauthentication_methods(request.user)[0]["url"]
            back = request.get_full_path() if request.method == "GET" else "/"
            return HttpResponseRedirect(f"{way}?{urlencode({REDIRECT_FIELD_NAME: back})}")
        return None


class LeavingMiddleware:
    """Turns a redirect to another site, which answers a form (to sign in there), into a page that goes on by
    itself. The content security policy lets our forms lead to this site only, and browsers apply that to
    redirects too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method != "POST" or response.status_code not in {302, 303}:
            return response
        if getattr(response, "form_may_leave", False):  # its page has a policy of its own
            return response
        where = urlsplit(response["Location"])
        if where.scheme not in {"http", "https"} or where.netloc == request.get_host():
            return response
        context = {"url": response["Location"], "host": where.hostname}
        page = render(request, "accounts/leaving.html", context)
        page.cookies = response.cookies
        add_never_cache_headers(page)
        return page
