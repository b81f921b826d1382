"""What pages share: who may open one, and what happens when its form is sent."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.domain.errors import (
    Invalid,
    NotFound,
    NotPermitted,
    Refused,
    StillRunning,
    TooOften,
    WrongState,
    WrongVersion,
)
from accounts.domain.roles import By
from accounts.permissions import actor_of

type View = Callable[..., Any]

STATUS: Mapping[type[Refused], int] = {
    Invalid: 400,
    NotPermitted: 403,
    NotFound: 404,
    WrongState: 409,
    StillRunning: 409,
    WrongVersion: 412,
    TooOften: 429,
}


def status_of(refused: Refused) -> int:
    """The HTTP status of a refusal; 422 where a rule refuses."""
    return next((status for kind, status in STATUS.items() if isinstance(refused, kind)), 422)


def reads(view: View) -> View:
    """A page for who is signed in."""
    return login_required(require_safe(view))


def writes(view: View) -> View:
    """An address that takes forms only, of who is signed in."""
    return login_required(require_POST(view))


def edits(view: View) -> View:
    """A page with a form that is sent to the same address, for who is signed in."""
    return login_required(require_http_methods(["GET", "HEAD", "POST"])(view))


def is_part(request: HttpRequest, name: str) -> bool:
    """Whether htmx asks for the part of a page with this id alone."""
    return bool(request.htmx) and request.htmx.target == name  # type: ignore[attr-defined]


def by_of(request: HttpRequest, version: int | None = None) -> By:
    """Who asks, now, and which version of a row they have read."""
    return By(actor_of(request.user), timezone.now(), version)


def sent(request: HttpRequest) -> QueryDict | None:
    """What a form of the page was filled with; None where it was not sent."""
    return request.POST if request.method == "POST" else None


def shown(
    request: HttpRequest, template: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    """The page of a template; `act` fills in what its keyword arguments are."""
    return render(request, template, context, status=status)


def in_full(refused: Refused) -> dict[str, Any]:
    """The refusal with all its problems, for a page that lists them (accounts/refused.html)."""
    return {"refused": refused}


def act[Page: HttpResponseBase](
    request: HttpRequest,
    page: Callable[..., Page],
    work: Callable[[By, dict[str, Any]], Any],
    *,
    to: str | Callable[[Any], str | HttpResponse],
    done: str | Callable[[Any], str] = "",
    form: Form | None = None,
    name: str = "form",
    shows: Callable[[Refused], Any] | None = None,
    raises: tuple[type[Refused], ...] = (NotPermitted, NotFound),
) -> Page | HttpResponse:
    """Carry out `work` with who asks and the form's values, say `done`, and go on to the address
    `to`; both may depend on what `work` gives.

    Nothing is carried out where the form is wrong or was not sent (GET): `page` shows it, as the
    argument `name`, with status 400. A refusal comes back to the page too, with its own status:
    what is wrong with a field at that field, the rest as `refused`, or as `shows` says it and with
    what that gives. `raises` are left to the error pages.
    """
    forms: dict[str, Any] = {} if form is None else {name: form}
    if request.method != "POST":
        return page(**forms)
    if form is not None and not form.is_valid():
        return page(status=400, **forms)
    data = form.cleaned_data if form is not None else {}
    try:
        result = work(by_of(request, data.get("version")), data)
    except raises:
        raise
    except Refused as refused:
        status = status_of(refused)
        if isinstance(refused, Invalid) and hasattr(form, "refuse"):
            form.refuse(refused.problems)  # type: ignore[union-attr]
        elif shows is not None:
            forms |= shows(refused) or {}
        else:
            if isinstance(refused, Invalid):
                problem = refused.problems[0]
                refused = Refused(problem.code, **problem.numbers)
            forms["refused"] = refused
        return page(status=status, **forms)
    if message := done(result) if callable(done) else done:
        messages.success(request, message)
    where = to(result) if callable(to) else to
    return where if isinstance(where, HttpResponse) else redirect(where)


def address_of(view: str, pk: UUID) -> str:
    """The address of a page of one row, as `reverse` gives it; a board has thousands."""
    return _pattern(view).replace(str(UUID(int=0)), str(pk))


@cache
def _pattern(view: str) -> str:
    return reverse(view, args=[UUID(int=0)])
