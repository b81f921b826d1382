"""The reader's language."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation.trans_real import (
    get_supported_language_variant,
    parse_accept_lang_header,
)


class LanguageMiddleware:
    """Chooses the language: `?lang=`, else the cookie, else what the browser asks for.

    Sentences follow it, codes never do.
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
    accepted = parse_accept_lang_header(request.headers.get("Accept-Language", ""))
    for wish in [*wishes, *(code for code, _ in accepted)]:
        if not wish or wish == "*":
            continue
        # A reader of any Chinese is better served in Chinese than in English.
        if wish.lower() == "zh" or wish.lower().startswith(("zh-cn", "zh-hans", "zh-sg")):
            return "zh-hans"
        try:
            return get_supported_language_variant(wish)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE
