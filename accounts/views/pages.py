"""Decorators and functions for all pages: who may open one, and what happens when its form is sent."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, wraps
from inspect import unwrap
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

from accounts.domain import errors
from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.selectors.installation import maintenance_now
from accounts.selectors.messages import MOST_COUNTED
from accounts.services.messages import messages_opened

type View = Callable[..., Any]

STATUS: Mapping[type[errors.Refused], int] = {
    errors.Invalid: 400,
    errors.NotPermitted: 403,
    errors.NotFound: 404,
    errors.WrongState: 409,
    errors.StillRunning: 409,
    errors.NoLongerKept: 410,
    errors.WrongVersion: 412,
    errors.TooOften: 429,
}


def status_of(refused: errors.Refused) -> int:
    """Return the HTTP status of a refusal; 422 if a rule refuses."""
    return next((status for kind, status in STATUS.items() if isinstance(refused, kind)), 422)


def opens(view: View) -> View:
    """Mark messages that link to a page as read when their recipient opens it, before the page counts the
    unread ones. Pages for people who are signed in do so (`reads`, `edits`)."""

    @wraps(view)
    def opened(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        person: Any = request.user
        links = getattr(person, "unread_links", ())  # not of who is not signed in
        is_page = request.method == "GET" and not request.htmx  # type: ignore[attr-defined]
        if links and is_page and not person.is_viewed and not maintenance_now(timezone.now()):
            left = [link for link in links if link.partition("#")[0].partition("?")[0] != request.path]
            if len(left) < len(links) or len(links) == MOST_COUNTED:  # of more not all links are known
                messages_opened(by_of(request), path=request.path)
                person.unread_links = left
        return view(request, *args, **kwargs)

    return opened


def reads(view: View) -> View:
    """Limit a page to people who are signed in and to requests that only read."""
    return login_required(require_safe(opens(view)))


def writes(view: View) -> View:
    """Limit a view to POST requests of people who are signed in."""
    return login_required(require_POST(view))


def edits(view: View) -> View:
    """Limit a page with a form, which is posted to the same address, to people who are signed in."""
    return login_required(require_http_methods(["GET", "HEAD", "POST"])(opens(view)))


def chooses(*acts: str) -> Callable[[View], View]:
    """Pass the view the act that the posted form names as `choice` (empty if nothing was posted). Place it
    below the decorators above. An unknown act raises `Invalid` before the view runs."""

    def decorate(view: View) -> View:
        @wraps(view)
        def chosen(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            choice = ""
            if request.method == "POST":
                choice = request.POST.get("act", "")
                if choice not in acts:
                    raise errors.invalid("act", "unknown-act")
            return view(request, *args, choice=choice, **kwargs)

        chosen.acts = acts  # type: ignore[attr-defined]  # a test finds every such address by it
        return chosen

    return decorate


def bare(view: View) -> Callable[..., HttpResponse]:
    """Return a page's view without its decorators, for another view that shows the same page with
    additions."""
    inner: Callable[..., HttpResponse] = unwrap(view)
    return inner


def is_part(request: HttpRequest, name: str) -> bool:
    """Return whether htmx requests only the part of a page with this id."""
    return bool(request.htmx) and request.htmx.target == name  # type: ignore[attr-defined]


def by_of(request: HttpRequest, version: int | None = None) -> By:
    """Return the person who sends the request, the moment, and the version of the row that they have read."""
    return By(actor_of(request.user), timezone.now(), version)


def sent(request: HttpRequest) -> QueryDict | None:
    """Return the data of a posted form; None if nothing was posted."""
    return request.POST if request.method == "POST" else None


def shown(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Return the rendered page of a template. The keyword arguments, some of which `act` adds, are its
    context."""
    return render(request, template, context, status=status)


def in_full(refused: errors.Refused) -> dict[str, Any]:
    """Return template context with all problems of a refusal, for a page that lists them
    (accounts/refused.html)."""
    if isinstance(refused, errors.Invalid):
        refused = errors.Invalid([_apart(problem) for problem in refused.problems])
    return {"refused": refused}


def _apart(problem: errors.FieldProblem) -> errors.FieldProblem:
    """Return a problem in the wording for a place away from its field, where it must say what is missing."""
    is_reason = (problem.field, problem.code) == ("reason", "required")
    return replace(problem, code="reason-required") if is_reason else problem


def act[Page: HttpResponseBase](
    request: HttpRequest,
    page: Callable[..., Page],
    work: Callable[[By, dict[str, Any]], Any],
    *,
    to: str | Callable[[Any], str | HttpResponse],
    done: str | Callable[[Any], str] = "",
    form: Form | None = None,
    name: str = "form",
    shows: Callable[[errors.Refused], Any] | None = None,
    raises: tuple[type[errors.Refused], ...] = (errors.NotPermitted, errors.NotFound),
) -> Page | HttpResponse:
    """Call `work` with the person who acts, who has read the version that the form names, and with the other
    values of the form; show the message `done`, and go on to the address `to`, which may both be computed
    from the result of `work`.

    If the form was not posted (GET) or is invalid (status 400), `work` is not called: `page` shows the form,
    passed as the argument `name`. A refusal returns to the page too, with its own status: problems of fields
    are shown at those fields, any other as `refused`, or as whatever `shows` returns for it. Refusals in
    `raises` are left to the error pages.
    """
    forms: dict[str, Any] = {} if form is None else {name: form}
    if request.method != "POST":
        return page(**forms)
    if form is not None and not form.is_valid():
        return page(status=400, **forms)
    data = dict(form.cleaned_data) if form is not None else {}
    version = data.pop("version", None)
    try:
        result = work(by_of(request, version), data)
    except raises:
        raise
    except errors.Refused as refused:
        status = status_of(refused)
        if isinstance(refused, errors.Invalid) and hasattr(form, "refuse"):
            form.refuse(refused.problems)  # type: ignore[union-attr]
        elif shows is not None:
            forms |= shows(refused) or {}
        else:
            if isinstance(refused, errors.Invalid):
                problem = _apart(refused.problems[0])
                refused = errors.Refused(problem.code, **problem.numbers)
            forms["refused"] = refused
        return page(status=status, **forms)
    if message := done(result) if callable(done) else done:
        messages.success(request, message)
    where = to(result) if callable(to) else to
    return where if isinstance(where, HttpResponse) else redirect(where)


def address_of(view: str, pk: UUID) -> str:
    """Return the address of a page of one row as `reverse` does, but faster: a board has thousands of
    them."""
    return _pattern(view).replace(str(UUID(int=0)), str(pk))


@cache
def _pattern(view: str) -> str:
    return reverse(view, args=[UUID(int=0)])
