"""Error pages: they say what happened, why, and what to do."""

import logging
import sys
from collections.abc import Mapping
from datetime import datetime
from decimal import InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import DataError, IntegrityError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.http import is_same_domain, url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from structlog.contextvars import get_contextvars

from accounts.database import is_away, is_busy, is_read_only
from accounts.domain.errors import Invalid, NotPermitted, Refused, TooOften, WrongState
from accounts.domain.maintenance import Spell
from accounts.domain.roles import CAPABILITIES
from accounts.forms import refusal_signed
from accounts.letters.words import dated, is_chinese, zone_name
from accounts.middleware import PROGRAMS
from accounts.models import AccessRequest, Organisation
from accounts.permissions import actor_of
from accounts.selectors.access import access_asked
from accounts.selectors.memberships import is_elsewhere, whom_to_ask
from accounts.views.pages import by_of, status_of
from bookings.record.messages import sentence
from config.files.storages import FilesAway

logger = logging.getLogger(__name__)

# Why it may be so and what to do, where the sentence of the code does not say it.
ADVICE: dict[int, Any] = {
    403: _("Your roles do not allow this. The managers of your organisation can give you a role."),
    404: _("The address may be mistyped or out of date, or the page was moved or removed."),
    405: _("This address only accepts submitted forms. Go back to the page with the form."),
    409: _("Nothing was changed. Go back and load the page again to see the current state."),
    412: _("Nothing was changed. Go back and load the page again to see the current state."),
    429: _("Nothing was changed. Wait a minute, then try again."),
    500: _("Your changes may not have been saved: check before you send them again."),
    503: _("Your changes may not have been saved: check before you send them again."),
}
OTHER_ADDRESS = _(
    "Open the platform by its own address, and send what you have written there. For administrators: the "
    "address is set as SITE_URL, other names as ALLOWED_HOSTS and CSRF_TRUSTED_ORIGINS, and the proxy in "
    "front must pass on Host and X-Forwarded-Proto as it got them."
)
# What no field has caught: characters and numbers that the database does not take (NUL, whole
# numbers beyond its range), times beyond the calendar. Nothing is stored; the sender is told.
NO_VALUES = (DataError, OverflowError, UnicodeEncodeError, InvalidOperation)
# After so many seconds it is worth trying again.
AGAIN_AFTER = {"busy": "1", "database-away": "5", "files-away": "5"}


def closed_meanwhile(exc: BaseException) -> WrongState | None:
    """Return the refusal if the database (trigger `organisation_open`) found that an organisation was closed
    after the service had checked it; otherwise None."""
    diagnosis = getattr(exc.__cause__, "diag", None)
    name = diagnosis.constraint_name if diagnosis is not None else ""
    is_closed = isinstance(exc, IntegrityError) and name == "organisation_open"
    return WrongState("organisation-closed") if is_closed else None


def page(request: HttpRequest, status: int, code: str, text: str = "", back: str = "") -> HttpResponse:
    """Return the error page of a code; `back` is the address of its link back."""
    advice = "" if code == "csrf" else ADVICE.get(status, "")
    return _answer(request, status, sentence(code), text or advice, back)


def refused_page(request: HttpRequest, refused: Refused) -> HttpResponse:
    """Return the error page of a refusal that no form shows."""
    text = ""
    if isinstance(refused, Invalid):
        text = " ".join(sentence(problem.code, problem.numbers) for problem in refused.problems)
    title = sentence(refused.code, refused.numbers)
    status = status_of(refused)
    ask = None
    if isinstance(refused, NotPermitted) and refused.code == NotPermitted.code:
        ask = _whom_to_ask(request, refused)
    # No role would help an administrator who looks at pages as somebody.
    advice = "" if refused.code == "looking" else ADVICE.get(status, "")
    response = _answer(request, status, title, text or advice, _came_from(request), ask)
    if isinstance(refused, TooOften):
        response["Retry-After"] = "10"
    return response


