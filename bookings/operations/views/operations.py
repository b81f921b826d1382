"""The operators' pages: queues, the timetable, and what failed."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from accounts.api.shapes import Shape, checked
from accounts.domain.roles import By, Place
from accounts.permissions import actor_of, require
from accounts.services.jobs import failure_retry
from accounts.views.pages import act, bare, by_of, reads, shown, writes
from bookings.operations.forms.failures import GiveUpBody, RetryBody
from bookings.operations.selectors.failures import load_failures, load_groups, load_named
from bookings.operations.selectors.operations import load_operations
from bookings.operations.services.failures import group_give_up, group_retry
from bookings.operations.services.health import load_standing

AFTER = "bookings:operations-failures"


@reads
def operations(request: HttpRequest) -> HttpResponse:
    """Show administrators how the background work is going."""
    require(actor_of(request.user), "administer", Place(None))
    now = timezone.now()
    groups = load_groups()
    return shown(
        request,
        "bookings/operations/operations.html",
        state=load_operations(now),
        groups=groups,
        standing=load_standing(now, groups),
        now=now,
    )


@reads
def failures(request: HttpRequest, **more: Any) -> HttpResponse:
    """Show what failed by cause, or one group of it."""
    require(actor_of(request.user), "administer", Place(None))
    name, cause = (_given(request, word) for word in ("name", "cause"))
    groups = [group for group in load_groups() if name in ("", group.name) and cause in ("", group.cause)]
    rows = load_named(load_failures(name, cause)) if name else []
    about = groups[0] if len(groups) == 1 and name else None
    return shown(
        request,
        "bookings/operations/failures.html",
        groups=groups,
        rows=rows,
        group=about,
        name=name,
        cause=cause,
        now=timezone.now(),
        **more,
    )


def _given(request: HttpRequest, word: str) -> str:
    return (request.POST.get(word) or request.GET.get(word, ""))[:60].replace("\0", "")


@writes
def retry(request: HttpRequest, failure_id: UUID) -> HttpResponse:
    """Retry one failure."""
    failure_retry(by_of(request), failure_id=failure_id)
    messages.success(request, gettext("Retrying now."))
    return redirect("bookings:operations-failures")


@writes
def retry_all(request: HttpRequest) -> HttpResponse:
    """Retry all failures of a group, or some of them."""

    def work(by: By, data: dict[str, Any]) -> int:
        return group_retry(by, **_body(request, RetryBody))

    def done(count: int) -> str:
        return ngettext("Retrying %(n)d now.", "Retrying %(n)d now.", count) % {"n": count}

    return act(request, _page(request), work, to=AFTER, done=done)


@writes
def give_up(request: HttpRequest) -> HttpResponse:
    """Give up all failures of a group, or some of them."""

    def work(by: By, data: dict[str, Any]) -> int:
        return group_give_up(by, **_body(request, GiveUpBody))

    def done(count: int) -> str:
        return ngettext("%(n)d given up.", "%(n)d given up.", count) % {"n": count}

    return act(request, _page(request), work, to=AFTER, done=done)


def _page(request: HttpRequest) -> Any:
    return lambda **context: bare(failures)(request, **context)


def _body(request: HttpRequest, shape: type[Shape]) -> dict[str, Any]:
    given = {name: request.POST.get(name, "") for name in shape._declared_fields if name != "ids"}
    return checked(
        shape, {name: value for name, value in given.items() if value} | {"ids": request.POST.getlist("ids")}
    )
