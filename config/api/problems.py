"""Turn refusals into problem details (RFC 9457), the error answers of the API."""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.http import Http404
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.resource import rendered
from accounts.api.schema import PROBLEM
from accounts.domain.errors import FieldProblem, Invalid, NotPermitted, Refused, StillRunning, TooOften
from accounts.domain.people import PeopleRefused
from accounts.views.pages import status_of
from bookings.availability.selectors.cuts import InTheWay
from bookings.catalogue.api.refusals import in_the_way_json, refusal_json
from bookings.organisations.api.people import people_json
from bookings.organisations.api.register_imports import RegisterReportShape
from bookings.organisations.domain.register_files import RegisterRefused
from bookings.plans.api.imports import report_json
from bookings.plans.domain.imports import RowsRefused
from bookings.pricing.domain.fees import GroupNotServed
from bookings.record.domain.refusals import CAPACITY, Refusal, RulesRefuse
from bookings.record.messages import sentence
from config.pages.errors import (
    AGAIN_AFTER,
    NO_VALUES,
    away_code,
    closed_meanwhile,
    most_files,
    used_address,
    wrote_looking,
)
from instruments.managing.domain.quality import Incomplete

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Problem:
    """The contents of an application/problem+json answer."""

    status: int
    code: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    detail: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


MOST_TOLD = 50  # problems of one request
MOST_IN_A_TEXT = 10  # of them in the sentence of the whole
LONGEST_PATH, LONGEST_ECHO = 200, 500  # characters of what a request has, in its answer
CHALLENGE = {"WWW-Authenticate": "Bearer"}
SOON = {"Retry-After": "1"}
LATER = {"Retry-After": "10"}


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response:
    """Return the answer to an exception that an endpoint raised."""
    exc = closed_meanwhile(exc) or exc
    if wrote_looking(context.get("request"), exc):
        exc = NotPermitted("looking")
    problem = _problem(exc, _is_signed_in(context.get("request")))
    if problem.code == "csrf" and (used := used_address(context["request"])):
        problem = Problem(403, "other-address", {"used": used, "address": settings.SITE_URL})
    numbers = _short(problem.numbers)
    if problem.status == 500:
        log.error("%s failed", type(context.get("view")).__name__, exc_info=exc)
    detail = problem.detail or sentence(problem.code, numbers)
    content = {
        **numbers,
        "type": f"/api/v1/docs/#{problem.code}",
        "title": problem.title or detail,
        "status": problem.status,
        "detail": detail,
        "code": problem.code,
        **problem.more,
    }
    return Response(content, status=problem.status, headers=dict(problem.headers), content_type=PROBLEM)


def _is_signed_in(request: Request | None) -> bool:
    # Not `request.user`: asking for it may be what failed.
    user = getattr(request, "_user", None)
    return bool(user and user.is_authenticated)


def _problem(exc: Exception, is_signed_in: bool) -> Problem:
    match exc:
        case Refused():
            return _of_refusal(exc, is_signed_in)
        case exceptions.APIException():
            return _of_framework(exc)
        case Http404():
            return Problem(404, "not-found")
        case PermissionDenied():
            return Problem(403, "not-permitted")
        case RequestDataTooBig():
            return Problem(413, "request-too-large")
        case TooManyFieldsSent():
            most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
            return Problem(400, "too-many-parameters", {"most": most})
        case TooManyFilesSent():
            return Problem(400, "files-at-once", {"most": most_files(exc)})
        case SuspiciousOperation():
            return Problem(400, "malformed", {"problem": "it looks forged"})
        case _ if isinstance(exc, NO_VALUES):
            log.warning("It has values that cannot be meant", exc_info=exc)
            return Problem(400, "malformed", {"problem": "a value is out of any range"})
        case _ if code := away_code(exc):
            return Problem(503, code, headers={"Retry-After": AGAIN_AFTER[code]})
        case _:
            return Problem(500, "failed")