def _whom_to_ask(request: HttpRequest, refused: NotPermitted) -> dict[str, Any]:
    """Return who may give the reader a role that carries the capability, when the reader asked them lately,
    which roles do, and which of these the reader has `limited` to a part of an organisation. If that is
    another organisation than theirs, these are its managers, and it is named only with what is public."""
    actor, capability = actor_of(request.user), str(refused.numbers.get("capability", ""))
    limited = {grant.role for grant in actor.grants if grant.is_scoped}
    ask = {"roles": sorted(CAPABILITIES.get(capability, ())), "limited": limited}
    if is_elsewhere(actor, capability, refused.at):
        named = refused.at if refused.is_named else None
        host = Organisation.objects.filter(pk=named).first() if named else None
        return ask | {"is_elsewhere": True, "host": host}
    found = whom_to_ask(actor, capability, refused.at)
    asked = access_asked(actor, capability, by_of(request).now) if found else AccessRequest.objects.none()
    since = {row.organisation_id: row.created_at for row in asked.order_by("created_at")}
    askable = [(one, since.get(one.organisation.pk if one.organisation else None)) for one in found]
    path = request.path[:300] if request.method == "GET" else ""
    return ask | {"askable": askable, "refusal": refusal_signed(capability, path)}


def _answer(
    request: HttpRequest, status: int, title: str, text: str, back: str, ask: Mapping[str, Any] | None = None
) -> HttpResponse:
    """Return an error page. `ask`: whom to ask for the role that the reader lacks, if it lacks one."""
    if not hasattr(request, "LANGUAGE_CODE"):  # refused before anything else had its turn
        request.LANGUAGE_CODE = settings.LANGUAGE_CODE
    if ask and (ask.get("askable") or ask.get("is_elsewhere")):
        text = str(_("Your roles do not allow this."))
    context = {
        "status": status,
        "title": title,
        "text": text,
        "advice": "" if text or (back and status == 403) else ADVICE.get(status, ""),
        "back": back if back != request.get_full_path() else "",
        "number": get_contextvars().get("request_id", "") if status == 500 else "",
        "ask": ask,
    }
    return render(request, "error.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that was refused before any page or endpoint was reached."""
    status, code, most = 400, "invalid", settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    more: dict[str, Any] = {}
    match exception:
        case TooManyFieldsSent():
            code = "too-many-parameters"
        case TooManyFilesSent():
            code, most = "files-at-once", most_files(exception)
        case RequestDataTooBig():
            status, code = 413, "request-too-large"
        case DisallowedHost():
            code = "other-address"
            more = {"used": request._get_raw_host()[:200], "address": settings.SITE_URL}  # type: ignore[attr-defined]
    numbers = {"most": most} | more
    if request.path.startswith(PROGRAMS):
        return _problem(status, code, numbers)
    text = str(OTHER_ADDRESS) if code == "other-address" else ""
    return _answer(request, status, sentence(code, numbers), text, "")


def most_files(exception: TooManyFilesSent) -> int:
    """Return how many files the address takes that was sent too many."""
    return exception.args[1] if len(exception.args) > 1 else settings.DATA_UPLOAD_MAX_NUMBER_FILES


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 403, "not-permitted")


def csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form without a valid CSRF token: somebody has signed in or out meanwhile, or the site was
    opened by another address than its own, which is named then."""
    if used := used_address(request):
        title = sentence("other-address", {"used": used, "address": settings.SITE_URL})
        return _answer(request, 403, title, str(OTHER_ADDRESS), "")
    return page(request, 403, "csrf", back=_came_from(request))


def used_address(request: HttpRequest) -> str:
    """Return the address by which the browser came with a form, if the form is refused because it is not the
    platform's; empty if it is, or if the browser does not say."""
    given = request.headers.get("Origin", "")
    if not given and request.is_secure():  # only then it is asked for (CsrfViewMiddleware)
        given = request.headers.get("Referer", "")
    try:
        parts = urlsplit(given)
    except ValueError:
        return ""
    used = f"{parts.scheme}://{parts.netloc}"[:200]
    checks = CsrfViewMiddleware(lambda _: HttpResponse())
    ours = {*checks.allowed_origins_exact, settings.SITE_URL, f"{request.scheme}://{request.get_host()}"}
    is_named = any(
        is_same_domain(parts.netloc, host) for host in checks.allowed_origin_subdomains.get(parts.scheme, ())
    )
    return "" if not parts.netloc or used in ours or is_named else used


