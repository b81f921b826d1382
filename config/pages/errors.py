"""Pages for what went wrong: what happened, why, and what to do."""

import logging
import sys
from decimal import InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DataError, IntegrityError, InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from structlog.contextvars import get_contextvars

from accounts.domain.errors import (
    Invalid,
    Refused,
    WrongState,
)
from accounts.views.pages import status_of
from bookings.record.messages import sentence
from config.files.storages import FilesAway

logger = logging.getLogger(__name__)

# Why it may be so and what to do, where the sentence of the code does not say it.
ADVICE: dict[int, Any] = {
    403: _("Your roles do not include it. The managers of your organisation can give you a role."),
    404: _("The address may be mistyped or out of date, or the page was moved or removed."),
    405: _("This address only receives forms: go back to the page with the form."),
    409: _("Nothing was changed. Go back and load the page again to see the current state."),
    412: _("Nothing was changed. Go back and load the page again to see the current state."),
    429: _("Nothing was changed. Wait a minute, then do it again."),
    500: _("What you sent may not be saved: check before you send it again."),
    503: _("What you sent may not be saved: check before you send it again."),
}
# What no field has caught: characters and numbers that the database does not take (NUL, whole
# numbers beyond its range), times beyond the calendar. Nothing is stored; the sender is told.
NO_VALUES = (DataError, OverflowError, UnicodeEncodeError, InvalidOperation)
# The database is away, starts, stops, is full, or is just becoming another.
_AWAY_STATES = ("08", "53", "57P", "25006")
AWAY_SECONDS = "5"


def closed_meanwhile(exc: BaseException) -> WrongState | None:
    """Return the refusal where the database found an organisation closed that was open when it was
    asked (trigger `organisation_open`)."""
    diagnosis = getattr(exc.__cause__, "diag", None)
    name = diagnosis.constraint_name if diagnosis is not None else ""
    is_closed = isinstance(exc, IntegrityError) and name == "organisation_open"
    return WrongState("organisation-closed") if is_closed else None


def page(
    request: HttpRequest, status: int, code: str, text: str = "", back: str = ""
) -> HttpResponse:
    """Return the error page of a code; `back` is an address to go back to."""
    advice = "" if code == "csrf" else ADVICE.get(status, "")
    return _answer(request, status, sentence(code), text or advice, back)


def refused_page(request: HttpRequest, refused: Refused) -> HttpResponse:
    """Return the error page of a refusal that no form shows."""
    text = ""
    if isinstance(refused, Invalid):
        text = " ".join(sentence(problem.code, problem.numbers) for problem in refused.problems)
    title = sentence(refused.code, refused.numbers)
    status = status_of(refused)
    return _answer(request, status, title, text or ADVICE.get(status, ""), _came_from(request))


def _answer(request: HttpRequest, status: int, title: str, text: str, back: str) -> HttpResponse:
    if not hasattr(request, "LANGUAGE_CODE"):  # refused before anything else had its turn
        request.LANGUAGE_CODE = settings.LANGUAGE_CODE
    context = {
        "status": status,
        "title": title,
        "text": text,
        "advice": "" if text or (back and status == 403) else ADVICE.get(status, ""),
        "back": back if back != request.get_full_path() else "",
        "number": get_contextvars().get("request_id", "") if status == 500 else "",
    }
    return render(request, "error.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 400, "invalid")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 403, "not-permitted")


def csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Return the answer to a form without its secret: somebody signed in or out meanwhile."""
    return page(request, 403, "csrf", back=_came_from(request))


def _came_from(request: HttpRequest) -> str:
    """Return the page of this site that sent the request, as a path; empty for any other."""
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


def is_away(exception: BaseException | None) -> bool:
    """Return whether something failed because there is no database to ask just now."""
    if isinstance(exception, InterfaceError):  # a connection that was closed
        return True
    if not isinstance(exception, OperationalError | InternalError):
        return False
    state: str | None = getattr(exception.__cause__, "sqlstate", None)
    if state is None:
        return isinstance(exception, OperationalError)  # never got as far as an answer
    return state.startswith(_AWAY_STATES)


def away_code(exception: BaseException | None) -> str:
    """Return the code of what failed because something cannot be reached just now; else empty."""
    if isinstance(exception, FilesAway):
        return "files-away"
    return "database-away" if is_away(exception) else ""


def away(request: HttpRequest, code: str) -> HttpResponse:
    """503: nothing is lost, it can be tried again."""
    response = _bare(request, 503, code)
    response["Retry-After"] = AWAY_SECONDS
    return response


def failed(request: HttpRequest) -> HttpResponse:
    """Something of ours went wrong; where not even the page can be made a bare one that needs
    nothing."""
    if code := away_code(sys.exception()):
        return away(request, code)
    try:
        return page(request, 500, "failed")
    except Exception:
        logger.exception("The page of a failure failed")
        return _bare(request, 500, "failed")


def _bare(request: HttpRequest, status: int, code: str) -> HttpResponse:
    """Return a page that asks nobody anything; for programs a problem."""
    number = get_contextvars().get("request_id", "")
    if request.path.startswith("/api/"):
        problem = {"type": f"/api/v1/docs/#{code}", "title": sentence(code), "status": status}
        problem |= {"detail": sentence(code), "code": code}
        return JsonResponse(problem, status=status, content_type="application/problem+json")
    context = {"status": status, "title": sentence(code), "text": ADVICE[status], "number": number}
    return HttpResponse(render_to_string("failed.html", context), status=status)
