"""Pages for what went wrong: what happened, why, and what to do."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.domain.errors import (
    Invalid,
    NotFound,
    NotPermitted,
    Refused,
    StillRunning,
    WrongState,
    WrongVersion,
)
from bookings.messages import sentence
from bookings.services.closures import InTheWay

STATUS: dict[type[Refused], int] = {
    Invalid: 400,
    NotPermitted: 403,
    NotFound: 404,
    WrongState: 409,
    InTheWay: 409,
    StillRunning: 409,
    WrongVersion: 412,
}


def status_of(refused: Refused) -> int:
    """The HTTP status of a refusal; 422 where a rule refuses."""
    return next((status for kind, status in STATUS.items() if isinstance(refused, kind)), 422)


def page(
    request: HttpRequest, status: int, code: str, text: str = "", back: str = ""
) -> HttpResponse:
    """The error page of a code; `back` is an address to go back to."""
    if not hasattr(request, "LANGUAGE_CODE"):  # refused before anything else had its turn
        request.LANGUAGE_CODE = settings.LANGUAGE_CODE
    context = {"status": status, "title": sentence(code), "text": text, "back": back}
    return render(request, "error.html", context, status=status)


def refused_page(request: HttpRequest, refused: Refused) -> HttpResponse:
    """The error page of a refusal that no form shows."""
    text = ""
    if isinstance(refused, Invalid):
        text = " ".join(sentence(problem.code, problem.numbers) for problem in refused.problems)
    context = {
        "status": status_of(refused),
        "title": sentence(refused.code, refused.numbers),
        "text": text,
    }
    return render(request, "error.html", context, status=status_of(refused))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 400, "invalid")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 403, "not-permitted")


def csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its secret: the page was open while somebody signed in or out."""
    return page(request, 403, "csrf", back=_came_from(request))


def _came_from(request: HttpRequest) -> str:
    """The page of this site that sent the request, as a path; empty for any other."""
    try:
        came = urlsplit(request.headers.get("Referer", ""))
    except ValueError:  # no address at all
        return ""
    path = came._replace(scheme="", netloc="", fragment="").geturl()
    is_ours = came.netloc == request.get_host() and url_has_allowed_host_and_scheme(path, None)
    return path if is_ours else ""


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 404, "not-found")


def too_many(request: HttpRequest) -> HttpResponse:
    """Sign-in, sign-up and mail are asked too often from one address (allauth asks this page)."""
    response = page(request, 429, "too-many-requests")
    response["Retry-After"] = "60"
    return response


def failed(request: HttpRequest) -> HttpResponse:
    return page(request, 500, "failed")