def _came_from(request: HttpRequest) -> str:
    """Return the page of this site that the request came from, as a path; empty for any other."""
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
    """Answer 429: too many attempts to sign in, sign up or be sent mail came from one address (allauth calls
    this view)."""
    response = page(request, 429, "too-many-requests")
    response["Retry-After"] = "60"
    return response


def wrote_looking(request: Any, exception: BaseException | None) -> bool:
    """Return whether a page failed because it writes and somebody looks at it as somebody else."""
    return hasattr(request, "viewing") and is_read_only(exception)


def away_code(exception: BaseException | None) -> str:
    """Return the code of an exception raised because something cannot be reached or is too busy at present;
    empty for any other."""
    if isinstance(exception, FilesAway):
        return "files-away"
    if is_busy(exception):
        return "busy"
    return "database-away" if is_away(exception) else ""


def away(request: HttpRequest, code: str) -> HttpResponse:
    """Answer 503: nothing is lost, and the request can be tried again."""
    response = bare(request, 503, code)
    response["Retry-After"] = AGAIN_AFTER[code]
    return response


def maintained(request: HttpRequest, spell: Spell, now: datetime) -> HttpResponse:
    """Answer 503 to what would change something during maintenance, with its end and reason. The page needs
    no database, which may be away for the same reason."""
    reason = (spell.reason_zh if is_chinese() else spell.reason) or spell.reason or spell.reason_zh
    if request.path.startswith(PROGRAMS):
        numbers = {"until": spell.ends_at.strftime("%Y-%m-%dT%H:%M:%SZ")}
        response = _problem(503, "maintenance", numbers=numbers | ({"reason": reason} if reason else {}))
    else:
        until = dated(timezone.localtime(spell.ends_at), "D j M Y, H:i", "Y年n月j日 D H:i")
        values = {"until": until, "zone": zone_name(str(timezone.get_current_timezone()))}
        text = _("It lasts until %(until)s (%(zone)s). Nothing was changed: you can send it again then.")
        context = {
            "status": 503,
            "title": sentence("maintenance"),
            "reason": reason,
            "text": text % values,
            "back": _came_from(request),
        }
        response = HttpResponse(render_to_string("failed.html", context), status=503)
    response["Retry-After"] = str(spell.seconds_left(now))
    if settings.UPLOADS_URL and request.path.startswith("/api/v1/uploads/"):
        # Pages of the site, which send uploads to another address, may read why.
        response["Access-Control-Allow-Origin"] = settings.SITE_URL
        response["Access-Control-Allow-Credentials"] = "true"
        response["Access-Control-Expose-Headers"] = "Retry-After"
    return response


def failed(request: HttpRequest) -> HttpResponse:
    """Answer 500: the platform failed. If even that page cannot be rendered, send a bare one that depends on
    nothing."""
    if wrote_looking(request, sys.exception()):
        return bare(request, 403, "looking")
    if code := away_code(sys.exception()):
        return away(request, code)
    try:
        return page(request, 500, "failed")
    except Exception:
        logger.exception("The page of a failure failed")
        return bare(request, 500, "failed")


def bare(request: HttpRequest, status: int, code: str) -> HttpResponse:
    """Return a page that needs no session, database or context; for the API, a problem."""
    number = get_contextvars().get("request_id", "")
    if request.path.startswith(PROGRAMS):
        return _problem(status, code)
    context = {"status": status, "title": sentence(code), "text": ADVICE[status], "number": number}
    if status == 503:
        context["number"] = ""
        if request.method == "GET":  # nothing was sent that could be lost
            context |= {"text": "", "again": request.get_full_path()}
    return HttpResponse(render_to_string("failed.html", context), status=status)


def _problem(status: int, code: str, numbers: Mapping[str, Any] | None = None) -> HttpResponse:
    text = sentence(code, numbers)
    problem: dict[str, Any] = {"type": f"/api/v1/docs/#{code}", "title": text, "status": status}
    problem |= {"detail": text, "code": code}
    return JsonResponse(dict(numbers or {}) | problem, status=status, content_type="application/problem+json")