def _of_refusal(refused: Refused, is_signed_in: bool) -> Problem:
    match refused:
        case Invalid():
            return _of_shape(refused)
        case RulesRefuse():
            is_taken = len(refused.refusals) == 1 and refused.refusals[0].code in CAPACITY
            return _of_rules(refused.code, refused.refusals, 409 if is_taken else 422)
        case GroupNotServed():
            refusal = Refusal(refused.code, refused.numbers)
            return _of_rules(refused.code, [refusal], 422)
        case Incomplete():
            return Problem(422, refused.code, refused.numbers, more={"missing": list(refused.missing)})
        case NotPermitted() if not is_signed_in:
            return Problem(401, "not-signed-in", headers=CHALLENGE)
        case NotPermitted():
            return Problem(403, refused.code, refused.numbers)
        case RowsRefused():
            return Problem(422, refused.code, refused.numbers, more=report_json(refused.report))
        case PeopleRefused():
            return Problem(422, refused.code, refused.numbers, more=people_json(refused.report))
        case RegisterRefused():
            more = rendered(RegisterReportShape, refused.report)
            return Problem(422, refused.code, refused.numbers, more=more)
        case InTheWay():
            more = {"reservations": in_the_way_json(refused)}
            return Problem(409, refused.code, refused.numbers, more=more)
        case StillRunning():
            return Problem(409, refused.code, headers=SOON)
        case TooOften():
            return Problem(429, refused.code, refused.numbers, headers=LATER)
        case _:
            return Problem(status_of(refused), refused.code, refused.numbers)


def _of_shape(refused: Invalid) -> Problem:
    errors = [_error(problem) for problem in refused.problems[:MOST_TOLD]]
    told = [f"{e['field']}: {e['message']}".removeprefix(": ") for e in errors[:MOST_IN_A_TEXT]]
    more: dict[str, Any] = {"errors": errors}
    if left_out := len(refused.problems) - len(errors):
        more["errors_left_out"] = left_out
    if untold := len(refused.problems) - len(told):
        told.append(sentence("more-problems", {"count": untold}))
    return Problem(400, refused.code, title=sentence(refused.code), detail=" ".join(told), more=more)


def _error(problem: FieldProblem) -> dict[str, Any]:
    nearest = {"nearest": near} if problem.known and (near := problem.nearest) else {}
    choices = {"choices": str(them).split(", ")} if (them := problem.numbers.get("choices")) else {}
    return {
        "field": shortened(problem.field, LONGEST_PATH),
        "code": problem.code,
        "message": sentence(problem.code, _short(problem.numbers) | nearest),
        **nearest,
        **choices,
    }


def shortened(text: str, most: int = LONGEST_ECHO) -> str:
    """Return a text for an answer that quotes the request: shortened to its beginning if it is long."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _short(numbers: Mapping[str, Any]) -> dict[str, Any]:
    return {name: shortened(value) if isinstance(value, str) else value for name, value in numbers.items()}


def _of_rules(code: str, refusals: Any, status: int) -> Problem:
    shown = [refusal_json(refusal) for refusal in refusals]
    return Problem(
        status,
        code,
        title=sentence("rules-refuse"),
        detail=" ".join(refusal["message"] for refusal in shown),
        more={"refusals": shown},
    )


def _of_framework(exc: exceptions.APIException) -> Problem:
    match exc:
        case exceptions.AuthenticationFailed():
            return Problem(401, "bad-token", headers=CHALLENGE)
        case exceptions.NotAuthenticated():
            return Problem(401, "not-signed-in", headers=CHALLENGE)
        case exceptions.PermissionDenied():
            return Problem(403, "csrf" if exc.get_codes() == "csrf" else "not-permitted")
        case exceptions.Throttled():
            wait = {"Retry-After": str(max(1, math.ceil(getattr(exc, "wait", None) or 1)))}
            return Problem(429, "too-many-requests", headers=wait)
        case exceptions.ParseError():
            return Problem(400, "malformed", {"problem": str(exc.detail)})
        case _:
            code = CODES.get(exc.status_code)
            return Problem(exc.status_code, code) if code else Problem(500, "failed")


CODES = {
    400: "invalid",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    411: "length-required",
    415: "unsupported-media-type",
}
